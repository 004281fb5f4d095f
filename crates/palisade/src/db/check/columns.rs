//! The fields of a row type, compared with what the database gives for them.

use super::super::cell::Kind;
use super::super::row::ColumnInfo;
use super::clauses::Clauses;
use super::schema::{GivenColumn, Holds};

/// The fields that nothing is given for.
pub(super) fn missing(wanted: &[ColumnInfo], given: &[GivenColumn]) -> String {
    let lacks = |field: &&ColumnInfo| !given.iter().any(|column| column.name == field.name);
    let names: Vec<_> = wanted
        .iter()
        .filter(lacks)
        .map(|field| field.name)
        .collect();
    names.join(", ")
}

/// What is wrong with each field that is there, and what to do. Of what the database does not tell nothing is said.
pub(super) fn misfits(
    wanted: &[ColumnInfo],
    given: &[GivenColumn],
    clauses: Option<&Clauses>,
) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    for field in wanted {
        let name = field.name;
        let mut named = given.iter().filter(|column| column.name == name);
        let Some(column) = named.next() else { continue };
        if named.next().is_some() {
            faults.push((
                format!(
                    "the statement gives the column {name} twice, and the field reads one of them"
                ),
                "select one of them, or name it apart with `as`".to_owned(),
            ));
            continue;
        }
        if let Some(fault) = mismatch(field, column) {
            faults.push(fault);
        } else if !field.nullable
            && let Some(fault) = nullable(name, column, clauses)
        {
            faults.push(fault);
        }
    }
    faults
}

fn mismatch(field: &ColumnInfo, column: &GivenColumn) -> Option<(String, String)> {
    let (name, wanted) = (field.name, field.kind?);
    let holds = match &column.holds {
        #[cfg(feature = "postgres")]
        Holds::Exactly(held) if !fits(wanted, *held) => held.to_string(),
        #[cfg(feature = "sqlite")]
        Holds::Mostly(held) if wanted != Kind::Bytes && !fits(wanted, *held) => held.to_string(),
        #[cfg(feature = "postgres")]
        Holds::Foreign(declared) => {
            return Some((
                format!("the column {name} is of the type {declared}, which no field reads"),
                "cast it in the statement: `cast(… as bigint)`".to_owned(),
            ));
        }
        _ => return None,
    };
    Some((
        format!("the column {name} holds {holds}, and the field reads {wanted}"),
        format!("give the field `{name}` another type, or the column in a migration"),
    ))
}

/// What [`Column::read`](super::super::cell::Column::read) takes.
fn fits(wanted: Kind, held: Kind) -> bool {
    wanted == held
        || matches!(
            (wanted, held),
            (Kind::Float | Kind::Bool, Kind::Int)
                | (Kind::Text, Kind::Json)
                | (
                    Kind::Uuid | Kind::Time | Kind::Date | Kind::Json,
                    Kind::Text
                )
        )
}

fn nullable(
    name: &str,
    column: &GivenColumn,
    clauses: Option<&Clauses>,
) -> Option<(String, String)> {
    let origin = column.origin.as_ref()?;
    let Some(clauses) = clauses else {
        return origin.nullable.then(|| {
            (
                format!("the column {name} may be null, and the field is not an option"),
                format!(
                    "make the field `{name}` an `Option`, or the column `not null` in a migration"
                ),
            )
        });
    };
    // What was written may be known not to be null, and what a condition names mostly is.
    let mut conditions = clauses.conditions.iter();
    if clauses.returns || conditions.any(|named| named.column.eq_ignore_ascii_case(&origin.name)) {
        return None;
    }
    if origin.nullable {
        return Some((
            format!("the statement may give null as {name}, and the field is not an option"),
            format!(
                "make the field `{name}` an `Option`, select `coalesce({}, …) as {name}`, or say `{} is not null`",
                origin.name, origin.name
            ),
        ));
    }
    let mut named = clauses
        .tables
        .iter()
        .filter(|table| table.name.eq_ignore_ascii_case(&origin.table));
    let is_optional = named.next().is_some_and(|table| table.is_optional) && named.next().is_none();
    is_optional.then(|| {
        (
            format!("the statement gives null as {name} where its outer join finds no row, and the field is not an option"),
            format!("make the field `{name}` an `Option`, or write an inner `join`"),
        )
    })
}
