//! What the figures ought to be, and what they were when they were last accepted.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::load::{SCENARIOS, Scenario};
use super::peer::{BARE, PALISADE};
use super::report::{Report, rounded};
use super::told;

const ACCEPTED: &str = "bench/instructions.json";
/// How much more than accepted fails.
const TOLERANCE: f64 = 1.05;

/// Ratios that are not to be exceeded, for health, item, post and me.
const GOALS: [(Instrument, &str, [f64; 4]); 5] = [
    (Instrument::Instructions, BARE, [2.00, 1.25, 1.35, 1.00]),
    (Instrument::Processor, BARE, [1.40, 1.15, 1.30, 1.10]),
    (
        Instrument::Processor,
        "axum-assembled",
        [0.50, 0.85, 0.50, 0.50],
    ),
    (
        Instrument::Processor,
        "actix-assembled",
        [0.65, 0.90, 0.65, 0.65],
    ),
    (Instrument::Processor, "express", [0.25, 0.65, 0.25, 0.25]),
];
const MOST_MEMORY_KIB: u64 = 4 * 1024;
const MOST_START: f64 = 1.5;
const MOST_SIZE: f64 = 1.6;

#[derive(Clone, Copy)]
enum Instrument {
    Instructions,
    Processor,
}

struct Line {
    what: String,
    found: f64,
    goal: f64,
}

impl Line {
    fn met(&self) -> bool {
        self.found <= self.goal
    }
}

fn lines(report: &Report) -> Vec<Line> {
    let mut lines = Vec::new();
    for (instrument, against, goals) in GOALS {
        for (scenario, goal) in SCENARIOS.into_iter().zip(goals) {
            let (word, found) = match instrument {
                Instrument::Instructions => {
                    ("instructions", report.instruction_ratio(against, scenario))
                }
                Instrument::Processor => {
                    let spread = report.processor_ratio(PALISADE, against, scenario);
                    ("processor", spread.map(|spread| spread.median))
                }
            };
            let what = format!("{word} against {against}, {}", scenario.name());
            lines.extend(found.map(|found| Line { what, found, goal }));
        }
    }
    let ratio = |own: Option<f64>, bare: Option<f64>| Some(own? / bare?);
    let memory = report.memory_after(PALISADE).zip(report.memory_after(BARE));
    lines.extend(memory.map(|(own, bare)| Line {
        what: "memory over bare, KiB".to_owned(),
        found: own as f64 - bare as f64,
        goal: MOST_MEMORY_KIB as f64,
    }));
    let start = ratio(report.start_median(PALISADE), report.start_median(BARE));
    lines.extend(start.map(|found| Line {
        what: "start against bare".to_owned(),
        found,
        goal: MOST_START,
    }));
    let size = |name| report.stripped_bytes(name).map(|bytes| bytes as f64);
    lines.extend(ratio(size(PALISADE), size(BARE)).map(|found| Line {
        what: "stripped size against bare".to_owned(),
        found,
        goal: MOST_SIZE,
    }));
    lines
}

pub(super) fn table(report: &Report) -> String {
    let mut text = format!("{:<46}{:>10}{:>10}\n", "palisade", "found", "at most");
    for line in lines(report) {
        let word = if line.met() { "" } else { "  missed" };
        let _ = writeln!(
            text,
            "{:<46}{:>10.2}{:>10.2}{word}",
            line.what, line.found, line.goal
        );
    }
    text
}

pub(super) fn json(report: &Report) -> Value {
    let line = |line: Line| json!({ "what": line.what, "found": rounded(line.found), "at_most": line.goal, "met": line.met() });
    lines(report).into_iter().map(line).collect()
}

/// Writes the instruction ratios of this run as those to compare with.
pub(super) fn accept(root: &Path, report: &Report) -> Result<(), String> {
    let ratios: serde_json::Map<String, Value> = SCENARIOS
        .into_iter()
        .filter_map(|scenario| {
            let ratio = report.instruction_ratio(BARE, scenario)?;
            Some((scenario.name().to_owned(), json!(rounded(ratio))))
        })
        .collect();
    let text = format!("{:#}\n", json!({ "palisade against axum-bare": ratios }));
    fs::write(root.join(ACCEPTED), text).map_err(told(ACCEPTED))
}

/// Fails where a ratio is worse than the accepted one by more than the tolerance.
pub(super) fn check(root: &Path, report: &Report) -> Result<(), String> {
    let text = fs::read_to_string(root.join(ACCEPTED)).map_err(told(ACCEPTED))?;
    let accepted: Value =
        serde_json::from_str(&text).map_err(|error| format!("{ACCEPTED}: {error}"))?;
    compare(&accepted, |scenario| {
        report.instruction_ratio(BARE, scenario)
    })
}

fn compare(accepted: &Value, found: impl Fn(Scenario) -> Option<f64>) -> Result<(), String> {
    let mut faults = Vec::new();
    for scenario in SCENARIOS {
        let name = scenario.name();
        let before = accepted["palisade against axum-bare"][name].as_f64();
        let (Some(before), Some(now)) = (before, found(scenario)) else {
            faults.push(format!("{name}: nothing to compare"));
            continue;
        };
        if now > before * TOLERANCE {
            faults.push(format!(
                "{name}: {now:.3} times the instructions of bare axum, and {before:.3} was accepted"
            ));
        }
    }
    if faults.is_empty() {
        println!("no scenario is worse than {ACCEPTED} by more than 5 %");
        return Ok(());
    }
    Err(format!(
        "slower than {ACCEPTED}:\n  {}",
        faults.join("\n  ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_may_grow_by_a_twentieth_and_no_more() {
        let accepted = json!({ "palisade against axum-bare": { "health": 2.0, "item": 2.0, "post": 2.0, "me": 2.0, "account": 2.0 } });
        assert!(compare(&accepted, |_| Some(2.09)).is_ok());
        let fault = compare(&accepted, |scenario| {
            Some(if scenario == Scenario::Me { 2.11 } else { 1.0 })
        });
        assert!(fault.unwrap_err().contains("\n  me: 2.110 times"));
        assert!(compare(&accepted, |_| None).is_err());
        assert!(compare(&json!({}), |_| Some(1.0)).is_err());
    }
}
