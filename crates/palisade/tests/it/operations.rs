//! The guide to operations, its alert rules, and the code say the same.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use palisade::event::Event;
use saphyr::{LoadableYamlNode as _, YamlOwned};

const GUIDE: &str = include_str!("../../../../docs/operations.md");
const ALERTS: &str = include_str!("../../../../docs/alerts.yml");
const ALERT_TESTS: &str = include_str!("../../../../docs/alerts.test.yml");

/// The rows of the tables whose second column is one of these words: the name of each, and its row.
fn rows(second: &[&str]) -> Vec<(&'static str, Vec<&'static str>)> {
    let cells = GUIDE.lines().filter_map(|line| {
        let cells: Vec<&str> = line
            .strip_prefix("| `")?
            .split('|')
            .map(str::trim)
            .collect();
        let name = cells.first()?.trim_end_matches('`');
        second
            .contains(cells.get(1)?)
            .then(|| (name, cells.clone()))
    });
    cells.collect()
}

fn metrics() -> Vec<(&'static str, Vec<&'static str>)> {
    rows(&["counter", "gauge", "histogram"])
}

#[test]
fn lists_every_event() {
    let listed: Vec<&str> = rows(&["info", "warn"])
        .iter()
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(listed, Event::NAMES);
    let each: BTreeSet<_> = Event::NAMES.iter().collect();
    assert_eq!(each.len(), Event::NAMES.len(), "a name stands twice");
}

fn list<'a>(node: &'a YamlOwned, name: &str) -> &'a [YamlOwned] {
    let list = node.as_mapping_get(name).and_then(YamlOwned::as_sequence);
    list.unwrap_or_else(|| panic!("no list {name} in {node:?}"))
}

fn text<'a>(node: &'a YamlOwned, name: &str) -> &'a str {
    let text = node.as_mapping_get(name).and_then(YamlOwned::as_str);
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| panic!("no text {name} in {node:?}"))
}

/// The rules: name and expression.
fn rules() -> Vec<(String, String)> {
    let documents = YamlOwned::load_from_str(ALERTS).expect("YAML");
    let [document] = &documents[..] else {
        panic!("one document")
    };
    let mut rules = Vec::new();
    for rule in list(document, "groups")
        .iter()
        .flat_map(|group| list(group, "rules"))
    {
        let name = text(rule, "alert");
        let part = |of: &str| {
            let part = rule.as_mapping_get(of);
            part.unwrap_or_else(|| panic!("{name}: no {of}"))
        };
        let severity = text(part("labels"), "severity");
        assert!(["page", "ticket"].contains(&severity), "{name}: {severity}");
        text(part("annotations"), "summary");
        text(part("annotations"), "description");
        rules.push((name.to_owned(), text(rule, "expr").to_owned()));
    }
    rules
}

/// The selectors of an expression: a metric and its matchers, `palisade_events_total` and `event="sys_crash"`.
fn selectors(expression: &str) -> Vec<(&str, Vec<(&str, &str)>)> {
    let mut found = Vec::new();
    let starts = ["palisade_", "process_"]
        .iter()
        .flat_map(|start| expression.match_indices(start));
    for (at, _) in starts {
        let rest = &expression[at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
        let matchers = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let matchers = matchers.map_or("", |(matchers, _)| matchers);
        let matchers = matchers
            .split(", ")
            .filter(|matcher| !matcher.is_empty())
            .map(|matcher| {
                let (label, value) = matcher.split_once('=').expect("a matcher");
                (label, value.trim_start_matches('~').trim_matches('"'))
            });
        found.push((name, matchers.collect()));
    }
    found
}

#[test]
fn alerts_name_what_there_is() {
    let metrics = metrics();
    let rules = rules();
    assert!(rules.len() >= 12, "{}", rules.len());
    for (name, expression) in &rules {
        let selectors = selectors(expression);
        assert!(!selectors.is_empty(), "{name}: {expression}");
        for (metric, matchers) in selectors {
            let row = metrics.iter().find(|(own, cells)| {
                let parts = ["_bucket", "_sum", "_count"];
                let part = || {
                    parts
                        .iter()
                        .any(|part| metric.strip_suffix(part) == Some(own))
                };
                metric == *own || cells[1] == "histogram" && part()
            });
            let (_, cells) = row.unwrap_or_else(|| panic!("{name}: no metric {metric}"));
            for (label, values) in matchers {
                assert!(
                    cells[2].contains(&format!("`{label}`")),
                    "{name}: {metric} has no label {label}"
                );
                for value in values.split('|') {
                    let known = match label {
                        "event" => Event::NAMES.contains(&value),
                        "class" => value == "5xx",
                        "status" => ["401", "403", "429"].contains(&value),
                        "limit" => ["sign-in", "sign-up"].contains(&value),
                        _ => false,
                    };
                    assert!(known, "{name}: no {label} {value}");
                }
            }
        }
    }
    for subject in [
        "401",
        "403",
        "429",
        "5xx",
        "sign-in",
        "authn_login_lock",
        "certificate_kept",
        "shed",
        "sys_crash",
        "dropped",
    ] {
        let told = |(_, expression): &(String, String)| expression.contains(subject);
        assert!(rules.iter().any(told), "no alert for {subject}");
    }
}

#[test]
fn every_alert_is_shown_to_fire() {
    YamlOwned::load_from_str(ALERT_TESTS).expect("YAML");
    for (name, _) in rules() {
        let fires = format!("alertname: {name}\n        exp_alerts:\n          - exp_labels:");
        assert!(ALERT_TESTS.contains(&fires), "{name}");
    }
}

/// Prometheus' own judgement, where it is installed; Debian has it in a package of 96 MB alone, so it is not fetched for this.
#[test]
fn prometheus_takes_the_rules_where_it_is_there() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for arguments in [
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts.test.yml"],
    ] {
        let Ok(output) = Command::new("promtool")
            .args(arguments)
            .current_dir(&docs)
            .output()
        else {
            println!(
                "promtool is not installed; the rules were checked by the tests beside this one"
            );
            return;
        };
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success(),
            "{arguments:?}: {told}{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}
