-- One row: whoever changes who may administer waits for its lock first, so that two at once cannot leave nobody.
create table palisade_administration (
    id bigint primary key,
    changed_at timestamptz not null
);

insert into palisade_administration (id, changed_at) values (1, '2026-01-01T00:00:00.000000Z');

create index palisade_account_roles_role on palisade_account_roles (role);

-- A disabled account is there, and good for nothing.
alter table palisade_accounts add column disabled_at timestamptz;
