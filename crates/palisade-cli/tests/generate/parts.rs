//! Handlers, inputs, policies, permissions, problems and migrations.

use crate::harness::*;

/// One of each, in an order in which they build on each other.
const PARTS: &[&[&str]] = &[
    &["policy", "share", "note"],
    &[
        "handler",
        "share",
        "post",
        "/notes/{note}/shares",
        "--guard",
        "Can<Share, Note>",
        "--in",
        "notes",
    ],
    &["permission", "notes.publish", "--role", "editor"],
    &["permission", "notes.hide", "--role", "editor"],
    &["permission", "notes.count", "--role", "counter"],
    &[
        "handler",
        "publish",
        "PUT",
        "/published",
        "--guard",
        "Can< crate::permissions::PublishNotes >",
    ],
    &[
        "handler", "welcome", "get", "/welcome", "--guard", "Public", "--in", "publish",
    ],
    &[
        "handler",
        "leave_word",
        "post",
        "/words",
        "--guard=Public",
        "--in=publish",
    ],
    &[
        "problem",
        "title_taken",
        "409",
        "The title is taken",
        "--detail",
        "Choose another one",
    ],
    &["problem", "too_many", "409", "There are enough"],
    &[
        "input",
        "new_comment",
        "text:text:1..500",
        "due:date?",
        "mood:choice:good,bad",
        "rating:float:0..1",
        "--in",
        "notes",
    ],
    &[
        "migration",
        "add_due_to_notes",
        "due:date?",
        "stars:int:1..5?",
        "mood:choice:good,bad?",
    ],
    &["migration", "drop_books"],
    &["migration", "notes_by_title"],
];

fn generate<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["generate"], words].concat()
}

#[test]
fn each_part_stands_in_its_place() {
    let service = Service::new();
    let mut text = String::new();
    for words in PARTS {
        let words = generate(words);
        let before = service.files();
        let diff = service.done(&[&words[..], &["--dry-run"]].concat());
        assert_eq!(service.files(), before, "{words:?} wrote something");
        text += &format!(
            "$ palisade {}\n{diff}\n{}\n",
            words.join(" "),
            service.done(&words)
        );
    }
    insta::assert_snapshot!("parts", text);
    let files = [
        "src/notes.rs",
        "src/permissions.rs",
        "src/problems.rs",
        "src/publish.rs",
    ];
    assert_eq!(service.misformatted(&files.map(ToOwned::to_owned)), "");
}

#[test]
fn each_part_is_safe_twice() {
    let service = Service::new();
    for words in PARTS {
        service.done(&generate(words));
    }
    let before = service.files();
    for words in PARTS {
        let said = service.done(&generate(words));
        assert!(
            said.lines().all(|line| line.starts_with("kept ")),
            "{words:?}: {said}"
        );
    }
    assert_eq!(service.files(), before);
}

#[test]
fn a_known_action_is_not_declared_again_and_a_policy_that_is_there_stays() {
    let service = Service::new();
    let before = service.read("src/notes.rs");
    let said = service.refused(&["g", "policy", "edit", "note"]);
    let text = "`src/notes.rs` has an `impl Permit<Edit> for Note` already that says something else (line 51): choose another name. Nothing was written.\n";
    assert_eq!(said.err, text);
    service.replace("src/notes.rs", "impl Permit<Delete> for Note {\n    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {\n        Ok(self.belongs_to(actor))\n    }\n}\n\n", "");
    service.done(&["g", "policy", "delete", "note"]);
    let after = service.read("src/notes.rs");
    assert!(!after.contains("struct Delete"), "{after}");
    let policy = |owned: &str| {
        format!(
            "impl Permit<Delete> for Note {{\n    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {{\n        {owned}\n    }}\n}}\n"
        )
    };
    let expected = before.replace(
        &policy("Ok(self.belongs_to(actor))"),
        &policy("Ok(actor.is(self.owner_id))"),
    );
    assert_eq!(after, expected);
}

#[test]
fn keeps_the_format_of_a_list_of_routes_and_of_problems() {
    let service = Service::new();
    service.replace(
        "src/notes.rs",
        "routes![list, create, show, edit, remove]",
        "routes![\n        list, // first\n        create, show, edit, remove, // last\n    ]",
    );
    service.write("src/problems.rs", "use palisade::prelude::*;\n\n#[problem]\npub enum Trouble {\n    #[problem(status = 404, title = \"Gone\")]\n    Gone // for good\n}\n");
    service.done(&[
        "g",
        "handler",
        "count",
        "get",
        "/notes/count",
        "--guard",
        "SignedIn",
        "--in",
        "notes",
    ]);
    service.done(&["g", "problem", "late", "409", "Too late"]);
    assert!(
        service
            .read("src/notes.rs")
            .contains("list, // first\n        create, show, edit, remove, count // last\n"),
        "{}",
        service.read("src/notes.rs")
    );
    let problems =
        "    Gone, // for good\n    #[problem(status = 409, title = \"Too late\")]\n    Late,\n}\n";
    assert!(
        service.read("src/problems.rs").ends_with(problems),
        "{}",
        service.read("src/problems.rs")
    );
}

#[test]
fn refuses_parts_that_would_not_fit() {
    let service = Service::new();
    service.done(&["g", "permission", "notes.publish", "--role", "editor"]);
    service.done(&["g", "problem", "title_taken", "409", "The title is taken"]);
    service.done(&["g", "migration", "drop_books"]);
    service.write(
        "migrations/0002_drop_books.sql",
        "drop table if exists books;\n",
    );
    service.write("src/bare.rs", "//! Nothing in here.\n");
    let cases: &[&[&str]] = &[
        &["handler", "Share", "post", "/x", "--guard", "SignedIn"],
        &["handler", "match", "post", "/x", "--guard", "SignedIn"],
        &["handler", "routes", "post", "/x", "--guard", "SignedIn"],
        &["handler", "x", "post", "/x"],
        &["handler", "x", "post", "x", "--guard", "SignedIn"],
        &["handler", "x", "post", "/x", "--guard", "signed in"],
        &[
            "handler",
            "x",
            "post",
            "/notes/x",
            "--guard",
            "Can<Edit, Note>",
        ],
        &[
            "handler",
            "x",
            "post",
            "/notes/{note}/{share}",
            "--guard",
            "Can<Edit, Note>",
        ],
        &["handler", "x", "get", "/x/{id}", "--guard", "Public"],
        &[
            "handler", "show", "get", "/x", "--guard", "Public", "--in", "notes",
        ],
        &[
            "handler", "x", "get", "/x", "--guard", "Public", "--in", "bare",
        ],
        &["input", "NewThing", "a:date", "--in", "notes"],
        &["input", "new_note", "a:date", "--in", "notes"],
        &["input", "new_thing", "a:dat", "--in", "notes"],
        &["input", "new_thing", "a:date", "--in", "nowhere"],
        &["policy", "share", "book"],
        &["policy", "Share", "note"],
        &["policy", "share", "note", "--in", "bare"],
        &["permission", "publish", "--role", "editor"],
        &["permission", "notes.Publish", "--role", "editor"],
        &["permission", "notes.publish", "--role", "The Editor"],
        &["problem", "TitleTaken", "409", "x"],
        &["problem", "title_2", "409", "x"],
        &["problem", "x", "409", "it is \"x\""],
        &["problem", "x", "409", " "],
        &["problem", "title_taken", "410", "The title is taken"],
        &["migration", "Add"],
        &["migration", "drop_books"],
        &["migration", "add_due_to_notes"],
        &["migration", "add_due_to_notes", "due:date"],
        &["migration", "due", "due:date?"],
    ];
    let words: Vec<_> = cases.iter().map(|words| generate(words)).collect();
    let cases: Vec<&[&str]> = words.iter().map(|words| &words[..]).collect();
    insta::assert_snapshot!(
        "refused_parts",
        told(&cases, |words| service.refused(words))
    );
}
