//! Says what is embedded, so that a change of it builds the command anew.

fn main() {
    for embedded in ["templates", "docs/errors", "Cargo.lock"] {
        println!("cargo:rerun-if-changed=../../{embedded}");
    }
}
