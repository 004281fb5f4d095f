#[palisade::settings]
struct Settings {
    #[setting(default = 500, range = 1..=100)]
    per_page: u32,
}

fn main() {}
