#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

permissions! {
    Publish = "notes.publish";
}

const EDITOR: Role = Role::new("editor").may::<Publish>();

fn main() {}
