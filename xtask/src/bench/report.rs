//! All figures of a run, as one table and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::goals;
use super::load::{SCENARIOS, Scenario};
use super::peer::{BARE, PALISADE};
use super::server::Place;
use super::told;

type Name = &'static str;

#[derive(Default)]
pub(super) struct Report {
    names: Vec<Name>,
    instructions: BTreeMap<(Name, Scenario), u64>,
    rounds: BTreeMap<(Name, Scenario), Vec<Round>>,
    starts: BTreeMap<Name, Vec<f64>>,
    memory: BTreeMap<Name, (u64, u64)>,
    stripped: BTreeMap<Name, u64>,
}

/// One server's turn in one scenario.
pub(super) struct Round {
    pub(super) micros: f64,
    pub(super) per_second: f64,
    pub(super) p50: u64,
    pub(super) p99: u64,
}

/// A ratio over all rounds.
#[derive(Clone, Copy)]
pub(super) struct Spread {
    pub(super) median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        Some(Self {
            median: median(&values)?,
            min: *values.first()?,
            max: *values.last()?,
        })
    }

    fn json(self) -> Value {
        json!({ "median": rounded(self.median), "min": rounded(self.min), "max": rounded(self.max) })
    }
}

fn median(sorted: &[f64]) -> Option<f64> {
    let (low, high) = (
        sorted.get(sorted.len().checked_sub(1)? / 2)?,
        sorted.get(sorted.len() / 2)?,
    );
    Some((low + high) / 2.0)
}

pub(super) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

impl Report {
    pub(super) fn new(places: &[Place]) -> Self {
        Self {
            names: places.iter().map(|place| place.peer.name).collect(),
            ..Self::default()
        }
    }

    pub(super) fn instructions(&mut self, name: Name, scenario: Scenario, each: u64) {
        self.instructions.insert((name, scenario), each);
    }

    pub(super) fn round(&mut self, name: Name, scenario: Scenario, round: Round) {
        self.rounds.entry((name, scenario)).or_default().push(round);
    }

    pub(super) fn start(&mut self, name: Name, took: Duration) {
        self.starts
            .entry(name)
            .or_default()
            .push(took.as_secs_f64() * 1000.0);
    }

    pub(super) fn memory(&mut self, name: Name, before: u64, after: u64) {
        self.memory.insert(name, (before, after));
    }

    /// Bytes of the program without its symbols.
    pub(super) fn size(&mut self, place: &Place) -> Result<(), String> {
        let Some(binary) = place.binary() else {
            return Ok(());
        };
        let stripped = place.folder.join("stripped");
        let mut strip = Command::new("strip");
        strip.arg("-o").arg(&stripped).arg(binary);
        crate::steps::output(strip)?;
        let bytes = fs::metadata(&stripped).map_err(told("its size"))?.len();
        self.stripped.insert(place.peer.name, bytes);
        Ok(())
    }

    /// Instructions of palisade against those of another server.
    pub(super) fn instruction_ratio(&self, against: Name, scenario: Scenario) -> Option<f64> {
        let of = |name| {
            self.instructions
                .get(&(name, scenario))
                .map(|each| *each as f64)
        };
        Some(of(PALISADE)? / of(against)?)
    }

    /// Processor time of one server against that of another, round by round.
    pub(super) fn processor_ratio(
        &self,
        name: Name,
        against: Name,
        scenario: Scenario,
    ) -> Option<Spread> {
        let (own, other) = (
            self.rounds.get(&(name, scenario))?,
            self.rounds.get(&(against, scenario))?,
        );
        let ratios = own
            .iter()
            .zip(other)
            .map(|(own, other)| own.micros / other.micros);
        Spread::of(ratios.collect())
    }

    fn middle(&self, name: Name, scenario: Scenario, of: fn(&Round) -> f64) -> Option<f64> {
        let rounds = self.rounds.get(&(name, scenario))?;
        Spread::of(rounds.iter().map(of).collect()).map(|spread| spread.median)
    }

    pub(super) fn start_median(&self, name: Name) -> Option<f64> {
        Spread::of(self.starts.get(name)?.clone()).map(|spread| spread.median)
    }

    pub(super) fn memory_after(&self, name: Name) -> Option<u64> {
        self.memory.get(name).map(|(_, after)| *after)
    }

    pub(super) fn stripped_bytes(&self, name: Name) -> Option<u64> {
        self.stripped.get(name).copied()
    }

    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        if !self.instructions.is_empty() {
            let head = format!("instructions a request (against {BARE})");
            self.rows(&mut text, &head, |name, scenario| {
                let each = *self.instructions.get(&(name, scenario))?;
                let bare = *self.instructions.get(&(BARE, scenario))?;
                Some(format!("{each} ({:.2})", each as f64 / bare as f64))
            });
        }
        if !self.rounds.is_empty() {
            let head = format!("processor time a request, against {BARE}: median [min-max]");
            self.rows(&mut text, &head, |name, scenario| {
                let spread = self.processor_ratio(name, BARE, scenario)?;
                Some(format!(
                    "{:.2} [{:.2}-{:.2}]",
                    spread.median, spread.min, spread.max
                ))
            });
            self.rows(&mut text, "the same in microseconds", |name, scenario| {
                let micros = self.middle(name, scenario, |round| round.micros)?;
                Some(format!("{micros:.1}"))
            });
            self.rows(
                &mut text,
                "requests a second; p50, p99 in microseconds",
                |name, scenario| {
                    let per_second = self.middle(name, scenario, |round| round.per_second)?;
                    let p50 = self.middle(name, scenario, |round| round.p50 as f64)?;
                    let p99 = self.middle(name, scenario, |round| round.p99 as f64)?;
                    Some(format!("{per_second:.0}; {p50:.0}, {p99:.0}"))
                },
            );
        }
        if !self.stripped.is_empty() {
            let _ = writeln!(
                text,
                "{:<18}{:>16}{:>22}{:>16}",
                "", "stripped, KB", "memory idle-load, KiB", "start, ms"
            );
            for name in &self.names {
                let stripped = self
                    .stripped
                    .get(name)
                    .map(|bytes| format!("{}", bytes / 1000));
                let memory = self
                    .memory
                    .get(name)
                    .map(|(before, after)| format!("{before}-{after}"));
                let start = self.start_median(name).map(|ms| format!("{ms:.1}"));
                let shown = |cell: Option<String>| cell.unwrap_or_else(|| "-".to_owned());
                let _ = writeln!(
                    text,
                    "{name:<18}{:>16}{:>22}{:>16}",
                    shown(stripped),
                    shown(memory),
                    shown(start)
                );
            }
            text.push('\n');
        }
        text + &goals::table(self)
    }

    fn rows(&self, text: &mut String, head: &str, cell: impl Fn(Name, Scenario) -> Option<String>) {
        let _ = writeln!(text, "{head}");
        let _ = write!(text, "{:<18}", "");
        for scenario in SCENARIOS {
            let _ = write!(text, "{:>20}", scenario.name());
        }
        text.push('\n');
        for name in &self.names {
            let cells: Vec<_> = SCENARIOS
                .iter()
                .map(|scenario| cell(name, *scenario))
                .collect();
            if cells.iter().all(Option::is_none) {
                continue;
            }
            let _ = write!(text, "{name:<18}");
            for cell in cells {
                let _ = write!(text, "{:>20}", cell.unwrap_or_else(|| "-".to_owned()));
            }
            text.push('\n');
        }
        text.push('\n');
    }

    pub(super) fn json(&self) -> String {
        let mut peers = serde_json::Map::new();
        for name in &self.names {
            let mut scenarios = serde_json::Map::new();
            for scenario in SCENARIOS {
                let key = &(*name, scenario);
                let figures = json!({
                    "instructions": self.instructions.get(key),
                    "micros": self.middle(name, scenario, |round| round.micros).map(rounded),
                    "processor_against_bare": self.processor_ratio(name, BARE, scenario).map(Spread::json),
                    "palisade_against_this": self.processor_ratio(PALISADE, name, scenario).map(Spread::json),
                    "requests_per_second": self.middle(name, scenario, |round| round.per_second).map(f64::round),
                    "p50_micros": self.middle(name, scenario, |round| round.p50 as f64),
                    "p99_micros": self.middle(name, scenario, |round| round.p99 as f64),
                });
                scenarios.insert(scenario.name().to_owned(), figures);
            }
            let figures = json!({
                "scenarios": scenarios,
                "memory_kib": self.memory.get(name).map(|(before, after)| json!({ "idle": before, "after_load": after })),
                "start_ms": self.start_median(name).map(rounded),
                "stripped_bytes": self.stripped.get(name),
            });
            peers.insert((*name).to_owned(), figures);
        }
        let rounds = self.rounds.values().map(Vec::len).max().unwrap_or(0);
        let report = json!({ "rounds": rounds, "peers": peers, "goals": goals::json(self) });
        format!("{report:#}\n")
    }
}
