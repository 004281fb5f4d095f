use palisade::Error;

fn missing(_name: &str) -> Error {
    Error::not_found().with_detail(format!("there is no {_name}"))
}

fn main() {
    missing("x");
}
