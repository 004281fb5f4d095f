use palisade::error::problem;

#[problem]
struct Taken;

fn main() {}
