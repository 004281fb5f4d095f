use palisade::secret::{Secret, compare};

fn changed(old: &Secret<String>, new: &Secret<String>) -> bool {
    !compare::equal(old.expose(), new.expose())
}

fn main() {
    changed(&"a".into(), &"b".into());
}
