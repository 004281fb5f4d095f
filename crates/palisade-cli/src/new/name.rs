//! The name of a service: what cargo, Rust and the file system take alike.

use std::path::Path;

use crate::Failure;

/// Words that cannot name a crate: keywords of the 2024 edition, kept ones too.
pub(crate) const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Crates that the service or the compiler knows under this name, folders of a build, and devices of Windows.
const TAKEN: &[&str] = &[
    "alloc",
    "core",
    "garde",
    "palisade",
    "proc_macro",
    "serde_json",
    "std",
    "test",
    "build",
    "deps",
    "examples",
    "incremental",
    "aux",
    "con",
    "nul",
    "prn",
];

const LONGEST: usize = 64;

/// The name that the last part of the path gives.
pub(super) fn of(folder: &Path) -> Result<String, Failure> {
    let Some(name) = folder.file_name() else {
        return Err(Failure::usage(format!(
            "`{}` has no name at its end: give a folder to make, such as `hello`.",
            folder.display()
        )));
    };
    let name = name.to_string_lossy();
    match wrong(&name) {
        Some(wrong) => Err(Failure::usage(format!(
            "`{name}` cannot be a service's name: {wrong}."
        ))),
        None => Ok(name.into_owned()),
    }
}

fn wrong(name: &str) -> Option<&'static str> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let word = name.to_ascii_lowercase().replace('-', "_");
    if !name.is_ascii() {
        Some("use the letters a to z, digits, `-` and `_`")
    } else if name.starts_with(|letter: char| letter.is_ascii_digit()) {
        Some("it begins with a digit, and a crate's name begins with a letter")
    } else if !name.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        Some("a crate's name begins with a letter")
    } else if !name.chars().all(plain) {
        Some("use the letters a to z, digits, `-` and `_`")
    } else if name.len() > LONGEST {
        Some("it is longer than 64 letters")
    } else if KEYWORDS.contains(&word.as_str()) {
        Some("it is a keyword of Rust")
    } else if TAKEN.contains(&word.as_str()) {
        Some("it already names something that a build needs")
    } else {
        None
    }
}
