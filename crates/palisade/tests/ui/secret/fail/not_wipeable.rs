use palisade::secret::Secret;

struct Card {
    number: String,
}

fn keep(card: Card) {
    let _kept = Secret::new(card);
}

fn main() {}
