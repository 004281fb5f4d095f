use palisade::prelude::*;

fn same(typed: Password, kept: String) -> bool {
    typed == kept
}

fn main() {}
