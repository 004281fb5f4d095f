//! SQL as words and marks: what stands in strings and comments is neither.

use super::schema::Dialect;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword or a name.
    Word { text: String, quoted: bool },
    /// A string, a number or a placeholder.
    Value,
    /// Any other sign.
    Mark(char),
}

impl Token {
    /// Whether it is this keyword, which a quoted name never is.
    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word { text, quoted: false } if text.eq_ignore_ascii_case(keyword))
    }

    pub(super) fn is_mark(&self, mark: char) -> bool {
        *self == Self::Mark(mark)
    }

    /// The keyword or name, when it is one.
    pub(super) fn word(&self) -> Option<&str> {
        match self {
            Self::Word { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// Takes the text apart. What the databases would read in two ways is refused by `sql!` (P0516), so it is not looked for here;
/// `E'…'` is, since PostgreSQL writes it into the text of a view.
pub(super) fn tokens(sql: &str, dialect: Dialect) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => string(rest, false),
            '"' | '`' => name(rest, first, &mut found),
            '[' if dialect == Dialect::Sqlite => name(rest, ']', &mut found),
            '-' if rest.starts_with("--") => end(rest, 2, "\n"),
            '/' if rest.starts_with("/*") => end(rest, 2, "*/"),
            'e' | 'E' if dialect == Dialect::Postgres && rest[1..].starts_with('\'') => {
                1 + string(&rest[1..], true)
            }
            _ if first.is_ascii_digit() || first == '$' => 1 + word(&rest[1..]),
            _ if is_part(first) => {
                let length = word(rest);
                found.push(Token::Word {
                    text: rest[..length].to_owned(),
                    quoted: false,
                });
                length
            }
            _ if first.is_whitespace() => first.len_utf8(),
            _ => {
                found.push(Token::Mark(first));
                first.len_utf8()
            }
        };
        if matches!(first, '\'' | '$') || first.is_ascii_digit() {
            found.push(Token::Value);
        }
        rest = &rest[length..];
    }
    found
}

/// Both databases take every sign beyond ASCII for a letter.
fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
}

fn word(text: &str) -> usize {
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}

fn end(text: &str, from: usize, mark: &str) -> usize {
    text[from..]
        .find(mark)
        .map_or(text.len(), |at| from + at + mark.len())
}

/// The length of the string that starts here; a doubled quote makes two strings, which comes to the same.
fn string(text: &str, escapes: bool) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == '\'' && !escaped {
            return at + 1;
        }
        escaped = escapes && c == '\\' && !escaped;
    }
    text.len()
}

/// The length of the quoted name that starts here; a doubled quote is one sign of it.
fn name(text: &str, quote: char, found: &mut Vec<Token>) -> usize {
    let mut name = String::new();
    let mut signs = text.char_indices().skip(1).peekable();
    let mut length = text.len();
    while let Some((at, c)) = signs.next() {
        if c != quote {
            name.push(c);
        } else if signs.peek().is_some_and(|(_, next)| *next == quote) {
            name.push(c);
            signs.next();
        } else {
            length = at + 1;
            break;
        }
    }
    found.push(Token::Word {
        text: name,
        quoted: true,
    });
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(sql: &str, dialect: Dialect) -> Vec<String> {
        let words = tokens(sql, dialect);
        words
            .iter()
            .filter_map(|token| token.word().map(str::to_owned))
            .collect()
    }

    #[test]
    fn reads_names_but_not_strings_and_comments() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let sql = "select 'it''s notes', \"no\"\"tes\" -- notes\n /* notes */ from x1 where a_b=$1and 2e5<ünotes";
            let expected = ["select", "no\"tes", "from", "x1", "where", "a_b", "ünotes"];
            assert_eq!(words(sql, dialect), expected);
            assert_eq!(words("select 'notes", dialect), ["select"]);
            assert_eq!(words("a /* notes", dialect), ["a"]);
        }
    }

    #[test]
    fn reads_the_quotes_of_each_database() {
        assert_eq!(words("[a b] `c d`", Dialect::Sqlite), ["a b", "c d"]);
        assert_eq!(words("x[notes]", Dialect::Postgres), ["x", "notes"]);
        let escaped = r"a = e'\'' or b = 'x'";
        assert_eq!(words(escaped, Dialect::Postgres), ["a", "or", "b"]);
        assert_eq!(words(r"'\' or b", Dialect::Postgres), ["or", "b"]);
        assert_eq!(words("like'x' and", Dialect::Postgres), ["like", "and"]);
    }
}
