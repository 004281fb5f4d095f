use palisade::secret::Secret;

#[palisade::settings]
struct Settings {
    api_key: Secret<String>,
}

fn main() {}
