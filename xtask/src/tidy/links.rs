//! A link of a page leads somewhere.

use super::{Faults, Tree};

/// Every relative link of every page outside of its code.
pub(super) fn check(tree: &Tree, faults: &mut Faults) {
    for (page, text) in tree
        .under("", ".md")
        .filter(|(page, _)| !page.starts_with("templates/"))
    {
        for target in links(text) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains(':') {
                continue;
            }
            let found = resolve(page, path);
            let folder = format!("{found}/");
            if !tree.has(&found) && !tree.0.iter().any(|(name, _)| name.starts_with(&folder)) {
                faults.add(page, &format!("the link `{target}` leads to nothing"));
            }
        }
    }
}

fn links(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let targets = line.split("](").skip(1);
            found.extend(
                targets
                    .filter_map(|rest| rest.split_once(')'))
                    .map(|(target, _)| target),
            );
        }
    }
    found
}

/// The path from the root that a page's relative link means.
fn resolve(page: &str, link: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::faults;

    #[test]
    fn finds_a_link_that_leads_to_nothing() {
        let page = "See [a](../README.md#top), [b](gone.md), [c](https://example.org), [d](#here), [e](errors).\n\n```text\n[f](none.md)\n```\n";
        let files = [
            ("README.md", ""),
            ("docs/errors/P0101.md", ""),
            ("docs/page.md", page),
        ];
        assert_eq!(
            faults(check, &files),
            ["docs/page.md: the link `gone.md` leads to nothing"]
        );
    }
}
