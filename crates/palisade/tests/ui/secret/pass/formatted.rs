use palisade::secret::Secret;

fn header(key: &Secret<String>) -> Secret<String> {
    Secret::new(format!("Bearer {}", key.expose()))
}

fn main() {
    header(&"live_9f".into());
}
