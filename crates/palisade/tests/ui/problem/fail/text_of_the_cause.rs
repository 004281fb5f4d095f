use palisade::Error;

fn hide(cause: std::io::Error) -> Error {
    Error::conflict(cause.to_string())
}

fn main() {
    hide(std::io::Error::other("x"));
}
