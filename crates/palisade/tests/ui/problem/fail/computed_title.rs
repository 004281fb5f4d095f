use palisade::error::problem;

#[problem]
enum Trouble {
    #[problem(status = 409, title = format!("{} is taken", "x"))]
    Taken,
}

fn main() {
    let _ = palisade::Error::from(Trouble::Taken);
}
