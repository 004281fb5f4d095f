use palisade::config::{Sources, load};

#[palisade::settings]
struct Settings {
    motto: String,
}

fn main() {
    load::<Settings>(&Sources::of_process());
}
