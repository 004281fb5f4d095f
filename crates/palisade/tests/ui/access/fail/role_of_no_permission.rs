#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

struct Publish;

const EDITOR: Role = Role::new("editor").may::<Publish>();

fn main() {}
