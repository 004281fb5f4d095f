use palisade::config::{Sources, load};

struct Settings {
    motto: String,
}

fn main() {
    load::<Settings>(&Sources::of_process());
}
