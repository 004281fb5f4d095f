-- Failed tries to sign in, by a keyed hash of the address that was typed, the client, its network or its device: no name and no
-- address of anybody stands here.
create table palisade_sign_in_attempts (
    key bytea primary key,
    failures bigint not null,
    blocked_until timestamptz not null,
    expires_at timestamptz not null
);

create index palisade_sign_in_attempts_expires_at on palisade_sign_in_attempts (expires_at);
