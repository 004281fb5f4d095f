#[palisade::settings]
struct Settings {
    #[setting(length = 1..=80)]
    motto: String,
}

fn main() {}
