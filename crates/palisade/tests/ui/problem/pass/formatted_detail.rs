use palisade::Error;

fn missing(_name: &str) -> Error {
    Error::not_found().with_detail("there is no note of this name")
}

fn main() {
    missing("x");
}
