create table items (
    id integer primary key,
    title text not null,
    body text not null,
    stars integer not null
);

insert into items (id, title, body, stars)
with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 10000)
select n, 'Item ' || n, 'A row among ten thousand, read by its key.', 1 + n % 5 from numbers;
