#[palisade::settings]
struct Settings(String);

fn main() {}
