create table orders (
    id uuid primary key,
    owner_id uuid not null references palisade_accounts (id) on delete cascade,
    article text not null,
    quantity bigint not null check (quantity between 1 and 1000),
    state text not null,
    created_at timestamptz not null
);

create index orders_owner_id on orders (owner_id, id);
