//! A statement that touches an owned table names its owner column.

use super::clauses::{Clauses, Condition, Table};
use super::schema::Schema;

/// An owned table, and the views that show it.
pub(super) struct Owned<'a> {
    pub(super) table: &'a str,
    pub(super) owner: &'a str,
    pub(super) views: Vec<String>,
}

/// Which table a condition's column belongs to.
enum Bound {
    /// The owned one, as named in this scope.
    To(usize),
    Elsewhere,
    /// A subquery or a common table expression, whose columns are not looked into.
    Unknown,
}

impl<'a> Owned<'a> {
    pub(super) fn new(table: &'a str, owner: &'a str, schema: &Schema) -> Self {
        let mut owned = Self {
            table,
            owner,
            views: Vec::new(),
        };
        // A view may show a view.
        loop {
            let shows = |(name, text): &&(String, String)| {
                let clauses = Clauses::read(text, schema.dialect);
                !owned.is(name) && clauses.tables.iter().any(|table| owned.is(&table.name))
            };
            match schema.views.iter().find(shows) {
                Some((name, _)) => owned.views.push(name.clone()),
                None => return owned,
            }
        }
    }

    fn is(&self, name: &str) -> bool {
        let mut names = self.views.iter().map(String::as_str);
        self.table.eq_ignore_ascii_case(name) || names.any(|view| view.eq_ignore_ascii_case(name))
    }

    /// What is wrong and what to do, when the statement forgets the owner. What stands in the scope `exempt` is checked
    /// elsewhere.
    pub(super) fn fault(
        &self,
        clauses: &Clauses,
        exempt: Option<usize>,
        schema: &Schema,
    ) -> Option<(String, String)> {
        let (owner, table) = (self.owner, self.table);
        let lists =
            |columns: &[String]| columns.iter().any(|name| name.eq_ignore_ascii_case(owner));
        let conditions = clauses.conditions.iter();
        let bound: Vec<Bound> = conditions
            .filter(|condition| condition.column.eq_ignore_ascii_case(owner))
            .map(|condition| self.bound(condition, clauses, schema))
            .collect();
        let is_scoped = |scope: usize| {
            bound.iter().any(|bound| match bound {
                Bound::To(named) => *named == scope,
                Bound::Elsewhere => false,
                Bound::Unknown => true,
            })
        };
        for named in clauses.tables.iter().filter(|named| self.is(&named.name)) {
            let through = if named.name.eq_ignore_ascii_case(table) {
                String::new()
            } else {
                format!(" through the view {}", named.name)
            };
            let without = format!("without naming its owner column {owner}");
            let say = "say `unscoped = \"why\"` after the literal";
            if named.is_target && !lists(&clauses.inserted) {
                return Some((
                    format!("the statement inserts into {table}{through} {without}"),
                    format!("list {owner} among the columns that it inserts, or {say}"),
                ));
            }
            if named.is_target
                && clauses.overwrites
                && !lists(&clauses.conflict)
                && !is_scoped(named.scope)
            {
                return Some((
                    format!(
                        "the statement may overwrite a row of {table}{through} {without} in a condition"
                    ),
                    format!("write `do update … where {table}.{owner} = {{…}}`, or {say}"),
                ));
            }
            if !named.is_target && exempt != Some(named.scope) && !is_scoped(named.scope) {
                return Some((
                    format!("the statement touches {table}{through} {without} in a condition"),
                    format!("add `{owner} = {{…}}` to its `where`, or {say}"),
                ));
            }
        }
        None
    }

    fn bound(&self, condition: &Condition, clauses: &Clauses, schema: &Schema) -> Bound {
        for scope in clauses.outwards(condition.scope) {
            let mut tables = clauses.in_scope(scope);
            let found = match &condition.qualifier {
                Some(qualifier) => tables.find(|table| is_called(table, qualifier)),
                None => clauses
                    .in_scope(scope)
                    .find(|table| self.is(&table.name))
                    .or_else(|| {
                        tables.find(|table| schema.has_column(&table.name, &condition.column))
                    }),
            };
            match found {
                Some(table) if self.is(&table.name) => return Bound::To(scope),
                Some(table) if schema.has_column(&table.name, &condition.column) => {
                    return Bound::Elsewhere;
                }
                Some(_) => return Bound::Unknown,
                None => {}
            }
        }
        // The row that an insert would have made, and not the one that is there.
        match &condition.qualifier {
            Some(name) if name.eq_ignore_ascii_case("excluded") => Bound::Elsewhere,
            _ => Bound::Unknown,
        }
    }
}

fn is_called(table: &Table, qualifier: &str) -> bool {
    let name = table.alias.as_ref().unwrap_or(&table.name);
    name.eq_ignore_ascii_case(qualifier)
}

#[cfg(test)]
mod tests {
    use super::super::schema::Dialect;
    use super::*;

    const BOTH: [Dialect; 2] = [Dialect::Sqlite, Dialect::Postgres];

    fn check(sql: &str, dialect: Dialect, exempt: Option<usize>) -> Option<String> {
        let columns = [
            ("notes", "id"),
            ("notes", "owner_id"),
            ("notes", "tags"),
            ("shares", "owner_id"),
            ("tags", "id"),
        ];
        let views = [
            ("public_notes", "select * from all_notes where is_public"),
            ("all_notes", "SELECT n.id FROM main.notes n"),
            ("other", "select 'notes' from tags"),
        ];
        let schema = Schema::of(dialect, &columns, &views);
        let owned = Owned::new("notes", "owner_id", &schema);
        let fault = owned.fault(&Clauses::read(sql, dialect), exempt, &schema);
        fault.map(|(what, _)| what)
    }

    #[test]
    fn lets_through_what_names_the_owner() {
        for sql in [
            "select * from notes where id = $1 and owner_id = $2",
            "SELECT * FROM Notes WHERE Owner_Id = $1 ORDER BY id",
            "select n.* from main.notes n where (n.owner_id = $1 or n.id in (select x from y s where s.z = $1))",
            "select * from \"notes\" where \"owner_id\" = $1",
            "select * from notes n join shares s on s.note_id = n.id and s.owner_id = n.owner_id where s.x = $1",
            "select 1 from shares join notes using (owner_id) where owner_id = $1",
            "select 1 from notes n where exists (select 1 from a where a.id = n.owner_id and a.id = $1)",
            "select * from (select * from notes) n where n.owner_id = $1",
            "select * from (select * from notes) n where owner_id = $1",
            "with mine as (select * from notes where owner_id = $1) select * from mine where id = $2",
            "with mine as (select * from notes) select * from mine where mine.owner_id = $1",
            "select id from notes where owner_id = $1 union select id from notes where owner_id = $2",
            "insert into notes (id, owner_id) values ($1, $2) returning *",
            "insert into notes as n (id, \"owner_id\") select $1, $2 from tags",
            "insert into notes (owner_id) values ($1) on conflict do nothing",
            "insert into notes (id, owner_id) values ($1, $2) on conflict (owner_id, slug) do update set x = 1",
            "insert into notes (owner_id) values ($1) on conflict (id) do update set x = 1 where notes.owner_id = $1",
            "update notes set owner_id = $1 where id = $2 and owner_id = $3",
            "delete from notes where owner_id = $1",
            "insert into shares (note_id) select id from notes where owner_id = $1",
            // What is not the table.
            "select notes, 'notes' from shares -- from notes",
            "insert into shares (notes) values ($1)",
            "select * from other",
        ] {
            for dialect in BOTH {
                assert_eq!(check(sql, dialect, None), None, "{sql}");
            }
        }
    }

    #[test]
    fn finds_a_forgotten_owner() {
        for sql in [
            "select * from notes where id = $1",
            "select * from NOTES",
            "select * from \"notes\"",
            "select * from main.notes",
            "select * from main.\"notes\" as n where n.id = $1",
            "select 1 from a, notes",
            "select 1 from a left join notes n on n.id = a.id",
            "select * from (a join notes on true)",
            "with c as (select * from notes) select * from c where id = $1",
            "select (select max(id) from notes)",
            "select * from a where id in (select id from notes)",
            "with gone as (delete from notes returning id) select count(*) from gone",
            "select * from all_notes",
            "select * from public_notes where id = $1",
            // Named, and yet no condition.
            "select owner_id from notes",
            "select title as owner_id from notes where id = $1",
            "select * from notes where id = 'owner_id' -- owner_id = $1",
            "select * from notes /* where owner_id = $1 */",
            "select * from notes order by owner_id",
            "select count(*) from notes group by owner_id",
            "select count(*) filter (where owner_id = $1) from notes",
            "select case when owner_id = $1 then 1 end from notes",
            "update notes set owner_id = $1 where id = $2",
            "delete from notes where id = $1 returning owner_id",
            // Named of another table.
            "select * from notes n join shares s on s.note_id = n.id where s.owner_id = $1",
            "select * from shares where owner_id = $1 and note_id in (select id from notes)",
            "select * from notes where id in (select note_id from shares where owner_id = $1)",
            // Named once and forgotten once.
            "select id from notes where owner_id = $1 union all select id from notes",
            "select * from notes where owner_id = $1 and id in (select parent from notes)",
            "insert into notes (id, owner_id) select $1, $2 from notes where id = $3",
            "delete from notes where id = $1 or id in (select id from notes where owner_id = $2)",
        ] {
            for dialect in BOTH {
                let said =
                    check(sql, dialect, None).unwrap_or_else(|| panic!("let through: {sql}"));
                assert!(
                    said.starts_with("the statement touches notes"),
                    "{sql}: {said}"
                );
                assert!(
                    said.ends_with("without naming its owner column owner_id in a condition"),
                    "{said}"
                );
            }
        }
        assert_eq!(
            check("select * from public_notes", Dialect::Sqlite, None).as_deref(),
            Some(
                "the statement touches notes through the view public_notes without naming its owner column owner_id in a condition"
            ),
        );
    }

    #[test]
    fn knows_what_only_one_database_writes() {
        for (sql, dialect) in [
            ("select * from [notes]", Dialect::Sqlite),
            ("select * from `notes` n", Dialect::Sqlite),
            (
                "select title as [where], owner_id from notes",
                Dialect::Sqlite,
            ),
            (
                "select 1 from shares where note_id in notes",
                Dialect::Sqlite,
            ),
            ("select * from (table notes) n", Dialect::Postgres),
            ("delete from only notes", Dialect::Postgres),
            (
                r"select e'\' where owner_id = $1' from notes",
                Dialect::Postgres,
            ),
            (
                "delete from shares using notes where shares.owner_id = $1",
                Dialect::Postgres,
            ),
        ] {
            assert!(check(sql, dialect, None).is_some(), "let through: {sql}");
        }
    }

    #[test]
    fn finds_rows_that_are_inserted_or_overwritten_for_nobody() {
        let inserts = "the statement inserts into notes without naming its owner column owner_id";
        for sql in [
            "insert into notes (id) values ($1)",
            "insert into notes values ($1, $2)",
            "insert into notes (id) select id from shares where owner_id = $1",
            "insert into notes (id) values ($1) on conflict (owner_id) do nothing",
        ] {
            assert_eq!(
                check(sql, Dialect::Sqlite, None).as_deref(),
                Some(inserts),
                "{sql}"
            );
        }
        let overwrites = "the statement may overwrite a row of notes without naming its owner column owner_id in a condition";
        for sql in [
            "insert into notes (id, owner_id) values ($1, $2) on conflict (id) do update set title = $3",
            "insert or replace into notes (id, owner_id) values ($1, $2)",
            "insert into notes (id, owner_id) values ($1, $2) on conflict (id) do update set owner_id = $2
             where excluded.owner_id = $2",
        ] {
            assert_eq!(check(sql, Dialect::Sqlite, None).as_deref(), Some(overwrites), "{sql}");
        }
    }

    #[test]
    fn leaves_the_table_of_a_piece_to_its_statement_and_nothing_else() {
        let first = Some(super::super::clauses::FIRST_SCOPE);
        let piece = "select 1 from notes where title = $1";
        assert_eq!(check(piece, Dialect::Sqlite, first), None);
        let nested = "select 1 from shares where note_id in (select id from notes)";
        assert!(check(nested, Dialect::Sqlite, first).is_some());
    }
}
