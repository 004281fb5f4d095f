-- One row a sign-in: the refresh token that may be used next, as a hash. Access tokens are good while the row is there.
create table palisade_token_families (
    id uuid primary key,
    account_id uuid not null references palisade_accounts (id) on delete cascade,
    token_hash bytea not null,
    generation bigint not null,
    rotated_at timestamptz not null,
    rotated_by bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz not null
);

create index palisade_token_families_account_id on palisade_token_families (account_id);
create index palisade_token_families_expires_at on palisade_token_families (expires_at);
create index palisade_token_families_rotated_at on palisade_token_families (rotated_at);
