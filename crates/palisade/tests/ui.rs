//! What must not compile: each case gives one coded error, and its twin under `pass/` shows the smallest cure (all of them are
//! compiled by `cures.rs`).

use std::fs;
use std::path::{Path, PathBuf};

/// Cases at least, so that none is lost in silence.
const FLOOR: usize = 110;

/// The file that compiles the twins.
const CURES: &str = include_str!("cures.rs");

fn cases() -> Vec<PathBuf> {
    let rooms = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui"))
        .expect("tests/ui is there");
    let folders = rooms.flatten().map(|room| room.path().join("fail"));
    let files =
        folders.flat_map(|folder| fs::read_dir(folder).expect("each room has fail/").flatten());
    files
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

#[test]
fn refuses_the_insecure() {
    let harness = trybuild::TestCases::new();
    harness.compile_fail("tests/ui/*/fail/*.rs");
}

#[test]
fn tells_each_mistake_by_one_coded_error() {
    let cases = cases();
    assert!(cases.len() >= FLOOR, "only {} cases are left", cases.len());
    for case in cases {
        let said = fs::read_to_string(case.with_extension("stderr"));
        let said = said.unwrap_or_else(|_| panic!("{} has no expected errors", case.display()));
        let errors = said
            .lines()
            .filter(|line| line.starts_with("error"))
            .count();
        assert_eq!(errors, 1, "{} gives {errors} errors", case.display());
        let coded = said
            .split("P0")
            .skip(1)
            .any(|rest| rest.len() >= 3 && rest.as_bytes()[..3].iter().all(u8::is_ascii_digit));
        assert!(coded, "{} gives no code", case.display());
        let name = case.file_name().and_then(|name| name.to_str());
        let room = case.ancestors().nth(2).and_then(Path::file_name);
        let (Some(name), Some(room)) = (name, room.and_then(|room| room.to_str())) else {
            panic!("{} has no plain name", case.display());
        };
        let twin = format!("#[path = \"ui/{room}/pass/{name}\"]");
        assert!(CURES.contains(&twin), "tests/cures.rs lacks {twin}");
    }
}
