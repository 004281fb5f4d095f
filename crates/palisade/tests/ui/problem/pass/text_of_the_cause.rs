use palisade::Error;

fn hide(cause: std::io::Error) -> Error {
    Error::conflict("the file is in use").caused_by(cause)
}

fn main() {
    hide(std::io::Error::other("x"));
}
