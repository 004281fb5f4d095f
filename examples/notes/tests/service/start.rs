//! How it refuses to start: the text, the exit code, and no port.

use std::net::TcpListener;

use crate::harness::{free_port, run};

const KEY: &str = "PALISADE_SECRET_KEY";

fn development() -> Vec<(&'static str, String)> {
    let key = palisade::secret::key::Key::generate_text().expose().clone();
    vec![
        ("PALISADE_ENV", "development".to_owned()),
        ("DATABASE_URL", "sqlite:data/notes.sqlite".to_owned()),
        (KEY, key),
        ("PORT", free_port().to_string()),
    ]
}

/// Runs it with one thing changed; gives what it said and with which code it ended.
fn with(changes: &[(&'static str, Option<&str>)], arguments: &[&str]) -> (String, Option<i32>) {
    let folder = tempfile::tempdir().expect("a folder");
    with_in(folder.path(), changes, arguments)
}

fn with_in(
    folder: &std::path::Path,
    changes: &[(&'static str, Option<&str>)],
    arguments: &[&str],
) -> (String, Option<i32>) {
    let mut variables = development();
    for (name, value) in changes {
        variables.retain(|(own, _)| own != name);
        variables.extend(value.map(|value| (*name, value.to_owned())));
    }
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let output = run(folder, arguments, &variables);
    (
        String::from_utf8_lossy(&output.stderr).into_owned(),
        output.status.code(),
    )
}

#[test]
fn refuses_each_wrong_setting_by_name() {
    let cases: &[(&'static str, Option<&str>, &str)] = &[
        ("DATABASE_URL", None, "DATABASE_URL"),
        ("DATABASE_URL", Some("mysql://localhost/x"), "DATABASE_URL"),
        ("DATABASE_URL", Some("sqlite:"), "DATABASE_URL"),
        (
            "DATABASE_URL",
            Some("sqlite:/proc/none/x.sqlite"),
            "DATABASE_URL",
        ),
        (
            "DATABASE_URL",
            Some("postgres://u:p@127.0.0.1:1/x"),
            "DATABASE_URL",
        ),
        (KEY, None, KEY),
        (KEY, Some("short"), KEY),
        (KEY, Some("changeme"), KEY),
        (
            KEY,
            Some("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
            KEY,
        ),
        ("PORT", Some("0"), "PORT"),
        ("PORT", Some("65536"), "PORT"),
        ("PORT", Some("http"), "PORT"),
        ("HOST", Some("not an address"), "HOST"),
        ("PALISADE_ENV", Some("staging"), "PALISADE_ENV"),
        ("PALISADE_ENV", None, "production"),
        ("PALISADE_ENV", Some("production"), "PALISADE_ALLOWED_HOSTS"),
        ("PALISADE_BODY_LIMIT", Some("much"), "PALISADE_BODY_LIMIT"),
        ("PALISADE_BODY_LIMIT", Some("1 GiB"), "PALISADE_BODY_LIMIT"),
        ("PALISADE_BODY_LIMITS", Some("1 MiB"), "PALISADE_BODY_LIMIT"),
        (
            "PALISADE_HANDLER_TIMEOUT",
            Some("0s"),
            "PALISADE_HANDLER_TIMEOUT",
        ),
        (
            "PALISADE_HANDLER_TIMEOUT",
            Some("soon"),
            "PALISADE_HANDLER_TIMEOUT",
        ),
        (
            "PALISADE_AUTH__ACCESS_TOKEN_LIFETIME",
            Some("30d"),
            "PALISADE_AUTH__ACCESS_TOKEN_LIFETIME",
        ),
        ("PALISADE_AUTH__ISSUER", Some(""), "PALISADE_AUTH__ISSUER"),
        ("PALISADE_LOG", Some("loud=very"), "PALISADE_LOG"),
        ("PALISADE_APP__NOTHING", Some("1"), "PALISADE_APP__NOTHING"),
        (
            "PALISADE_SECRET_KEY_FILE",
            Some("/nowhere/key"),
            "PALISADE_SECRET_KEY",
        ),
        (
            "PALISADE_ALLOWED_HOSTS",
            Some("*"),
            "PALISADE_ALLOWED_HOSTS",
        ),
    ];
    for (name, value, named) in cases {
        let (said, code) = with(&[(name, *value)], &["check"]);
        assert_eq!(code, Some(78), "{name}={value:?}: {said}");
        assert!(
            said.starts_with("the service does not start: "),
            "{name}={value:?}: {said}"
        );
        assert!(
            said.contains(named) && said.contains("fix:"),
            "{name}={value:?}: {said}"
        );
        if let Some(value) = value.filter(|value| value.len() > 8 && *name == KEY) {
            assert!(
                !said.contains(value),
                "a refusal never tells the value: {said}"
            );
        }
    }
}

#[test]
fn tells_every_problem_at_once() {
    let (said, code) = with(
        &[
            ("PORT", Some("x")),
            (KEY, Some("short")),
            ("PALISADE_BODY_LIMIT", Some("x")),
            ("HOST", Some("x")),
        ],
        &[],
    );
    assert_eq!(code, Some(78));
    assert!(
        said.starts_with("the service does not start: 4 problems"),
        "{said}"
    );
    for name in ["PORT", KEY, "PALISADE_BODY_LIMIT", "HOST"] {
        assert!(said.contains(name), "{said}");
    }
}

#[test]
fn refuses_a_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port().to_string();
    let (said, code) = with(&[("PORT", Some(&port))], &[]);
    assert_eq!(code, Some(78));
    assert!(
        said.contains(&format!("127.0.0.1:{port} is taken by another program")),
        "{said}"
    );
    assert!(said.contains("choose another PORT"), "{said}");
    let (said, code) = with(&[("HOST", Some("203.0.113.7"))], &[]);
    assert_eq!(code, Some(78));
    assert!(said.contains("is not an address of this machine"), "{said}");
}

#[test]
fn refuses_pending_and_changed_migrations() {
    let folder = tempfile::tempdir().expect("a folder");
    let (said, code) = with_in(folder.path(), &[], &["check"]);
    assert_eq!(code, Some(78));
    assert!(
        said.contains("lacks the migrations 0001_notes.sql") && said.contains("`migrate`"),
        "{said}"
    );
    let (said, code) = with_in(folder.path(), &[], &["migrate"]);
    assert_eq!(code, Some(0), "{said}");
    let (said, code) = with_in(folder.path(), &[], &["check"]);
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test]
async fn refuses_a_changed_migration_and_an_unknown_role() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(with_in(folder.path(), &[], &["migrate"]).1, Some(0));
    let url = format!(
        "sqlite:{}",
        folder.path().join("data/notes.sqlite").display()
    );
    let options = palisade::db::DbOptions {
        url: palisade::secret::Secret::new(url),
        cursor_key: palisade::secret::key::Key::generate(),
    };
    let db = palisade::db::Db::open(options)
        .await
        .expect("the database opens");
    let id = palisade::access::Id::<palisade::access::Account>::new();
    palisade::sql!("insert into palisade_accounts (id, email, password_hash, created_at) values ({id}, {\"a@example.com\"}, {\"x\"}, {\"2026-01-01T00:00:00.000000Z\"})")
        .execute(&db).await.expect("an account");
    palisade::sql!(
        "insert into palisade_account_roles (account_id, role) values ({id}, {\"emperor\"})"
    )
    .execute(&db)
    .await
    .expect("a role");
    let (said, code) = with_in(folder.path(), &[], &["check"]);
    assert_eq!(code, Some(78));
    assert!(
        said.contains("the role `emperor`, which the code does not know"),
        "{said}"
    );
    palisade::sql!("delete from palisade_account_roles where role = {\"emperor\"}")
        .execute(&db)
        .await
        .expect("gone");
    palisade::sql!("update app_migrations set checksum = {vec![1_u8; 48]}")
        .execute(&db)
        .await
        .expect("changed");
    for command in ["check", "migrate"] {
        let (said, code) = with_in(folder.path(), &[], &[command]);
        assert_eq!(code, Some(78));
        assert!(
            said.contains("the migration 0001_notes.sql was changed after it was applied"),
            "{said}"
        );
    }
}

#[test]
fn answers_its_command_line() {
    assert_eq!(
        with(&[], &["fly"]),
        (
            "this command is not known; `help` lists those that are\n".to_owned(),
            Some(64)
        )
    );
    let folder = tempfile::tempdir().expect("a folder");
    let help = run(folder.path(), &["--help"], &[]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).starts_with("Usage:"));
    let variables = development();
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let routes = run(folder.path(), &["routes"], &variables);
    let table = String::from_utf8_lossy(&routes.stdout).into_owned();
    assert!(
        table.lines().any(|line| line.starts_with("PATCH")
            && line.contains("/notes/{note}")
            && line.contains("Can<Edit, Note>")),
        "{table}"
    );
    assert_eq!(table.lines().count(), 15);
}

#[test]
fn refuses_a_development_key_in_production() {
    let key = palisade::secret::key::Key::generate_text().expose().clone();
    let key = format!("dev_{key}");
    let (said, code) = with(
        &[("PALISADE_ENV", Some("production")), (KEY, Some(&key))],
        &[],
    );
    assert_eq!(code, Some(78));
    for name in [KEY, "PALISADE_ALLOWED_HOSTS", "PALISADE_TRUSTED_PROXIES"] {
        assert!(said.contains(name), "{said}");
    }
    assert!(!said.contains(&key), "{said}");
}
