//! Instructions of one request, counted by callgrind between two moments of a server that is warm.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::load::{Load, SCENARIOS, Scenario};
use super::report::Report;
use super::server::{Place, Server};
use super::told;

const WARM: usize = 300;
const COUNTED: usize = 1200;
/// What comes with time and not with requests, such as a writer's wake-ups, can only add: the lowest of so many counts is taken.
const TIMES: usize = 3;
const OUT: &str = "callgrind.out";

pub(super) fn measure(places: &[Place], load: &Load, report: &mut Report) -> Result<(), String> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Err("valgrind is not installed: instructions cannot be counted".to_owned());
    }
    for place in places.iter().filter(|place| !place.peer.is_node()) {
        let file = format!("--callgrind-out-file={}", place.folder.join(OUT).display());
        let server = place.start(&["valgrind", "--tool=callgrind", "--quiet", &file])?;
        let mut dumps = 0;
        for scenario in SCENARIOS {
            load.count(place, &server, scenario, 1, WARM)?;
            let mut lowest = u64::MAX;
            for _ in 0..TIMES {
                dumps += 1;
                let counted = count(place, &server, load, scenario, dumps)?;
                lowest = lowest.min(counted / COUNTED as u64);
            }
            let (name, what) = (place.peer.name, scenario.name());
            println!("{name}, {what}: {lowest} instructions a request");
            report.instructions(name, scenario, lowest);
        }
        server.stop()?;
    }
    Ok(())
}

fn count(
    place: &Place,
    server: &Server,
    load: &Load,
    scenario: Scenario,
    dump: usize,
) -> Result<u64, String> {
    control(server, &place.folder, "--zero")?;
    load.count(place, server, scenario, 1, COUNTED)?;
    control(server, &place.folder, "--dump")?;
    let file = place.folder.join(format!("{OUT}.{dump}"));
    let text = fs::read_to_string(file).map_err(told("callgrind's count"))?;
    total(&text).ok_or_else(|| "callgrind's file holds no total".to_owned())
}

fn control(server: &Server, folder: &Path, word: &str) -> Result<(), String> {
    let mut control = Command::new("callgrind_control");
    control
        .current_dir(folder)
        .args([word, &server.id().to_string()]);
    crate::steps::output(control)
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
        let text = "version: 1\nsummary: 41\nfn=(1)\ntotals: 42\n";
        assert_eq!(total(text), Some(42));
        assert_eq!(total("version: 1\n"), None);
    }
}
