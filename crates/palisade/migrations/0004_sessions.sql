-- One row a browser's sign-in: a hash of the id in its cookie, and a few words for its device. `id` is its name in lists, and opens
-- nothing.
create table palisade_sessions (
    id uuid primary key,
    account_id uuid not null references palisade_accounts (id) on delete cascade,
    token_hash bytea not null unique,
    device text not null,
    authenticated_at timestamptz not null,
    created_at timestamptz not null,
    used_at timestamptz not null,
    expires_at timestamptz not null
);

create index palisade_sessions_account_id on palisade_sessions (account_id);
create index palisade_sessions_expires_at on palisade_sessions (expires_at);
create index palisade_sessions_used_at on palisade_sessions (used_at);

alter table palisade_token_families add column device text not null default '';
