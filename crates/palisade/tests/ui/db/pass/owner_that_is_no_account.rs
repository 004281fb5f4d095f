#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

struct Team;

#[resource(table = "notes", owner = "team_id")]
struct Note {
    id: Id<Note>,
    team_id: Id<Team>,
}

fn main() {}
