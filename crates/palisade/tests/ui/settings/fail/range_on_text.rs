#[palisade::settings]
struct Settings {
    #[setting(range = 1..=80)]
    motto: String,
}

fn main() {}
