//! What of the literal is SQL, and what is a string, a quoted name or a comment.

/// The length of the string, quoted name or comment that starts here.
pub(super) fn quoted(rest: &str) -> Option<usize> {
    let end = |mark: &str, skip: usize| {
        rest[skip..]
            .find(mark)
            .map_or(rest.len(), |at| at + skip + mark.len())
    };
    if rest.starts_with('\'') {
        Some(end("'", 1))
    } else if rest.starts_with('"') {
        Some(end("\"", 1))
    } else if is_comment(rest) && rest.starts_with("--") {
        Some(end("\n", 2))
    } else if is_comment(rest) {
        Some(end("*/", 2))
    } else {
        None
    }
}

fn is_comment(rest: &str) -> bool {
    rest.starts_with("--") || rest.starts_with("/*")
}

/// The text with a blank in the place of each string, quoted name and comment.
pub(super) fn without_quotes(text: &str) -> String {
    let mut bare = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = quoted(rest);
        bare.push(if length.is_none() { first } else { ' ' });
        rest = &rest[length.unwrap_or(first.len_utf8())..];
    }
    bare
}

/// The keywords and names in lower case; a quoted name is one too, for a function may be called by it.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut bare = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = quoted(rest);
        let part = &rest[..length.unwrap_or(first.len_utf8())];
        match length {
            Some(_) if first != '"' => bare.push(' '),
            _ => bare.push_str(part),
        }
        rest = &rest[part.len()..];
    }
    bare.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}

/// Whether nothing follows but blanks and comments.
pub(super) fn is_end(text: &str) -> bool {
    let rest = text.trim_start();
    match quoted(rest) {
        Some(length) if is_comment(rest) => is_end(&rest[length..]),
        _ => rest.is_empty(),
    }
}

/// What one database would read in another way than the other does, or than we do.
pub(super) fn ambiguity(text: &str) -> Option<&'static str> {
    let mut before = ' ';
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = quoted(rest).unwrap_or(first.len_utf8());
        let part = &rest[..length];
        let after = &rest[length..];
        let starts_word = !before.is_alphanumeric() && before != '_';
        let found = match first {
            '$' => Some("a placeholder or a dollar-quoted string"),
            'e' | 'E' if starts_word && after.starts_with('\'') => {
                Some("a string with escapes, `E'…'`")
            }
            'u' | 'U' if starts_word && (after.starts_with("&'") || after.starts_with("&\"")) => {
                Some("a name or string with escapes, `U&…`")
            }
            '/' if part.len() > 2 && part[2..].contains("/*") => Some("a comment within a comment"),
            _ if part
                .chars()
                .any(|c| c.is_control() && c != '\n' && c != '\t') =>
            {
                Some("a control character")
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        before = part.chars().next_back().unwrap_or(first);
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_read_in_two_ways() {
        for text in [
            "select * from notes where id = $1",
            "select $$ notes $$",
            "select $tag$ where owner_id = 1 $tag$",
            r"select e'\'', 1 --'",
            "select 1 where E'x' = a",
            r#"select * from U&"\006eotes""#,
            "select u&'x'",
            "select 1 /* a /* b */ from notes */",
            "select 1 -- x\r from notes",
            "select 1\0 from notes",
        ] {
            assert!(ambiguity(text).is_some(), "{text}");
        }
        for text in [
            "select '$1', 'e''x', \"$\" -- $1 e'x'\n from notes\twhere the='x' and title like'x'",
            "select 1 /* one */ /* two */ + x'ff'",
            "select data->'$.a' from blue where a&b = 1 and menu&'1' <> 2",
        ] {
            assert_eq!(ambiguity(text), None, "{text}");
        }
    }

    #[test]
    fn takes_quoted_names_for_words_and_strings_for_none() {
        let text = "Select \"set_config\"('delete'), \"it's\" -- insert\n from /* update */ a_b";
        assert_eq!(
            words(text),
            ["select", "set_config", "it", "s", "from", "a_b"]
        );
    }

    #[test]
    fn takes_blanks_and_comments_for_the_end() {
        for text in ["", " \n", "-- done", " /* a */ -- b\n "] {
            assert!(is_end(text), "{text:?}");
        }
        for text in ["x", " /* a */ x", "'x'", "-- a\n;"] {
            assert!(!is_end(text), "{text:?}");
        }
    }

    #[test]
    fn leaves_strings_names_and_comments_out() {
        assert_eq!(
            without_quotes("a 'b' \"c\" -- d\ne /* f */ g"),
            "a      e   g"
        );
    }
}
