-- Requests that are done once. No key of a client stands here, and no answer that can be read without the secret key.
create table palisade_idempotency (
    id bytea primary key,
    account_id uuid not null references palisade_accounts (id) on delete cascade,
    fingerprint bytea not null,
    claim uuid not null,
    answer bytea,
    locked_until timestamptz not null,
    expires_at timestamptz not null
);

create index palisade_idempotency_account_id on palisade_idempotency (account_id);
create index palisade_idempotency_expires_at on palisade_idempotency (expires_at);
