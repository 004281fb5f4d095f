//! Instructions of one request: what a run with more requests counts beyond one with fewer.

use std::fs;
use std::process::Command;

use super::load::{Load, SCENARIOS, Scenario};
use super::report::Report;
use super::server::Place;
use super::told;

const FEW: usize = 300;
const MANY: usize = 1500;

pub(super) fn measure(places: &[Place], load: &Load, report: &mut Report) -> Result<(), String> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Err("valgrind is not installed: instructions cannot be counted".to_owned());
    }
    for place in places.iter().filter(|place| !place.peer.is_node()) {
        for scenario in SCENARIOS {
            let few = count(place, load, scenario, FEW)?;
            let many = count(place, load, scenario, MANY)?;
            let each = many.saturating_sub(few) / (MANY - FEW) as u64;
            println!(
                "{}, {}: {each} instructions a request",
                place.peer.name,
                scenario.name()
            );
            report.instructions(place.peer.name, scenario, each);
        }
    }
    Ok(())
}

fn count(place: &Place, load: &Load, scenario: Scenario, requests: usize) -> Result<u64, String> {
    let out = place.folder.join("callgrind.out");
    let file = format!("--callgrind-out-file={}", out.display());
    let server = place.start(&["valgrind", "--tool=callgrind", "--quiet", &file])?;
    load.count(place, &server, scenario, 1, requests)?;
    server.stop()?;
    let text = fs::read_to_string(&out).map_err(told("callgrind's count"))?;
    total(&text).ok_or_else(|| "callgrind's file holds no total".to_owned())
}

fn total(text: &str) -> Option<u64> {
    let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    line("totals: ")
        .or_else(|| line("summary: "))?
        .trim()
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn reads_the_total_of_a_file() {
        assert_eq!(
            total("version: 1\nsummary: 41\nfn=(1)\ntotals: 42\n"),
            Some(42)
        );
        assert_eq!(total("version: 1\n"), None);
    }
}
