//! Which tables a statement names, and which columns its conditions name: enough to see that an owner was forgotten.

mod parser;

use super::schema::Dialect;
use super::tokens::tokens;

/// The scope of the first verb.
pub(super) const FIRST_SCOPE: usize = 1;

/// What was read of one statement.
#[derive(Debug, Default)]
pub(super) struct Clauses {
    pub(super) tables: Vec<Table>,
    /// The columns that a `where`, `on`, `using` or `having` names.
    pub(super) conditions: Vec<Condition>,
    /// The columns that an `insert` lists.
    pub(super) inserted: Vec<String>,
    /// The columns of `on conflict (…)`.
    pub(super) conflict: Vec<String>,
    /// Whether an `insert` may change a row that is there: `do update`, `or replace`.
    pub(super) overwrites: bool,
    /// Whether it gives rows that it wrote.
    pub(super) returns: bool,
    /// Each `select`, `insert`, `update` and `delete` is a scope; these are their parents.
    parents: Vec<Option<usize>>,
}

/// A table where it is read or written.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) alias: Option<String>,
    pub(super) scope: usize,
    /// Whether it is the target of an `insert`.
    pub(super) is_target: bool,
    /// Whether an outer join fills it with nulls where it finds no row.
    pub(super) is_optional: bool,
}

/// A column that a condition names.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) qualifier: Option<String>,
    pub(super) column: String,
    pub(super) scope: usize,
}

impl Clauses {
    pub(super) fn read(sql: &str, dialect: Dialect) -> Self {
        parser::parse(&tokens(sql, dialect), dialect)
    }

    /// This scope and those that it stands in, from the inside.
    pub(super) fn outwards(&self, scope: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(scope), |scope| self.parents[*scope])
    }

    pub(super) fn in_scope(&self, scope: usize) -> impl Iterator<Item = &Table> {
        self.tables.iter().filter(move |table| table.scope == scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(sql: &str, dialect: Dialect) -> Vec<String> {
        let clauses = Clauses::read(sql, dialect);
        let names = clauses.tables.into_iter().map(|table| match table.alias {
            Some(alias) => format!("{} {alias}", table.name),
            None => table.name,
        });
        names.collect()
    }

    fn conditions(sql: &str) -> Vec<String> {
        let clauses = Clauses::read(sql, Dialect::Postgres);
        let names = clauses.conditions.into_iter();
        names.map(|condition| condition.column).collect()
    }

    #[test]
    fn finds_tables_wherever_they_stand() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            for (sql, expected) in [
                ("select * from Notes where a = $1", &["Notes"][..]),
                ("select * from \"notes\" as n", &["notes n"]),
                (
                    "select * from main.notes n, public.tags",
                    &["notes n", "tags"],
                ),
                (
                    "select * from a n left outer join b on n.x = b.y, c",
                    &["a n", "b", "c"],
                ),
                (
                    "select * from (notes join tags using (id))",
                    &["notes", "tags"],
                ),
                (
                    "select * from a where id in (select id from notes n)",
                    &["a", "notes n"],
                ),
                (
                    "with c as (select * from notes) select * from c",
                    &["notes", "c"],
                ),
                (
                    "select (select count(*) from notes) from a",
                    &["notes", "a"],
                ),
                (
                    "select a from b union all select a from notes",
                    &["b", "notes"],
                ),
                (
                    "insert into notes as n (id) select id from tags t",
                    &["notes n", "tags t"],
                ),
                ("update notes n set a = 1 from tags", &["notes n", "tags"]),
                (
                    "delete from notes using tags, b where x = 1",
                    &["notes", "tags", "b"],
                ),
                (
                    "delete from notes using (tags join b on true)",
                    &["notes", "tags", "b"],
                ),
                (
                    "with c as (delete from notes returning id) select 1",
                    &["notes"],
                ),
                ("select notes, tags.notes, 'notes' as notes from a", &["a"]),
                (
                    "select extract(year from notes), trim(both 'x' from notes) from a",
                    &["a"],
                ),
                ("select a is distinct from notes from b", &["b"]),
                ("insert into a (notes, tags) values ($1, $2)", &["a"]),
                ("select 1 from f(notes) x, (select 1) as y", &[]),
                ("select 1 from a for update of notes", &["a"]),
                (
                    "insert into a (x) values (1) on conflict (x) do update set x = 2",
                    &["a"],
                ),
            ] {
                assert_eq!(tables(sql, dialect), expected, "{sql}");
            }
        }
        assert_eq!(
            tables("select 1 where 1 in notes", Dialect::Sqlite),
            ["notes"]
        );
        assert_eq!(
            tables("select 1 from [notes] [n]", Dialect::Sqlite),
            ["notes n"]
        );
        assert_eq!(
            tables("with c as (table notes) select 1", Dialect::Postgres),
            ["notes"]
        );
        assert_eq!(
            tables("update only notes set a = 1", Dialect::Postgres),
            ["notes"]
        );
        assert_eq!(
            tables(
                "select 1 from lateral (select 1 from notes) n",
                Dialect::Postgres
            ),
            ["notes"]
        );
        assert_eq!(
            tables(
                "merge into notes n using tags t on n.id = t.id",
                Dialect::Postgres
            ),
            ["notes n", "tags t"]
        );
    }

    #[test]
    fn finds_columns_only_in_conditions() {
        for (sql, expected) in [
            (
                "select owner from notes where (lower(n.a) = $1 or \"b\" in ($2)) order by owner",
                &["a", "b"][..],
            ),
            (
                "select title as owner from notes group by owner having a > 1",
                &["a"],
            ),
            (
                "update notes set owner = $1 where a = $2 returning owner",
                &["a"],
            ),
            (
                "select count(*) filter (where owner = $1) from notes where a = 1",
                &["a"],
            ),
            (
                "select 1 from a join b using (x) join c on c.y = a.z",
                &["x", "y", "z"],
            ),
            (
                "insert into notes (owner) values ($1) on conflict (owner) do update set owner = 1",
                &[],
            ),
            (
                "select 1 from a where offset = 1 and owner = $1 offset 3",
                &["offset", "owner"],
            ),
            ("select 1 from a where 'owner' = $1 -- owner", &[]),
        ] {
            assert_eq!(conditions(sql), expected, "{sql}");
        }
        let clauses = Clauses::read(
            "insert or replace into notes as n (id, \"owner\") values ($1, owner) on conflict (slug) do nothing",
            Dialect::Sqlite,
        );
        assert_eq!(clauses.inserted, ["id", "owner"]);
        assert_eq!(clauses.conflict, ["slug"]);
        assert!(clauses.overwrites);
        let sql = "select 1 from a left join b on true full outer join c on true join d on d.x is not null";
        let clauses = Clauses::read(sql, Dialect::Sqlite);
        let optional = clauses.tables.iter().filter(|table| table.is_optional);
        assert_eq!(
            optional
                .map(|table| table.name.as_str())
                .collect::<Vec<_>>(),
            ["b", "c"]
        );
    }
}
