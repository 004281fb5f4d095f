use palisade::secret::Secret;

#[derive(PartialEq)]
struct Login {
    name: String,
    password: Secret<String>,
}

fn main() {}
