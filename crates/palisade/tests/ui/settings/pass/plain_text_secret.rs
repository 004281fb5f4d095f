use palisade::secret::Secret;

#[palisade::settings]
struct Settings {
    smtp_password: Secret<String>,
}

fn main() {}
