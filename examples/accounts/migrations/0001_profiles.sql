create table profiles (
    id uuid primary key,
    owner_id uuid not null unique references palisade_accounts (id) on delete cascade,
    name text not null
);
