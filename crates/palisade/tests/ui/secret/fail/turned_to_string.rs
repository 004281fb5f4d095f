use palisade::secret::Secret;

fn plain(key: Secret<String>) -> String {
    key.to_string()
}

fn main() {
    plain("live_9f".into());
}
