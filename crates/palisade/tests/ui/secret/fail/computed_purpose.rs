use palisade::secret::key::Key;

fn per_tenant(root: &Key, tenant: &str) -> Key {
    root.derive(format!("tenant {tenant}"))
}

fn main() {}
