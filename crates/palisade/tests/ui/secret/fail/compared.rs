use palisade::secret::Secret;

fn same(given: &str, kept: Secret<String>) -> bool {
    kept == given
}

fn main() {
    same("a", "b".into());
}
