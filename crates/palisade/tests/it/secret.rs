//! Keys that anybody can read somewhere are no keys.

use std::path::{Path, PathBuf};

use palisade::secret::key::Key;

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["target", ".git", "tests"].contains(&name.as_str()) {
            files(&path, into);
        } else if path.is_file() {
            into.push(path);
        }
    }
}

#[test]
fn no_page_example_or_template_of_ours_holds_a_key_that_production_takes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    files(&root, &mut found);
    assert!(found.len() > 50, "the repository was not found");
    for path in found {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        for part in text.split("SECRET_KEY").skip(1) {
            let value = part
                .trim_start_matches("_PREVIOUS")
                .trim_start_matches(['=', '"', '\'', ' ']);
            let end = value
                .find(|c: char| !(c.is_ascii_alphanumeric() || "+/=_-".contains(c)))
                .unwrap_or(value.len());
            let accepted = Key::parse(&value[..end]).is_ok_and(|key| !key.is_for_development());
            assert!(!accepted, "{}: a working key", path.display());
        }
    }
}

#[test]
fn two_generated_keys_differ() {
    let (a, b) = (Key::generate_text(), Key::generate_text());
    assert!(!palisade::secret::compare::equal(a.expose(), b.expose()));
}
