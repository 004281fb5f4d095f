use palisade::secret::key::Key;

fn per_tenant(root: &Key, tenant: &str) -> [u8; 32] {
    root.derive("tenants").sign(tenant.as_bytes())
}

fn main() {}
