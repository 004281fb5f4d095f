#[palisade::settings]
struct Settings {
    #[setting(defualt = 20)]
    per_page: u32,
}

fn main() {}
