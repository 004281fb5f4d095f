//! `palisade destroy`: what is taken back, and what stays.

use crate::harness::*;

#[test]
fn takes_back_what_nobody_changed() {
    let service = Service::new();
    let before = service.files();
    for words in [
        TASK,
        &[
            "g",
            "resource",
            "man",
            "name:text:1..80",
            "score:float:0..5",
            "--unowned",
            "the same for everybody",
            "--plural",
            "folk",
        ],
    ] {
        service.done(words);
    }
    let dry = service.files();
    let Said {
        out: shown,
        err,
        code,
    } = service.run(&["destroy", "resource", "task", "--dry-run"]);
    assert_eq!(code, Some(0));
    assert!(
        err.starts_with("\n`migrations/0002_tasks.sql` stays, "),
        "{err}"
    );
    assert!(
        shown.contains("--- a/src/tasks.rs\n+++ /dev/null\n"),
        "{shown}"
    );
    assert_eq!(service.files(), dry);
    insta::assert_snapshot!("destroyed", service.done(&["destroy", "resource", "task"]));
    service.done(&["destroy", "resource", "man", "--plural", "folk"]);
    let mut after = service.files();
    for table in ["0002_tasks", "0003_folk"] {
        let file = service.root.join(format!("migrations/{table}.sql"));
        assert!(after.remove(&file).is_some(), "{table} was taken away");
    }
    assert_eq!(after, before);
    // And once more from the beginning: the migration that stayed is taken as it is.
    assert!(
        service
            .done(TASK)
            .contains("kept     migrations/0002_tasks.sql\n")
    );
}

#[test]
fn what_was_changed_stays_and_is_named() {
    let service = Service::new();
    let destroy = ["destroy", "resource", "task"];
    let mut text = service.refused(&destroy).err;
    service.done(TASK);
    let module = service.read("src/tasks.rs");
    for (from, to) in [("30/min", "5/min"), ("//! Made by", "//! Written by")] {
        service.write("src/tasks.rs", &module.replace(from, to));
        text += &service.refused(&destroy).err;
    }
    service.write("src/tasks.rs", &module);
    service.replace(
        "src/main.rs",
        "#[settings]",
        "fn other() { tasks::other() }\n#[settings]",
    );
    text += &service.refused(&destroy).err;
    service.replace("src/main.rs", "fn other() { tasks::other() }\n", "");

    service.replace("tests/api/tasks.rs", "\"one title\"", "\"my title\"");
    text += &service.done(&destroy);
    insta::assert_snapshot!("stays", text);
    assert!(service.root.join("tests/api/tasks.rs").exists());
    assert!(service.read("tests/api/main.rs").contains("mod tasks;"));
    assert!(!service.root.join("src/tasks.rs").exists());
}
