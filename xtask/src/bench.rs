//! `cargo xtask bench`: palisade beside bare axum and what others are put together from, doing the same work on this machine.
//!
//! Two instruments. Instructions for one request, counted by callgrind: they hardly differ from run to run, and hold no work of
//! the kernel. Processor time for one request, over rounds in which every server has its turn: ratios are taken inside a round, so
//! that a busy machine disturbs both sides.

mod callgrind;
mod goals;
mod load;
mod peer;
mod probe;
mod report;
mod rounds;
mod server;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use peer::Peer;
use report::Report;
use server::Place;

pub(crate) const USAGE: &str = "\
cargo xtask bench         palisade beside its peers: instructions, processor time, memory, start, size
      --instructions      count instructions only
      --rounds N          rounds of processor time (8)
      --json FILE         write all figures to a file too
      --check             count palisade's instructions, and fail where they grew against bench/instructions.json
      --accept            count them, and write that file";

struct Options {
    instructions: bool,
    check: bool,
    accept: bool,
    rounds: usize,
    json: Option<PathBuf>,
}

impl Options {
    fn read(words: &[String]) -> Option<Self> {
        let mut options = Self {
            instructions: false,
            check: false,
            accept: false,
            rounds: 8,
            json: None,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--instructions" => options.instructions = true,
                "--check" => options.check = true,
                "--accept" => options.accept = true,
                "--rounds" => options.rounds = words.next()?.parse().ok().filter(|n| *n > 0)?,
                "--json" => options.json = Some(words.next()?.into()),
                _ => return None,
            }
        }
        Some(options)
    }
}

/// Measures, and prints one table.
pub(crate) fn run(root: &Path, words: &[String]) -> ExitCode {
    let Some(options) = Options::read(words) else {
        println!("{USAGE}");
        return ExitCode::from(2);
    };
    match measure(root, &options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            println!("\n{fault}");
            ExitCode::FAILURE
        }
    }
}

fn measure(root: &Path, options: &Options) -> Result<(), String> {
    let few = options.check || options.accept;
    let peers: Vec<Peer> = peer::ALL
        .into_iter()
        .filter(|peer| !few || [peer::PALISADE, peer::BARE].contains(&peer.name))
        .filter(|peer| !(options.instructions && peer.is_node()))
        .collect();
    let folder = tempfile::Builder::new()
        .prefix("palisade-bench-")
        .tempdir()
        .map_err(told("a temporary folder"))?;
    let load = load::build(root)?;
    let mut places = Vec::new();
    for peer in peers {
        println!(
            "{}: built, filled, asked whether it does what it claims",
            peer.name
        );
        match Place::prepare(root, peer, folder.path())? {
            Some(place) => places.push(place),
            None => println!("{}: skipped, there is no Node on this machine", peer.name),
        }
    }

    let mut report = Report::new(&places);
    if !few {
        for place in &places {
            report.size(place)?;
        }
    }
    callgrind::measure(&places, &load, &mut report)?;
    if !few && !options.instructions {
        rounds::starts(&places, &mut report)?;
        rounds::memory(&places, &load, &mut report)?;
        rounds::processor(&places, &load, options.rounds, &mut report)?;
    }
    println!("\n{}", report.table());
    if let Some(path) = &options.json {
        fs::write(path, report.json()).map_err(told("the report"))?;
    }
    if options.accept {
        return goals::accept(root, &report);
    }
    if options.check {
        return goals::check(root, &report);
    }
    Ok(())
}

fn told(what: &str) -> impl Fn(io::Error) -> String + '_ {
    move |error| format!("cannot have {what}: {error}")
}
