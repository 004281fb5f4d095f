//! The names of a resource and of what is in it: what Rust, both databases and a URL take alike.

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};

use crate::Failure;
use crate::new::KEYWORDS;

/// Longer ones would break the lines of what is written.
const LONGEST: usize = 28;

/// Words that a statement cannot use as a plain name, on SQLite or on PostgreSQL, and those that `sql!` takes for writing.
#[rustfmt::skip]
const OF_SQL: &[&str] = &[
    "add", "all", "alter", "analyse", "analyze", "and", "any", "array", "as", "asc",
    "asymmetric", "authorization", "autoincrement", "between", "binary", "both", "case", "cast",
    "check", "cmax", "cmin", "collate", "collation", "column", "commit", "concurrently",
    "constraint", "create", "cross", "ctid", "current_catalog", "current_date", "current_role",
    "current_schema", "current_time", "current_timestamp", "current_user", "default",
    "deferrable", "delete", "desc", "distinct", "do", "drop", "else", "end", "escape", "except",
    "exists", "false", "fetch", "for", "foreign", "freeze", "from", "full", "grant", "group",
    "having", "if", "ilike", "in", "index", "initially", "inner", "insert", "intersect", "into",
    "is", "isnull", "join", "lateral", "leading", "left", "like", "limit", "localtime",
    "localtimestamp", "merge", "natural", "nextval", "not", "nothing", "notnull", "null",
    "offset", "oid", "on", "only", "or", "order", "outer", "overlaps", "pg_notify", "placing",
    "primary", "raise", "references", "returning", "right", "rowid", "select", "session_user",
    "set", "setval", "similar", "some", "symmetric", "table", "tableoid", "tablesample", "then",
    "to", "trailing", "transaction", "true", "truncate", "union", "unique", "update", "user",
    "using", "values", "variadic", "verbose", "when", "where", "window", "with", "xmax", "xmin",
];

/// Types that what is written uses itself, so that a resource cannot be called so.
#[rustfmt::skip]
const USED_TYPES: &[&str] = &[
    "Account", "Action", "Actor", "App", "Can", "Change", "Created", "Date", "Db", "Delete",
    "Edit", "Email", "Id", "Int", "Json", "List", "NoContent", "Ok", "Option", "Page",
    "PageRequest", "Permission", "Permit", "Read", "ReadDb", "Refusal", "Result", "RichText",
    "Role", "Routes", "Settings", "SignedIn", "Slug", "String", "Set", "Text", "Timestamp",
    "Url",
];

/// Modules and crates that a service has already.
#[rustfmt::skip]
const USED_MODULES: &[&str] = &[
    "auth", "bin", "core", "garde", "lib", "main", "palisade", "serde_json", "server", "std",
];

/// How one thing and several of them are called, everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    /// `line_item`: the variable and the path's parameter.
    pub(crate) one: String,
    /// `line_items`: the table and the module.
    pub(crate) many: String,
    /// `LineItem`: the type.
    pub(crate) ty: String,
}

impl Words {
    /// The names that follow from `line_item`.
    pub(crate) fn of(one: &str, many: Option<&str>) -> Result<Self, Failure> {
        let refused =
            |wrong: &str| Failure::usage(format!("`{one}` cannot be a resource's name: {wrong}."));
        if let Some(wrong) = not_snake(one) {
            return Err(refused(&wrong));
        }
        if one.len() > LONGEST {
            return Err(refused(&format!("it is longer than {LONGEST} letters")));
        }
        if KEYWORDS.contains(&one) {
            return Err(refused("it is a keyword of Rust"));
        }
        let ty = one.to_upper_camel_case();
        if USED_TYPES.contains(&ty.as_str()) {
            return Err(refused(&format!(
                "palisade has a `{ty}` that what is written needs"
            )));
        }
        if ty.to_snake_case() != one {
            return Err(refused(&format!(
                "its type would be `{ty}`, which is `{}` again",
                ty.to_snake_case()
            )));
        }
        let several =
            one.ends_with('s') && !["ss", "us", "is"].iter().any(|end| one.ends_with(*end));
        let many = match many {
            Some(many) => many.to_owned(),
            None if several => {
                let single = one.strip_suffix('s').unwrap_or(one);
                return Err(refused(&format!(
                    "it looks like several; give the name of one, such as `{single}`, or say what several are called with `--plural`"
                )));
            }
            None => plural(one),
        };
        if let Some(wrong) = not_a_table(&many) {
            return Err(Failure::usage(format!(
                "`{many}` cannot name the table: {wrong}; say another with `--plural`."
            )));
        }
        Ok(Self {
            one: one.to_owned(),
            many,
            ty,
        })
    }

    /// `/line-items`.
    pub(crate) fn path(&self) -> String {
        format!("/{}", self.many.replace('_', "-"))
    }

    /// `a line item`.
    pub(crate) fn a_one(&self) -> String {
        let article = if self.one.starts_with(['a', 'e', 'i', 'o', 'u']) {
            "an"
        } else {
            "a"
        };
        format!("{article} {}", self.one.replace('_', " "))
    }

    /// `Line items`.
    pub(crate) fn headline(&self) -> String {
        let words = self.many.replace('_', " ");
        let mut letters = words.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect()
    }
}

fn not_a_table(many: &str) -> Option<String> {
    if let Some(wrong) = not_snake(many) {
        Some(wrong)
    } else if many.len() > LONGEST + 4 {
        Some(format!("it is longer than {} letters", LONGEST + 4))
    } else if KEYWORDS.contains(&many) {
        Some("it is a keyword of Rust, and names the module too".to_owned())
    } else if OF_SQL.contains(&many) {
        Some("it is a word of SQL".to_owned())
    } else if USED_MODULES.contains(&many) {
        Some("it already names a module or a crate".to_owned())
    } else {
        ["palisade_", "sqlite_", "pg_"]
            .iter()
            .find(|prefix| many.starts_with(**prefix))
            .map(|prefix| format!("`{prefix}` begins the tables of others"))
    }
}

/// What is wrong with a name of a column.
pub(crate) fn not_a_column(name: &str) -> Option<String> {
    let longest = LONGEST + 12;
    if let Some(wrong) = not_snake(name) {
        Some(wrong)
    } else if name.len() > longest {
        Some(format!("it is longer than {longest} letters"))
    } else if KEYWORDS.contains(&name) {
        let other = if name == "type" {
            "kind".to_owned()
        } else {
            format!("{name}_value")
        };
        Some(format!(
            "it is a keyword of Rust; choose another name, such as `{other}`"
        ))
    } else if OF_SQL.contains(&name) {
        Some(format!(
            "it is a word of SQL; choose another name, such as `{name}_value`"
        ))
    } else {
        None
    }
}

/// What keeps it from being `snake_case`.
pub(crate) fn not_snake(name: &str) -> Option<String> {
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if name.is_empty() {
        Some("it is empty".to_owned())
    } else if !name.chars().all(plain) {
        let snake = name.to_snake_case();
        let hint = if snake != name && not_snake(&snake).is_none() {
            format!(", as in `{snake}`")
        } else {
            String::new()
        };
        Some(format!(
            "write it in the letters a to z, digits and `_`{hint}"
        ))
    } else if !name.starts_with(|letter: char| letter.is_ascii_lowercase()) {
        Some("it begins with no letter".to_owned())
    } else if name.ends_with('_') || name.contains("__") {
        Some("a `_` stands between two words, and once".to_owned())
    } else {
        None
    }
}

/// Simple English, of the last word.
fn plural(one: &str) -> String {
    const ODD: &[(&str, &str)] = &[
        ("person", "people"),
        ("child", "children"),
        ("woman", "women"),
        ("man", "men"),
    ];
    let (before, last) = one
        .rsplit_once('_')
        .map_or(("", one), |(before, last)| (before, last));
    let join = |last: &str| {
        if before.is_empty() {
            last.to_owned()
        } else {
            format!("{before}_{last}")
        }
    };
    if let Some((_, many)) = ODD.iter().find(|(one, _)| *one == last) {
        return join(many);
    }
    let stem = last
        .strip_suffix('y')
        .filter(|stem| stem.ends_with(|letter: char| !"aeiou".contains(letter)));
    match stem {
        Some(stem) => join(&format!("{stem}ies")),
        None if ["s", "x", "z", "ch", "sh"]
            .iter()
            .any(|end| last.ends_with(*end)) =>
        {
            join(&format!("{last}es"))
        }
        None => join(&format!("{last}s")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Words, plural};

    #[test]
    fn several_of_a_thing_are_called_in_simple_english() {
        for (one, many) in [
            ("note", "notes"),
            ("day", "days"),
            ("entry", "entries"),
            ("box", "boxes"),
            ("branch", "branches"),
            ("bus", "buses"),
            ("sales_person", "sales_people"),
            ("line_item", "line_items"),
        ] {
            assert_eq!(plural(one), many);
        }
    }

    #[test]
    fn the_words_follow_from_one() {
        let words = Words::of("line_item", None).ok().unwrap();
        assert_eq!(words.ty, "LineItem");
        assert_eq!(words.path(), "/line-items");
        assert_eq!(words.headline(), "Line items");
        assert_eq!(words.a_one(), "a line item");
        assert_eq!(Words::of("entry", None).ok().unwrap().a_one(), "an entry");
    }
}
