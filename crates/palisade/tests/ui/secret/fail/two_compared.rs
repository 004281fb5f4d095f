use palisade::secret::Secret;

fn changed(old: &Secret<String>, new: &Secret<String>) -> bool {
    old != new
}

fn main() {
    changed(&"a".into(), &"b".into());
}
