-- When the address of an account was shown to be its owner's, and how often its password was changed. Accounts that were there before go on as they were.
alter table palisade_accounts add column email_verified_at timestamptz;
alter table palisade_accounts add column password_version bigint not null default 0;
update palisade_accounts set email_verified_at = created_at;

-- The token of the newest mail of each purpose, as a hash. The subject is a keyed hash of an address or an account; without an account
-- the token is good for nothing: it was made so that an unknown address costs what a known one does.
create table palisade_mail_tokens (
    subject bytea not null,
    purpose text not null,
    token_hash bytea not null unique,
    account_id uuid references palisade_accounts (id) on delete cascade,
    email text,
    password_mark bytea not null,
    expires_at timestamptz not null,
    primary key (subject, purpose)
);

create index palisade_mail_tokens_account_id on palisade_mail_tokens (account_id);
create index palisade_mail_tokens_expires_at on palisade_mail_tokens (expires_at);

-- Mails that anybody may cause, counted by a keyed hash of the address that they went to.
create table palisade_mail_counts (
    subject bytea primary key,
    mails bigint not null,
    expires_at timestamptz not null
);

create index palisade_mail_counts_expires_at on palisade_mail_counts (expires_at);
