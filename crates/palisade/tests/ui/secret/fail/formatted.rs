use palisade::secret::Secret;

fn header(key: &Secret<String>) -> String {
    format!("Bearer {key}")
}

fn main() {
    header(&"live_9f".into());
}
