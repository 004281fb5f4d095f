//! Each compile error's code has its page, and each page's code is still in use.

use std::collections::BTreeMap;

use super::{Faults, Tree};

const SOURCES: [&str; 2] = ["crates/palisade/src/", "crates/palisade-macros/src/"];
const PAGES: &str = "docs/errors/";
const PARTS: [&str; 3] = ["\n## Why\n", "\n## Wrong\n", "\n## Right\n"];

pub(super) fn check(tree: &Tree, faults: &mut Faults) {
    let mut used: BTreeMap<&str, String> = BTreeMap::new();
    for folder in SOURCES {
        for (name, text) in tree.under(folder, ".rs") {
            for (line, text) in (1..).zip(text.lines()) {
                for code in codes(text) {
                    used.entry(code).or_insert_with(|| format!("{name}:{line}"));
                }
            }
        }
    }
    for (code, place) in &used {
        let page = format!("{PAGES}{code}.md");
        if !tree.has(&page) {
            faults.add(place, &format!("{code} has no page: write {page}"));
        }
    }
    for (name, text) in tree.under(PAGES, ".md") {
        let code = name.trim_start_matches(PAGES).trim_end_matches(".md");
        if !used.contains_key(code) {
            faults.add(name, "no source gives this code any more");
        }
        if !text.starts_with(&format!("# {code}: ")) {
            faults.add(name, &format!("begin with `# {code}: ` and what is wrong"));
        }
        let mut rest = text;
        for part in PARTS {
            let Some((_, after)) = rest.split_once(part) else {
                faults.add(
                    name,
                    &format!("`{}` is missing, or not in its place", part.trim()),
                );
                break;
            };
            rest = after;
        }
    }
}

/// The codes in a line: `P0` and three digits that stand alone.
fn codes(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| {
            word.len() == 5
                && word.starts_with("P0")
                && word[1..].bytes().all(|letter| letter.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::super::faults;
    use super::check;

    const SOURCE: (&str, &str) = ("crates/palisade-macros/src/a.rs", "\n\"P0101\"");
    const PAGE: &str = "# P0101: a title\n\n## Why\n\nx\n\n## Wrong\n\nx\n\n## Right\n\nx\n";

    #[test]
    fn finds_a_code_without_a_page() {
        let found = faults(check, &[SOURCE]);
        assert_eq!(
            found,
            ["crates/palisade-macros/src/a.rs:2: P0101 has no page: write docs/errors/P0101.md"]
        );
    }

    #[test]
    fn finds_a_page_that_no_source_gives() {
        let found = faults(check, &[("docs/errors/P0101.md", PAGE)]);
        assert_eq!(
            found,
            ["docs/errors/P0101.md: no source gives this code any more"]
        );
    }

    #[test]
    fn finds_a_page_without_its_parts() {
        assert_eq!(
            faults(check, &[SOURCE, ("docs/errors/P0101.md", PAGE)]),
            Vec::<String>::new()
        );
        for part in ["# P0101: a title", "## Why", "## Wrong", "## Right"] {
            let page = PAGE.replacen(part, "text", 1);
            assert_eq!(
                faults(check, &[SOURCE, ("docs/errors/P0101.md", &page)]).len(),
                1,
                "{part}"
            );
        }
    }

    #[test]
    fn takes_no_other_word_for_a_code() {
        assert_eq!(
            faults(
                check,
                &[(
                    "crates/palisade/src/a.rs",
                    "P01011 XP0101 P01_01 p0101 P0xxx"
                )]
            ),
            Vec::<String>::new()
        );
    }
}
