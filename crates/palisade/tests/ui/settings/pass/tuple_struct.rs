#[palisade::settings]
struct Settings {
    motto: String,
}

fn main() {}
