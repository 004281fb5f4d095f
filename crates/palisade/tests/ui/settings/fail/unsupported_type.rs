#[palisade::settings]
struct Settings {
    started: std::time::Instant,
}

fn main() {}
