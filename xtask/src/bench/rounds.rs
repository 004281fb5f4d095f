//! Processor time, memory and the start, as the machine sees them.

use std::thread::sleep;
use std::time::Duration;

use super::load::{CONNECTIONS, Load, SCENARIOS};
use super::report::{Report, Round};
use super::server::{Place, Server};

const WINDOW: f64 = 1.5;
/// A server that gathers its log lines writes them in this time.
const QUIET: Duration = Duration::from_millis(200);
const STARTS: usize = 5;
/// Requests of each scenario before memory is read.
const LOAD: usize = 5000;

/// From the start of the program to its first answer, on a database that lacks nothing.
pub(super) fn starts(places: &[Place], report: &mut Report) -> Result<(), String> {
    for _ in 0..STARTS {
        for place in places {
            let server = place.start(&[])?;
            report.start(place.peer.name, server.answered_after);
            server.stop()?;
        }
    }
    Ok(())
}

/// Resident memory of a fresh server before and after every scenario.
pub(super) fn memory(places: &[Place], load: &Load, report: &mut Report) -> Result<(), String> {
    for place in places {
        let server = place.start(&[])?;
        let before = server.memory()?;
        for scenario in SCENARIOS {
            load.count(place, &server, scenario, CONNECTIONS, LOAD)?;
        }
        report.memory(place.peer.name, before, server.memory()?);
        server.stop()?;
    }
    Ok(())
}

/// All servers stay up; in each round each has its turn in each scenario, and another one begins.
pub(super) fn processor(
    places: &[Place],
    load: &Load,
    rounds: usize,
    report: &mut Report,
) -> Result<(), String> {
    let servers: Vec<Server> = places
        .iter()
        .map(|place| place.start(&[]))
        .collect::<Result<_, _>>()?;
    for (place, server) in places.iter().zip(&servers) {
        for scenario in SCENARIOS {
            load.count(place, server, scenario, CONNECTIONS, LOAD)?;
        }
    }
    for round in 0..rounds {
        println!("round {} of {rounds}", round + 1);
        for scenario in SCENARIOS {
            let turns = (0..places.len()).map(|turn| (turn + round) % places.len());
            for index in turns {
                let (place, server) = (&places[index], &servers[index]);
                let before = server.processor_time()?;
                let seen = load.for_seconds(place, server, scenario, WINDOW)?;
                sleep(QUIET);
                let used = server.processor_time()?.saturating_sub(before);
                let figures = Round {
                    micros: used.as_secs_f64() * 1e6 / seen.requests as f64,
                    per_second: seen.requests as f64 / seen.seconds,
                    p50: seen.p50,
                    p99: seen.p99,
                };
                report.round(place.peer.name, scenario, figures);
            }
        }
    }
    servers.into_iter().try_for_each(Server::stop)
}
