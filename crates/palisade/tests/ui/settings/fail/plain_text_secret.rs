#[palisade::settings]
struct Settings {
    smtp_password: String,
}

fn main() {}
