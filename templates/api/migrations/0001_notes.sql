create table notes (
    id uuid primary key,
    owner_id uuid not null references palisade_accounts (id) on delete cascade,
    title text not null,
    body text not null,
    created_at timestamptz not null
);

create index notes_owner_id on notes (owner_id, id);
