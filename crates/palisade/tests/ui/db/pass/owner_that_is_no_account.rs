#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

struct Team;

#[resource(
    table = "notes",
    unowned = "a note belongs to a team, and its policy asks who is in it"
)]
struct Note {
    id: Id<Note>,
    team_id: Id<Team>,
}

fn main() {}
