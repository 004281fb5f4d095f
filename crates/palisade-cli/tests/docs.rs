//! `docs/command.md` shows the help of each command as it is; `PALISADE_ACCEPT=1` writes it anew.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

const ASKED: &str = "```console\npalisade ";

fn help(words: &[&str]) -> String {
    let mut command = Command::cargo_bin("palisade").unwrap();
    let output = command.args(words).arg("--help").output().unwrap();
    assert!(output.status.success(), "{words:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// The commands below one, as its help lists them.
fn below(words: &[&str]) -> Vec<String> {
    let help = help(words);
    let listed = help
        .split_once("\nCommands:\n")
        .map_or("", |(_, rest)| rest);
    let names = listed.lines().take_while(|line| !line.is_empty());
    let names = names.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn the_page_of_the_command_shows_its_help() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/command.md");
    let text = fs::read_to_string(&page).unwrap();
    let mut shown = Vec::new();
    let mut now = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(ASKED) {
        let (before, found) = rest.split_at(at + ASKED.len());
        let (line, after) = found.split_once('\n').unwrap();
        now += &format!("{before}{line}\n");
        rest = after;
        let Some(words) = line.strip_suffix("--help") else {
            continue;
        };
        let answer = rest
            .strip_prefix("```\n\n```text\n")
            .unwrap_or_else(|| panic!("no answer to `{line}`"));
        let (_, after) = answer.split_once("\n```\n").unwrap();
        let words: Vec<&str> = words.split_whitespace().collect();
        now += &format!("```\n\n```text\n{}```\n", help(&words));
        rest = after;
        shown.push(words.join(" "));
    }
    now += rest;
    if std::env::var_os("PALISADE_ACCEPT").is_some() {
        fs::write(&page, &now).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&page).unwrap(),
        now,
        "PALISADE_ACCEPT=1 writes it anew"
    );
    for name in below(&[]) {
        let below = below(&[&name]);
        let wanted = if below.is_empty() {
            vec![name]
        } else {
            below
                .iter()
                .map(|below| format!("{name} {below}"))
                .collect()
        };
        for command in wanted {
            assert!(
                shown.contains(&command),
                "docs/command.md does not show `palisade {command} --help`"
            );
        }
    }
}
