#[palisade::settings]
struct Settings {
    #[setting(default = 20)]
    per_page: u32,
}

fn main() {}
