//! A tutorial as a list of things to do. The rules are those of a reader:
//!
//! - a `console` block is typed, line by line; the `text` or `json` block after it is the answer;
//! - another block goes into the file that the sentence before it ends with: a new file, or `At the end of` one, or, as a
//!   `diff`, a change of one;
//! - a sentence with `Ctrl-C` ends what runs.

/// What a reader does.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Run {
        commands: Vec<String>,
        answer: Vec<String>,
    },
    Write {
        path: String,
        text: String,
    },
    Append {
        path: String,
        text: String,
    },
    Change {
        path: String,
        diff: Vec<String>,
    },
    Stop,
}

/// The steps of a page, each with the line that it begins at, or what no reader could follow.
pub(super) fn steps(page: &str) -> Result<Vec<(usize, Step)>, String> {
    let mut steps: Vec<(usize, Step)> = Vec::new();
    let mut paragraph = String::new();
    let mut lines = (1..).zip(page.lines().chain([""]));
    let mut begins = true;
    while let Some((number, line)) = lines.next() {
        let fence = line.strip_prefix("```");
        if (line.is_empty() || fence.is_some()) && !begins {
            begins = true;
            if paragraph.contains("Ctrl-C") {
                steps.push((number - 1, Step::Stop));
            }
        }
        if let Some(kind) = fence {
            let block: Vec<String> = lines
                .by_ref()
                .map(|(_, line)| line.to_owned())
                .take_while(|line| line != "```")
                .collect();
            let kind = kind.split(',').next().unwrap_or_default();
            let step = step(kind, block, &paragraph, steps.last_mut())
                .map_err(|wrong| format!("line {number}: {wrong}"))?;
            steps.extend(step.map(|step| (number, step)));
            paragraph.clear();
        } else if !line.is_empty() {
            if std::mem::take(&mut begins) {
                paragraph.clear();
            }
            paragraph += line;
            paragraph.push(' ');
        }
    }
    Ok(steps)
}

fn step(
    kind: &str,
    block: Vec<String>,
    sentence: &str,
    last: Option<&mut (usize, Step)>,
) -> Result<Option<Step>, String> {
    let text = || block.iter().map(|line| format!("{line}\n")).collect();
    match kind {
        "console" => {
            return Ok(Some(Step::Run {
                commands: block,
                answer: Vec::new(),
            }));
        }
        "text" | "json" => {
            return match last {
                Some((_, Step::Run { answer, .. })) if answer.is_empty() => {
                    *answer = block;
                    Ok(None)
                }
                _ => Err("an answer, and nothing was asked".to_owned()),
            };
        }
        _ => {}
    }
    let Some(path) = path(sentence) else {
        return Err(format!(
            "the sentence before this `{kind}` block does not end with its file, such as: in `src/main.rs`:"
        ));
    };
    Ok(Some(match kind {
        "diff" => Step::Change { path, diff: block },
        _ if sentence.contains("At the end of") => Step::Append { path, text: text() },
        _ => Step::Write { path, text: text() },
    }))
}

/// The file that a sentence ends with: … `src/main.rs`:
fn path(sentence: &str) -> Option<String> {
    let (_, path) = sentence.trim_end().strip_suffix("`:")?.rsplit_once('`')?;
    Some(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(page: &str) -> Vec<(usize, Step)> {
        steps(page).unwrap()
    }

    #[test]
    fn reads_commands_their_answer_and_the_end() {
        let page =
            "Do:\n\n```console\na\nb\n```\n\nIt says:\n\n```text\nx\n```\n\nEnd it with Ctrl-C.\n";
        let run = Step::Run {
            commands: vec!["a".to_owned(), "b".to_owned()],
            answer: vec!["x".to_owned()],
        };
        assert_eq!(kinds(page), [(3, run), (14, Step::Stop)]);
    }

    #[test]
    fn takes_the_file_from_the_sentence_before() {
        let page = "Not `a.rs`:\n\nThis is\n`b.rs`:\n\n```rust,compile_fail\nfn b() {}\n```\n\nAt the end of `b.rs`:\n\n```rust\nfn c() {}\n```\nIn `b.rs`:\n```diff\n-x\n+y\n```";
        let path = "b.rs".to_owned();
        let expected = [
            Step::Write {
                path: path.clone(),
                text: "fn b() {}\n".to_owned(),
            },
            Step::Append {
                path: path.clone(),
                text: "fn c() {}\n".to_owned(),
            },
            Step::Change {
                path,
                diff: vec!["-x".to_owned(), "+y".to_owned()],
            },
        ];
        let found: Vec<Step> = kinds(page).into_iter().map(|(_, step)| step).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn finds_what_no_reader_could_follow() {
        let lost = "Somewhere:\n\n```rust\nfn b() {}\n```\n";
        assert!(steps(lost).unwrap_err().starts_with("line 3: the sentence"));
        let unasked = "```text\nx\n```\n";
        assert!(steps(unasked).unwrap_err().starts_with("line 1: an answer"));
    }
}
