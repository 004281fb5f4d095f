create table notes (
    id uuid primary key,
    owner_id uuid not null references palisade_accounts (id) on delete cascade,
    title text not null,
    body text not null,
    stars bigint not null check (stars between 1 and 5),
    tags jsonb not null,
    created_at timestamptz not null
);

create index notes_owner_id on notes (owner_id, id);

create table note_shares (
    note_id uuid not null references notes (id) on delete cascade,
    account_id uuid not null references palisade_accounts (id) on delete cascade,
    primary key (note_id, account_id)
);

create index note_shares_account_id on note_shares (account_id);
