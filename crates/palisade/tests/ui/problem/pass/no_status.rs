use palisade::error::problem;

#[problem]
enum Trouble {
    #[problem(status = 409, title = "The title is taken")]
    Taken,
}

fn main() {
    let _ = palisade::Error::from(Trouble::Taken);
}
