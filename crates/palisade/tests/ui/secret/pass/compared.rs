use palisade::secret::{Secret, compare};

fn same(given: &str, kept: Secret<String>) -> bool {
    compare::equal(kept.expose(), given)
}

fn main() {
    same("a", "b".into());
}
