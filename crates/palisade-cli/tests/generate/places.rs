//! Where a line is put into a file of its owner, and what of it stays.

use std::fs;

use crate::harness::*;

#[test]
fn comments_and_format_of_its_owner_stay() {
    let service = Service::new();
    let main = "\
//! Mine.

// Both of them.
mod admin; // for us
mod zebras;   // last

use palisade::prelude::*;

mod inside { pub fn f() {} }

#[palisade::main]
async fn main() -> Result<App, Refusal> {
    let odd = [1,2,
               3];
    // Put together here.
    App::from_env::<Settings>()?
        .migrations(migrations!(\"migrations\")) // the schema
        .routes(auth::routes())
        // what everybody sees
        .routes(admin::routes()) // ours
        // and that is it
        .build()
}
";
    service.write("src/main.rs", main);
    service.done(TASK);
    let expected = main
        .replace(
            "mod admin; // for us\n",
            "mod admin; // for us\nmod tasks;\n",
        )
        .replace("// ours\n", "// ours\n        .routes(tasks::routes())\n");
    assert_eq!(service.read("src/main.rs"), expected);
    service.done(&["destroy", "resource", "task"]);
    assert_eq!(service.read("src/main.rs"), main);
}

#[test]
fn finds_the_places_however_they_are_written() {
    let chain =
        "App::from_env::<S>()?.migrations(migrations!(\"sql\")).routes(auth::routes()).build()";
    let app = |head: &str, chain: &str| {
        format!("{head}async fn main() -> Result<App, Refusal> {{\n    {chain}\n}}\n")
    };
    let added = chain.replace(".build", ".routes(tasks::routes()).build");
    for (before, after) in [
        // One line, the migrations in another folder.
        (
            app("mod b;\n\n", chain),
            app("mod b;\nmod tasks;\n\n", &added),
        ),
        // Ends of lines as Windows has them, and a byte order mark.
        (
            app("\u{feff}mod b;\n\n", chain).replace('\n', "\r\n"),
            app("\u{feff}mod b;\nmod tasks;\n\n", &added).replace('\n', "\r\n"),
        ),
        // No module yet.
        (
            app(
                "//! Mine.\n\n// The paved path.\nuse palisade::prelude::*;\n\n",
                chain,
            ),
            app(
                "//! Mine.\n\nmod tasks;\n\n// The paved path.\nuse palisade::prelude::*;\n\n",
                &added,
            ),
        ),
        // Before the first one, which has a comment.
        (
            app("// The zoo.\n#[cfg(unix)]\nmod zebras;\n\n", chain),
            app(
                "mod tasks;\n// The zoo.\n#[cfg(unix)]\nmod zebras;\n\n",
                &added,
            ),
        ),
        // By hand already.
        (app("mod tasks;\n\n", &added), app("mod tasks;\n\n", &added)),
    ] {
        let service = Service::new();
        service.write("src/main.rs", &before);
        service.done(TASK);
        assert_eq!(service.read("src/main.rs"), after);
        assert!(service.root.join("sql/0001_tasks.sql").exists());
    }
}

#[test]
fn an_app_without_migrations_gets_them() {
    let service = Service::new();
    service.replace(
        "src/main.rs",
        "        .migrations(migrations!(\"migrations\"))\n",
        "",
    );
    service.replace(
        "src/main.rs",
        "        .routes(auth::routes())\n        .routes(notes::routes())\n",
        "",
    );
    service.done(TASK);
    let chain = "\
    App::from_env::<Settings>()?
        .migrations(migrations!(\"migrations\"))
        .routes(tasks::routes())
        .build()
";
    assert!(
        service.read("src/main.rs").contains(chain),
        "{}",
        service.read("src/main.rs")
    );
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_mode_and_a_link_stays_one() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let service = Service::new();
    let main = service.root.join("src/main.rs");
    let mine = service.root.join("mine.rs");
    fs::rename(&main, &mine).unwrap();
    fs::set_permissions(&mine, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("../mine.rs", &main).unwrap();
    service.done(TASK);
    assert!(fs::symlink_metadata(&main).unwrap().is_symlink());
    assert_eq!(
        fs::metadata(&mine).unwrap().permissions().mode() & 0o777,
        0o640
    );
    assert!(service.read("mine.rs").contains("mod tasks;"));
}
