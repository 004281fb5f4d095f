//! Imports between the rooms of the core crate go downstairs only.

use std::collections::BTreeSet;
use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::{Faults, Tree};

const SOURCES: &str = "crates/palisade/src/";

/// Row 0 first. In a row, a room uses those to its left; rooms around a `|` do not know each other, faces all do.
const ROWS: [&[&str]; 10] = [
    &["secret", "|", "error"],
    &["config", "event"],
    &["db", "store", "input", "output", "mail"],
    &["access"],
    &["endpoint"],
    &["auth"],
    &["perimeter"],
    &["openapi"],
    &["app"],
    &["danger", "testing", "prelude", "__private", "lib"],
];

const FACES: usize = ROWS.len() - 1;

/// A use of another room: the line, and the path's first name below the crate.
struct Use {
    line: usize,
    name: String,
}

pub(super) fn check(tree: &Tree, faults: &mut Faults) {
    let mut tests = BTreeSet::new();
    let mut files = Vec::new();
    for (name, text) in tree.under(SOURCES, ".rs") {
        let module = module_of(name);
        let Ok(tokens) = TokenStream::from_str(text) else {
            faults.add(name, "is not Rust");
            continue;
        };
        let mut reader = Reader {
            tests: &mut tests,
            uses: Vec::new(),
        };
        reader.read(tokens, &module);
        files.push((name, module, reader.uses));
    }
    for (file, module, uses) in files {
        let room = module.first().map_or("lib", String::as_str);
        if place(room).is_none() {
            faults.add(file, &format!("the room `{room}` is not in the table; add it to `ROWS` in xtask/src/tidy/rooms.rs"));
            continue;
        }
        if (1..=module.len()).any(|depth| tests.contains(&module[..depth])) {
            continue;
        }
        for used in uses {
            let target = if place(&used.name).is_some() {
                used.name.as_str()
            } else {
                "lib"
            };
            if !may(room, target) {
                let wrong = format!(
                    "`{room}` may not import `{}`: imports go downstairs only",
                    shown(target, &used.name)
                );
                faults.add(&format!("{file}:{}", used.line), &wrong);
            }
        }
    }
}

fn shown(target: &str, name: &str) -> String {
    if target == "lib" {
        format!("crate::{name}")
    } else {
        target.to_owned()
    }
}

fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_start_matches(SOURCES).trim_end_matches(".rs");
    if path == "lib" {
        Vec::new()
    } else {
        path.split('/').map(str::to_owned).collect()
    }
}

fn place(room: &str) -> Option<(usize, usize)> {
    ROWS.iter()
        .enumerate()
        .find_map(|(row, rooms)| Some((row, rooms.iter().position(|name| *name == room)?)))
}

fn may(from: &str, to: &str) -> bool {
    let (Some((row, position)), Some((row_of_used, position_of_used))) = (place(from), place(to))
    else {
        return false;
    };
    let beside = position_of_used < position && !ROWS[row].contains(&"|") || row == FACES;
    from == to || row_of_used < row || row_of_used == row && beside
}

struct Reader<'a> {
    /// Modules that are declared under `#[cfg(test)]`.
    tests: &'a mut BTreeSet<Vec<String>>,
    uses: Vec<Use>,
}

impl Reader<'_> {
    fn read(&mut self, tokens: TokenStream, module: &[String]) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Punct(sign) if sign.as_char() == '#' => {
                    if let Some(TokenTree::Group(attribute)) = tokens.get(at + 1) {
                        at += 1;
                        if is_test(attribute) {
                            at = self.skip_item(&tokens, at + 1, module);
                        }
                    }
                }
                TokenTree::Ident(word) if word == "mod" => {
                    if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
                        (tokens.get(at + 1), tokens.get(at + 2))
                    {
                        let inner = [module, &[name.to_string()]].concat();
                        self.read(body.stream(), &inner);
                        at += 2;
                    }
                }
                TokenTree::Ident(_) => at = self.read_path(&tokens, at, module),
                TokenTree::Group(group) => self.read(group.stream(), module),
                _ => {}
            }
            at += 1;
        }
    }

    /// From after the attribute to the item's last token.
    fn skip_item(&mut self, tokens: &[TokenTree], mut at: usize, module: &[String]) -> usize {
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(word) if word == "mod" => {
                    if let Some(TokenTree::Ident(name)) = tokens.get(at + 1) {
                        self.tests.insert([module, &[name.to_string()]].concat());
                    }
                }
                TokenTree::Punct(sign) if sign.as_char() == ';' => return at,
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return at,
                _ => {}
            }
            at += 1;
        }
        at
    }

    /// A path that begins at `at`; answers where to go on, its last token that was understood.
    fn read_path(&mut self, tokens: &[TokenTree], mut at: usize, module: &[String]) -> usize {
        let climb = |word: &str| match word {
            "crate" | "palisade" => Some(0),
            "super" => module.len().checked_sub(1),
            _ => None,
        };
        let Some(mut depth) = climb(&tokens[at].to_string()) else {
            return at;
        };
        while is_separator(tokens, at + 1) {
            match tokens.get(at + 3) {
                Some(TokenTree::Ident(word)) if word == "super" => {
                    depth = depth.saturating_sub(1);
                    at += 3;
                }
                Some(token) => {
                    if depth == 0 {
                        self.add(token);
                    }
                    // A group is read once more for the paths in it that begin anew.
                    return at + 2;
                }
                None => return at,
            }
        }
        at
    }

    fn add(&mut self, token: &TokenTree) {
        let line = token.span().start().line;
        match token {
            TokenTree::Group(group) => {
                let mut first = true;
                for token in group.stream() {
                    if first {
                        self.add(&token);
                    }
                    first = matches!(&token, TokenTree::Punct(sign) if sign.as_char() == ',');
                }
            }
            token => self.uses.push(Use {
                line,
                name: token.to_string(),
            }),
        }
    }
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let colon =
        |at| matches!(tokens.get(at), Some(TokenTree::Punct(sign)) if sign.as_char() == ':');
    colon(at) && colon(at + 1)
}

fn is_test(attribute: &Group) -> bool {
    let text = attribute.stream().to_string();
    let mut words = text
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty());
    words.next() == Some("cfg")
        && words.clone().any(|word| word == "test")
        && !words.any(|word| word == "not")
}

#[cfg(test)]
mod tests {
    use super::super::faults;
    use super::check;

    fn check_file(file: &str, text: &str) -> Vec<String> {
        faults(check, &[(&format!("crates/palisade/src/{file}"), text)])
    }

    #[test]
    fn finds_an_import_from_a_higher_room() {
        let found = check_file(
            "db/row.rs",
            "//! x\nuse crate::error::Error;\nuse crate::access::Id;\n",
        );
        assert_eq!(
            found,
            [
                "crates/palisade/src/db/row.rs:3: `db` may not import `access`: imports go downstairs only"
            ]
        );
    }

    #[test]
    fn finds_it_in_a_group_in_a_body_in_a_macro_and_through_super() {
        for text in [
            "use crate::{error::Error, app::App};",
            "fn f() { crate::app::serve() }",
            "macro_rules! m { () => { $crate::app::serve() } }",
            "use super::super::app::App;",
            "mod inner { use super::super::super::app::App; }",
            "use ::palisade::app::App;",
            "fn f(app: crate::app::App) {}",
        ] {
            assert_eq!(check_file("db/row.rs", text).len(), 1, "{text}");
        }
        assert_eq!(check_file("db.rs", "use super::app::App;").len(), 1);
    }

    #[test]
    fn finds_a_neighbour_to_the_right_and_a_face() {
        assert_eq!(check_file("db.rs", "use crate::input::Field;").len(), 1);
        assert_eq!(check_file("input.rs", "use crate::db::Bind;").len(), 0);
        assert_eq!(
            check_file("error.rs", "use crate::secret::Secret;").len(),
            1
        );
        assert_eq!(check_file("app.rs", "use crate::prelude::*;").len(), 1);
        assert_eq!(check_file("testing.rs", "use crate::app::App;").len(), 0);
        assert_eq!(
            check_file("prelude.rs", "pub use crate::settings;").len(),
            0
        );
        assert_eq!(
            check_file("db.rs", "use crate::Result;"),
            [
                "crates/palisade/src/db.rs:1: `db` may not import `crate::Result`: imports go downstairs only"
            ]
        );
    }

    #[test]
    fn counts_neither_tests_nor_prose_nor_what_stays_inside() {
        for text in [
            "#[cfg(test)]\nmod tests { use crate::app::App; }",
            "#[cfg(test)]\nuse crate::app::App;\n",
            "#[cfg(all(test, feature = \"postgres\"))]\nmod tests { use crate::app::App; }",
            "/// See [`App`](crate::app::App).\nfn f() {}",
            "// crate::app\nconst TEXT: &str = \"crate::app::App\";",
            "use super::row::Row;\nuse crate::db::page::Page;",
            "mod inner { use super::super::row::Row; }",
        ] {
            assert_eq!(
                check_file("db/handle.rs", text),
                Vec::<String>::new(),
                "{text}"
            );
        }
        let outside = [
            ("crates/palisade/src/db.rs", "#[cfg(test)]\nmod tests;\n"),
            ("crates/palisade/src/db/tests.rs", "use crate::app::App;"),
        ];
        assert_eq!(faults(check, &outside), Vec::<String>::new());
    }

    #[test]
    fn counts_what_only_looks_like_a_test() {
        assert_eq!(
            check_file("db.rs", "#[cfg(not(test))]\nuse crate::app::App;").len(),
            1
        );
        assert_eq!(
            check_file(
                "db.rs",
                "#[cfg(feature = \"testing\")]\nuse crate::app::App;"
            )
            .len(),
            1
        );
    }

    #[test]
    fn finds_a_room_that_the_table_does_not_know() {
        let found = check_file("kitchen/sink.rs", "");
        assert!(
            found[0].contains("the room `kitchen` is not in the table"),
            "{found:?}"
        );
    }
}
