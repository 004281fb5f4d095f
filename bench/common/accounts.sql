create table accounts (
    id text primary key,
    email text not null unique
);

create table revoked_tokens (
    jti text primary key,
    expires_at integer not null
);

insert into accounts (id, email) values ('01a20f59-3f74-732c-b0a4-c848f71238a0', 'ann@example.com');
