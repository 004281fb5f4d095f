//! Walks through a statement once, and notes what stands where.
//!
//! It knows no grammar beyond the words that begin a clause: the database has prepared the statement, so it is one.

use super::super::schema::Dialect;
use super::super::tokens::Token;
use super::{Clauses, Condition, Table};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    None,
    Select,
    Insert,
    Update,
    /// Also `merge`, which like it has a `using` that lists tables.
    Delete,
}

/// What a name means where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing that is asked for here.
    Other,
    /// A table comes next.
    Table,
    /// A table was named; its alias may come.
    Named,
    /// The target of an insert comes next.
    Target,
    /// The columns of an insert may come, in parentheses.
    Inserting,
    Inserted,
    /// The columns of `on conflict` may come, in parentheses.
    Conflicting,
    Conflict,
    Condition,
}

/// What stands between one pair of parentheses.
#[derive(Debug, Clone, Copy)]
struct Level {
    verb: Verb,
    place: Place,
    scope: usize,
    /// The scope that it stands in.
    outer: Option<usize>,
    /// Whether these are the parentheses of `filter (where …)`, which narrows a sum and not the rows.
    is_filter: bool,
}

const TOP: Level = Level {
    verb: Verb::None,
    place: Place::Other,
    scope: 0,
    outer: Some(0),
    is_filter: false,
};

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    /// Those around the current one, from the outside.
    levels: Vec<Level>,
    level: Level,
    /// Whether the next table is one that an outer join may not find.
    is_optional: bool,
    dialect: Dialect,
    found: Clauses,
}

pub(super) fn parse(tokens: &[Token], dialect: Dialect) -> Clauses {
    let mut parser = Parser {
        tokens,
        at: 0,
        levels: Vec::new(),
        level: TOP,
        is_optional: false,
        dialect,
        found: Clauses {
            parents: vec![None],
            ..Clauses::default()
        },
    };
    while parser.at < tokens.len() {
        parser.step();
    }
    parser.found
}

impl Parser<'_> {
    fn step(&mut self) {
        match &self.tokens[self.at] {
            Token::Mark('(') => self.open(),
            Token::Mark(')') => self.level = self.levels.pop().unwrap_or(TOP),
            // `from a, b`, and `from a join b on a.x = b.y, c`
            Token::Mark(',') if self.level.place == Place::Named => self.table_comes(),
            Token::Mark(',')
                if self.level.place == Place::Condition && self.level.verb != Verb::None =>
            {
                self.table_comes();
            }
            Token::Word { text, quoted } => {
                if *quoted || self.is_mark(1, '.') || !self.keyword(&text.to_ascii_lowercase()) {
                    self.name();
                }
            }
            Token::Value | Token::Mark(_) => {}
        }
        self.at += 1;
    }

    fn is(&self, ahead: usize, keyword: &str) -> bool {
        let token = self.tokens.get(self.at + ahead);
        token.is_some_and(|token| token.is(keyword))
    }

    fn is_mark(&self, ahead: usize, mark: char) -> bool {
        let token = self.tokens.get(self.at + ahead);
        token.is_some_and(|token| token.is_mark(mark))
    }

    fn before(&self, back: usize) -> Option<&Token> {
        self.tokens.get(self.at.checked_sub(back)?)
    }

    fn follows(&self, keywords: &[&str]) -> bool {
        let before = self.before(1);
        before.is_some_and(|token| keywords.iter().any(|keyword| token.is(keyword)))
    }

    /// Whether an operator comes, so that the word here is the name of a column and no keyword.
    fn is_compared(&self) -> bool {
        let next = self.tokens.get(self.at + 1);
        matches!(next, Some(Token::Mark(mark)) if *mark != '(')
            || ["is", "in", "like", "between"]
                .iter()
                .any(|word| self.is(1, word))
    }

    fn table_comes(&mut self) {
        self.level.place = Place::Table;
        self.is_optional = false;
    }

    fn open(&mut self) {
        let (is_filter, is_using) = (self.follows(&["filter"]), self.follows(&["using"]));
        let outer = self.level;
        let (within, after) = match outer.place {
            // `from (a join b)`, or a select
            Place::Table => (Place::Table, Place::Named),
            Place::Named if is_using => (Place::Condition, Place::Named),
            Place::Inserting => (Place::Inserted, Place::Other),
            Place::Conflicting => (Place::Conflict, Place::Other),
            Place::Condition => (Place::Condition, Place::Condition),
            place => (Place::Other, place),
        };
        let lists_tables = within == Place::Table;
        self.levels.push(Level {
            place: after,
            ..outer
        });
        self.level = Level {
            verb: if lists_tables { outer.verb } else { Verb::None },
            place: within,
            scope: outer.scope,
            outer: Some(outer.scope),
            is_filter,
        };
    }

    /// Opens a scope; the second half of a `union` has one of its own.
    fn verb(&mut self, verb: Verb, place: Place) {
        let outer = self.level.outer;
        self.level = Level {
            verb,
            place,
            scope: self.found.parents.len(),
            outer,
            is_filter: false,
        };
        self.found.parents.push(outer);
        self.is_optional = false;
    }

    /// Whether the word here is a keyword; what it begins is noted.
    fn keyword(&mut self, word: &str) -> bool {
        let Level {
            verb,
            place,
            is_filter,
            ..
        } = self.level;
        match word {
            "select" => self.verb(Verb::Select, Place::Other),
            "insert" | "delete" | "update" if self.follows(&["then"]) => {}
            "insert" => self.verb(Verb::Insert, Place::Other),
            "delete" | "merge" => self.verb(Verb::Delete, Place::Other),
            "update" if self.follows(&["do"]) => self.found.overwrites = true,
            "update" if self.follows(&["for", "key"]) => {}
            "update" => self.verb(Verb::Update, Place::Table),
            "replace" if verb == Verb::Insert && self.follows(&["or"]) => {
                self.found.overwrites = true
            }
            // `update or ignore notes`
            "or" if verb == Verb::Update && place == Place::Table => self.at += 1,
            "into" if verb == Verb::Insert => self.level.place = Place::Target,
            "into" if verb == Verb::Delete => self.table_comes(),
            // `extract(year from x)`, `is distinct from`
            "from" if verb == Verb::None || self.follows(&["distinct"]) => {}
            "from" => self.table_comes(),
            "join" => {
                let back = if self.follows(&["outer"]) { 2 } else { 1 };
                let before = self.before(back);
                let is_optional = before.is_some_and(|token| token.is("left") || token.is("full"));
                self.table_comes();
                self.is_optional = is_optional;
            }
            // PostgreSQL: `with c as (table notes)`
            "table" if !self.is_compared() => self.verb(Verb::Select, Place::Table),
            "using" if verb == Verb::Delete => self.table_comes(),
            "only" | "lateral" if place == Place::Table => {}
            "where" if is_filter => {}
            "where" | "on" | "having" => self.level.place = Place::Condition,
            "conflict" if self.follows(&["on"]) => self.level.place = Place::Conflicting,
            "returning" => {
                self.found.returns = true;
                self.level.place = Place::Other;
            }
            "set" | "group" | "order" | "limit" | "values" | "union" | "intersect" | "except" => {
                self.level.place = Place::Other;
            }
            "offset" | "fetch" | "window" | "for" | "do" if !self.is_compared() => {
                self.level.place = Place::Other;
            }
            // SQLite: `id in notes`
            "in" if self.dialect == Dialect::Sqlite => {
                let next = self.tokens.get(self.at + 1).and_then(Token::word);
                if let Some(name) = next.map(str::to_owned) {
                    self.table(name, false);
                }
            }
            "using" | "as" | "left" | "right" | "full" | "inner" | "cross" | "outer"
            | "natural" | "and" | "or" | "not" | "in" | "is" | "null" | "like" | "between"
            | "case" | "when" | "then" | "else" | "end" | "exists" | "distinct" | "all"
            | "default" => {}
            _ => return false,
        }
        true
    }

    fn table(&mut self, name: String, is_target: bool) {
        self.found.tables.push(Table {
            name,
            alias: None,
            scope: self.level.scope,
            is_target,
            is_optional: self.is_optional,
        });
    }

    /// A name, perhaps with those that it stands in: `main.notes`, `n.owner_id`. Ends at its last part.
    fn name(&mut self) {
        let is_alias = self.before(1).is_some_and(|token| token.word().is_some())
            && !(self.follows(&["as"]) && self.before(2).is_some_and(|token| token.is_mark(')')));
        let mut qualifier = None;
        while self.is_mark(1, '.')
            && self
                .tokens
                .get(self.at + 2)
                .is_some_and(|token| token.word().is_some())
        {
            qualifier = self.word();
            self.at += 2;
        }
        let Some(name) = self.word() else { return };
        let is_call = self.is_mark(1, '(');
        match self.level.place {
            // `from generate_series(1, 9)`
            Place::Table if is_call => self.level.place = Place::Named,
            Place::Table => {
                self.table(name, false);
                self.level.place = Place::Named;
            }
            Place::Target => {
                self.table(name, true);
                self.level.place = Place::Inserting;
            }
            Place::Named | Place::Inserting if is_alias && qualifier.is_none() => {
                let scope = self.level.scope;
                let last = self.found.tables.last_mut();
                if let Some(table) =
                    last.filter(|table| table.scope == scope && table.alias.is_none())
                {
                    table.alias = Some(name);
                }
            }
            Place::Inserted => self.found.inserted.push(name),
            Place::Conflict => self.found.conflict.push(name),
            Place::Condition if !is_call => {
                self.found.conditions.push(Condition {
                    qualifier,
                    column: name,
                    scope: self.level.scope,
                });
            }
            _ => {}
        }
    }

    fn word(&self) -> Option<String> {
        let word = self.tokens.get(self.at).and_then(Token::word);
        word.map(str::to_owned)
    }
}
