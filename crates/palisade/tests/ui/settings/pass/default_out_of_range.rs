#[palisade::settings]
struct Settings {
    #[setting(default = 50, range = 1..=100)]
    per_page: u32,
}

fn main() {}
