use palisade::error::problem;

#[problem]
enum Trouble {
    #[problem(status = 409, title = "{title} is taken")]
    Taken { title: String },
}

fn main() {
    let title = String::new();
    let _ = palisade::Error::from(Trouble::Taken { title });
}
