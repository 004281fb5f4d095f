#[palisade::settings]
struct Settings {
    patience: std::time::Duration,
}

fn main() {}
