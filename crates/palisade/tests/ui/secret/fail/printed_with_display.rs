use palisade::secret::Secret;

fn main() {
    let password = Secret::from("correct horse");
    println!("signed in with {}", password);
}
