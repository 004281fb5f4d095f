-- What programs present: of each key its hash alone, and for a while after a rotation the hash of the one before.
create table palisade_api_keys (
    id uuid primary key,
    account_id uuid not null references palisade_accounts (id) on delete cascade,
    name text not null,
    secret_hash bytea not null,
    secret_used boolean not null default false,
    previous_hash bytea,
    previous_until timestamptz,
    scopes jsonb not null,
    networks jsonb not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    last_used_at timestamptz
);

create index palisade_api_keys_account_id on palisade_api_keys (account_id);
create index palisade_api_keys_expires_at on palisade_api_keys (expires_at);
