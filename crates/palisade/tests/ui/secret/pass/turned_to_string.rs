use palisade::secret::Secret;

fn plain(key: Secret<String>) -> String {
    key.expose().clone()
}

fn main() {
    plain("live_9f".into());
}
