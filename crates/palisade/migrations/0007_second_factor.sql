-- What a person proves himself with beside the password, by kind: totp, recovery_code.
create table palisade_credentials (
    id uuid primary key,
    account_id uuid not null references palisade_accounts (id) on delete cascade,
    kind text not null,
    -- What a client's proof finds it by, where it has to be found; else null.
    handle bytea,
    -- What proves it, where it has to be read again: sealed with a key that is derived from the secret key.
    secret bytea,
    -- What only moves forward: the time step of the last code that was taken.
    counter bigint not null,
    created_at timestamptz not null,
    -- Until it was used once, it counts for nothing.
    confirmed_at timestamptz,
    last_used_at timestamptz
);

create index palisade_credentials_account_id on palisade_credentials (account_id, kind);
create unique index palisade_credentials_handle on palisade_credentials (kind, handle);
-- One enrolment at a time, and one that counts.
create unique index palisade_credentials_enrolment on palisade_credentials (account_id, kind) where confirmed_at is null;
create unique index palisade_credentials_totp on palisade_credentials (account_id) where kind = 'totp' and confirmed_at is not null;
create index palisade_credentials_unconfirmed on palisade_credentials (created_at) where confirmed_at is null;

-- Whether the person gave a second factor for this sign-in.
alter table palisade_token_families add column second_factor boolean not null default false;
alter table palisade_sessions add column second_factor boolean not null default false;
