//! What is refused: the exact text, the exit code, and nothing written.

use std::fs;

use tempfile::tempdir;

use crate::harness::*;

#[test]
fn refuses_names_and_fields_with_a_mark_under_what_is_wrong() {
    let service = Service::new();
    let owned = |field: &'static str| ["g", "resource", "task", field, "--owner", "account"];
    let fields = [
        "title",
        "title:",
        "title:txt:1..200",
        "title:zebra",
        "title:text",
        "title:text:200",
        "title:text:1..",
        "title:text:a..9",
        "title:text:9..1",
        "title:text:0..0",
        "title:text:1..200:5",
        "title:text:1..2000000",
        "body:richtext:1..100",
        "body:richtext",
        "due?:date",
        "due:date:1..2",
        "stars:int",
        "stars:int:..5",
        "stars:int:1..x",
        "stars:int:5..1",
        "score:float:0..inf",
        "state:choice",
        "state:choice:draft",
        "state:choice:draft,draft",
        "state:choice:draft,In Review",
        "state:choice:a,self",
        "tags:set",
        "tags:set:slug",
        "tags:set:slug:1..10",
        "tags:set:text:1..80",
        "tags:set:url:..10",
        "tags:list:list:slug:..2:..3",
        "tags:list:float:0..1:..3",
        "id:slug",
        "owner_id:slug",
        "created_at:date",
        "type:slug",
        "match:slug",
        "order:int:1..5",
        "Title:slug",
        "dueDate:date",
        "a__b:date",
        "_a:date",
        "größe:slug",
        "an_extraordinarily_long_name_of_a_single_field:date",
    ];
    let words: Vec<_> = fields.into_iter().map(owned).collect();
    let cases: Vec<&[&str]> = words.iter().map(|words| &words[..]).collect();
    let text = told(&cases, |words| {
        let said = service.refused(words);
        assert_eq!(said.code, Some(2));
        said
    });
    insta::assert_snapshot!("refused_fields", text);
}

#[test]
fn refuses_what_cannot_name_a_resource_and_what_does_not_say_whose_it_is() {
    let service = Service::new();
    let name = |name: &'static str| vec!["g", "resource", name, "a:date", "--owner", "account"];
    let mut cases: Vec<Vec<&str>> = [
        "Note",
        "note-book",
        "match",
        "account",
        "page",
        "tasks",
        "item_2",
        "palisade_thing",
        "a_name_that_is_longer_than_any_line",
    ]
    .into_iter()
    .map(name)
    .collect();
    for plural in ["order", "auth", "impl", "Tasks", "server"] {
        cases.push(vec![
            "g", "resource", "task", "a:date", "--owner", "account", "--plural", plural,
        ]);
    }
    cases.push(vec!["g", "resource", "task", "--owner", "account"]);
    cases.push(vec![
        "g", "resource", "task", "a:date", "a:slug", "--owner", "account",
    ]);
    cases.push(vec![
        "g",
        "resource",
        "task",
        "edit:choice:a,b",
        "--owner",
        "account",
    ]);
    cases.push(vec!["g", "resource", "task", "a:date"]);
    cases.push(vec!["g", "resource", "task", "a:date", "--owner", "team"]);
    cases.push(vec!["g", "resource", "task", "a:date", "--unowned", "why"]);
    cases.push(vec![
        "g",
        "resource",
        "task",
        "a:date",
        "--unowned",
        "it \"belongs\" to nobody",
    ]);
    let cases: Vec<&[&str]> = cases.iter().map(|words| &words[..]).collect();
    let text = told(&cases, |words| {
        let said = service.refused(words);
        assert_eq!(said.code, Some(2));
        said
    });
    insta::assert_snapshot!("refused_names", text);
}

#[test]
fn refuses_when_the_place_cannot_be_found() {
    let service = Service::new();
    let main = service.read("src/main.rs");
    let mut text = String::new();
    let refused = |text: &mut String| {
        let said = service.refused(TASK);
        assert_eq!(said.code, Some(1));
        text.push_str(&said.err);
    };
    for (from, to) in [
        ("        .build()", "        .finish()"),
        ("mod notes;", "mod notes;\nmod tasks { }"),
        ("mod notes;", "mod notes"),
        (
            "#[palisade::main]",
            "fn other() { App::from_env::<Settings>()?.build() }\n#[palisade::main]",
        ),
    ] {
        service.write("src/main.rs", &main.replace(from, to));
        refused(&mut text);
    }
    fs::remove_file(service.root.join("src/main.rs")).unwrap();
    let said = service.refused(TASK);
    assert!(
        said.err.starts_with("There is no `src/main.rs` in `"),
        "{}",
        said.err
    );
    service.write("src/main.rs", &main);

    let tests = service.read("tests/api/main.rs");
    for (from, to) in [("fn sign_in", "fn log_in"), ("mod server;", "")] {
        service.write("tests/api/main.rs", &tests.replace(from, to));
        refused(&mut text);
    }
    service.write("tests/api/main.rs", &tests);
    fs::create_dir(service.root.join("src/tasks")).unwrap();
    service.write("src/tasks/mod.rs", "");
    refused(&mut text);
    insta::assert_snapshot!("refused_places", text);
}

#[test]
fn is_found_from_any_folder_of_the_service_and_nowhere_else() {
    let service = Service::new();
    assert_eq!(
        palisade(&service.root.join("tests/api"), TASK).code,
        Some(0)
    );
    assert!(service.root.join("src/tasks.rs").exists());

    let nowhere = tempdir().unwrap();
    fs::write(
        nowhere.path().join("Cargo.toml"),
        "[package]\nname = \"x\"\n",
    )
    .unwrap();
    let said = palisade(nowhere.path(), TASK);
    assert_eq!(said.code, Some(1));
    let end = "is in no palisade service: go into one, or make one with `palisade new hello`.\n";
    assert!(said.err.ends_with(end), "{}", said.err);
    service.write("Cargo.toml", "[dependencies\n");
    assert!(service.refused(TASK).err.contains("cannot be read as TOML"));
}
