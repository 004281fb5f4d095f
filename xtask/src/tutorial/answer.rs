//! Whether a program gave the answer that a page shows, and how a page's diff changes a file.

/// What differs each time, or is left out.
const REST: char = '…';

/// Whether these lines stand in what was said, one after the other. A line of its own, `…` stands for any lines, and inside a
/// line for any letters.
pub(crate) fn given(said: &str, answer: &[String]) -> bool {
    let said: Vec<&str> = said.lines().map(str::trim_end).collect();
    (0..said.len()).any(|start| follows(&said[start..], answer))
}

fn follows(said: &[&str], answer: &[String]) -> bool {
    match (answer.split_first(), said.split_first()) {
        (None, _) => true,
        (Some((line, rest)), _) if line.trim() == REST.to_string() => {
            (0..=said.len()).any(|start| follows(&said[start..], rest))
        }
        (Some((line, rest)), Some((first, said))) => alike(first, line) && follows(said, rest),
        (Some(_), None) => false,
    }
}

fn alike(said: &str, line: &str) -> bool {
    let Some((begin, rest)) = line.split_once(REST) else {
        return said == line;
    };
    let Some(mut left) = said.strip_prefix(begin) else {
        return false;
    };
    let mut pieces = rest.split(REST).peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return left.ends_with(piece);
        }
        match left.split_once(piece) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    true
}

/// The text with the change made. Each part of the diff begins at its `@@` line and must fit at exactly one place.
pub(super) fn changed(text: &str, diff: &[String]) -> Result<String, String> {
    let mut text = text.to_owned();
    for part in diff.split(|line| line.starts_with("@@")) {
        let (mut before, mut after) = (String::new(), String::new());
        for line in part {
            let (mark, code) = line.split_at_checked(1).unwrap_or((" ", ""));
            let code = format!("{code}\n");
            match mark {
                "-" => before += &code,
                "+" => after += &code,
                " " => {
                    before += &code;
                    after += &code;
                }
                _ => return Err(format!("`{line}` begins with neither ` `, `-` nor `+`")),
            }
        }
        match text.matches(&before).count() {
            _ if part.is_empty() => {}
            1 if !before.is_empty() => text = text.replacen(&before, &after, 1),
            places => return Err(format!("this fits at {places} places:\n{before}")),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn compares_whole_lines_in_their_order() {
        let said = "noise\none\ntwo  \nthree\nfour\n";
        for answer in ["one\ntwo\nthree", "one\n…\nfour", "t…o", "th…e…\nf…r", "…"] {
            assert!(given(said, &lines(answer)), "{answer}");
        }
        for answer in [
            "one\nthree",
            "on",
            "four\n…\none",
            "o…x",
            "th…x…\nfour",
            "five",
        ] {
            assert!(!given(said, &lines(answer)), "{answer}");
        }
        assert!(!given("{\"id\":\"1\"}", &lines("{\"id\":\"…\",\"n\":1}")));
    }

    #[test]
    fn makes_each_part_of_a_change_at_its_only_place() {
        let diff = lines("@@ top @@\n mod a;\n+mod b;\n@@ end @@\n-last\n+end");
        assert_eq!(
            changed("mod a;\nx\nlast\n", &diff).unwrap(),
            "mod a;\nmod b;\nx\nend\n"
        );
        assert!(
            changed("mod a;\nlast\nlast\n", &diff)
                .unwrap_err()
                .contains("2 places")
        );
        assert!(changed("mod a;\n", &diff).unwrap_err().contains("0 places"));
        assert!(changed("", &lines("+x")).is_err());
    }
}
