create table palisade_accounts (
    id uuid primary key,
    email text not null unique,
    password_hash text not null,
    created_at timestamptz not null
);

create table palisade_account_roles (
    account_id uuid not null references palisade_accounts (id) on delete cascade,
    role text not null,
    primary key (account_id, role)
);

create table palisade_revoked_tokens (
    jti uuid primary key,
    expires_at timestamptz not null
);

create index palisade_revoked_tokens_expires_at on palisade_revoked_tokens (expires_at);
