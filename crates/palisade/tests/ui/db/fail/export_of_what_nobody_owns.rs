#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[resource(table = "tags", unowned = "every account reads every tag", export = TagView)]
struct Tag {
    id: Id<Tag>,
    name: String,
}

#[output(from = Tag)]
struct TagView {
    name: String,
}

fn main() {}
