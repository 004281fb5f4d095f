use palisade::secret::Secret;

#[palisade::settings]
struct Settings {
    #[setting(default = "s3cr3t-of-all")]
    api_key: Secret<String>,
}

fn main() {}
