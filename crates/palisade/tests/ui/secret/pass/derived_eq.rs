use palisade::secret::Secret;

struct Login {
    name: String,
    password: Secret<String>,
}

impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        let same =
            palisade::secret::compare::equal(self.password.expose(), other.password.expose());
        self.name == other.name && same
    }
}

fn main() {}
