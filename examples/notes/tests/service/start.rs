//! How it refuses to start: each time a real process, its whole text, its exit code, and no port opened.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use palisade::access::{Account, Id};
use palisade::db::{Db, DbOptions};
use palisade::secret::Secret;
use palisade::secret::key::Key;

use crate::harness::run;

const KEY: &str = "PALISADE_SECRET_KEY";
const REFUSED: i32 = 78;

/// What is changed of a development environment in which the service would start.
type Changes<'a> = &'a [(&'static str, Option<&'a str>)];

/// A folder and a port of its own. The port is held: a service that tried to open it would say that it is taken, so a refusal
/// with another text came before.
struct Machine {
    folder: tempfile::TempDir,
    port: TcpListener,
}

impl Machine {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            port: TcpListener::bind("127.0.0.1:0").expect("a port"),
        }
    }

    fn port(&self) -> String {
        let address = self.port.local_addr().expect("its address");
        address.port().to_string()
    }

    /// Runs it to its end: what it complained of, and its exit code.
    fn run(&self, arguments: &[&str], changes: Changes<'_>) -> (String, Option<i32>) {
        let mut variables = vec![
            ("PALISADE_ENV", "development".to_owned()),
            ("DATABASE_URL", "sqlite:data/notes.sqlite".to_owned()),
            (KEY, Key::generate_text().expose().clone()),
            ("PORT", self.port()),
        ];
        for (name, value) in changes {
            variables.retain(|(own, _)| own != name);
            variables.extend(value.map(|value| (*name, value.to_owned())));
        }
        let variables: Vec<(&str, &str)> = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let output = run(self.folder.path(), arguments, &variables);
        let said = String::from_utf8_lossy(&output.stderr)
            .replace(&*self.folder.path().to_string_lossy(), "FOLDER")
            .replace(&format!(":{}", self.port()), ":PORT");
        (said, output.status.code())
    }

    /// Serves, and is refused.
    fn refusal(&self, changes: Changes<'_>) -> String {
        let (said, code) = self.run(&[], changes);
        assert_eq!(code, Some(REFUSED), "{changes:?}: {said}");
        for (_, value) in changes.iter().filter(|(name, _)| *name == KEY) {
            let told = value.is_some_and(|value| said.contains(value));
            assert!(!told, "a refusal never tells a secret: {said}");
        }
        said
    }
}

/// Each change and what the service says to it.
fn refusals(cases: &[Changes<'_>]) -> String {
    let mut text = String::new();
    for changes in cases {
        let changed: Vec<String> = changes
            .iter()
            .map(|(name, value)| match value {
                Some(value) => format!("{name}={value}"),
                None => format!("no {name}"),
            })
            .collect();
        let said = Machine::new().refusal(changes);
        text += &format!("# {}\n{said}\n", changed.join(", "));
    }
    text
}

#[test]
fn refuses_each_wrong_setting_by_its_name() {
    let key_of_one_letter = "a".repeat(64);
    let said = refusals(&[
        &[("DATABASE_URL", None)],
        &[("DATABASE_URL", Some("mysql://localhost/x"))],
        &[("DATABASE_URL", Some("sqlite:"))],
        &[("DATABASE_URL", Some("sqlite:/proc/none/x.sqlite"))],
        &[(KEY, None)],
        &[(KEY, Some("s3cr3t"))],
        &[(KEY, Some("changeme"))],
        &[(KEY, Some(&key_of_one_letter))],
        &[("PALISADE_SECRET_KEY_FILE", Some("/nowhere/key"))],
        &[("PORT", Some("0"))],
        &[("PORT", Some("65536"))],
        &[("PORT", Some("http"))],
        &[("HOST", Some("not an address"))],
        &[("PALISADE_ENV", Some("staging"))],
        &[("PALISADE_BODY_LIMIT", Some("much"))],
        &[("PALISADE_BODY_LIMIT", Some("1 GiB"))],
        &[("PALISADE_BODY_LIMITS", Some("1 MiB"))],
        &[("PALISADE_HANDLER_TIMEOUT", Some("0s"))],
        &[("PALISADE_HANDLER_TIMEOUT", Some("soon"))],
        &[("PALISADE_AUTH__ACCESS_TOKEN_LIFETIME", Some("30d"))],
        &[("PALISADE_AUTH__ISSUER", Some(""))],
        &[("PALISADE_LOG", Some("loud=very"))],
        &[("PALISADE_APP__NOTHING", Some("1"))],
        &[("PALISADE_ALLOWED_HOSTS", Some("*"))],
    ]);
    insta::assert_snapshot!("settings", said);
}

#[test]
fn refuses_production_with_what_only_development_may_have() {
    let key = format!("dev_{}", Key::generate_text().expose());
    let production = Machine::new().refusal(&[("PALISADE_ENV", Some("production"))]);
    insta::assert_snapshot!("production", production);
    let unsaid = Machine::new().refusal(&[("PALISADE_ENV", None)]);
    insta::assert_snapshot!("no_environment", unsaid);
    let with_key = Machine::new().refusal(&[("PALISADE_ENV", None), (KEY, Some(&key))]);
    insta::assert_snapshot!("production_with_a_development_key", with_key);
}

#[test]
fn tells_every_problem_at_once() {
    let said = refusals(&[&[
        ("PORT", Some("x")),
        (KEY, Some("s3cr3t")),
        ("PALISADE_BODY_LIMIT", Some("x")),
        ("HOST", Some("x")),
    ]]);
    insta::assert_snapshot!("several_problems", said);
}

#[test]
fn refuses_a_settings_file_by_its_line() {
    let mut text = String::new();
    for file in [
        "body_limit = \"1 MiB\"\nbody_limits = \"2 MiB\"\n",
        "body_limit = 17.5\n",
        "\nsecret_key = \"kept in git\"\n",
        "[auth]\nissuer = \"notes\n",
        "[auth]\nissuer = \"\"\n[app]\nper_page = 20\n",
    ] {
        let machine = Machine::new();
        fs::write(machine.folder.path().join("palisade.toml"), file).expect("written");
        let said = machine.refusal(&[]);
        assert!(
            !said.contains("kept in git"),
            "a refusal never tells a secret"
        );
        text += &format!("# palisade.toml\n{file}\n{said}\n");
    }
    insta::assert_snapshot!("settings_file", text);
}

#[test]
fn refuses_a_database_that_does_not_answer() {
    let said = refusals(&[&[("DATABASE_URL", Some("postgres://u:p@127.0.0.1:1/x"))]]);
    if cfg!(feature = "postgres") {
        insta::assert_snapshot!("postgres_away", said);
    } else {
        insta::assert_snapshot!("postgres_not_built_in", said);
    }
}

#[test]
fn refuses_an_address_that_it_cannot_have() {
    let taken = Machine::new().refusal(&[]);
    insta::assert_snapshot!("port_taken", taken);
    let foreign = Machine::new().refusal(&[("HOST", Some("203.0.113.7"))]);
    insta::assert_snapshot!("host_of_another_machine", foreign);
}

/// Where the settings allow production, a database that lacks something keeps the service from starting.
#[test]
fn refuses_pending_migrations_in_production() {
    let machine = Machine::new();
    let production: Changes<'_> = &[
        ("PALISADE_ENV", Some("production")),
        ("PALISADE_ALLOWED_HOSTS", Some("notes.example.com")),
        ("PALISADE_TRUSTED_PROXIES", Some("10.0.0.0/24")),
        ("PALISADE_AUTH__REQUIRE_VERIFIED_EMAIL", Some("false")),
    ];
    let pending = machine.refusal(production);
    insta::assert_snapshot!("migrations_pending", pending);
    assert_eq!(machine.run(&["migrate"], production).1, Some(0));
    assert_eq!(machine.run(&["check"], production).1, Some(0));
    let (said, _) = machine.run(&[], production);
    assert!(
        said.contains("is taken by another program"),
        "nothing else speaks against it: {said}"
    );
}

#[tokio::test]
async fn refuses_a_database_of_another_build() {
    let machine = Machine::new();
    assert_eq!(machine.run(&["migrate"], &[]).1, Some(0));
    let db = database(machine.folder.path()).await;
    let id = Id::<Account>::new();
    palisade::sql!("insert into palisade_accounts (id, email, password_hash, created_at) values ({id}, 'a@example.com', 'x', '2026-01-01T00:00:00.000000Z')")
        .execute(&db).await.expect("an account");
    palisade::sql!(
        "insert into palisade_account_roles (account_id, role) values ({id}, 'emperor')"
    )
    .execute(&db)
    .await
    .expect("a role");
    let role_unknown = machine.refusal(&[]);
    insta::assert_snapshot!("role_unknown", role_unknown);
    palisade::sql!("delete from palisade_account_roles where role = 'emperor'")
        .execute(&db)
        .await
        .expect("gone");

    palisade::sql!("update app_migrations set version = 9")
        .execute(&db)
        .await
        .expect("renumbered");
    let migration_unknown = machine.refusal(&[]);
    insta::assert_snapshot!("migration_unknown", migration_unknown);
    palisade::sql!("update app_migrations set version = 1, checksum = {vec![1_u8; 48]}")
        .execute(&db)
        .await
        .expect("changed");
    let migration_changed = machine.refusal(&[]);
    insta::assert_snapshot!("migration_changed", migration_changed);
    let (said, code) = machine.run(&["migrate"], &[]);
    assert_eq!(
        code,
        Some(REFUSED),
        "`migrate` does not go on either: {said}"
    );
}

async fn database(folder: &Path) -> Db {
    let file = folder.join("data/notes.sqlite");
    let options = DbOptions {
        url: Secret::new(format!("sqlite:{}", file.display())),
        cursor_key: Key::generate(),
    };
    Db::open(options).await.expect("the database opens")
}

#[test]
fn answers_its_command_line() {
    let machine = Machine::new();
    assert_eq!(
        machine.run(&["fly"], &[]),
        (
            "this command is not known; `help` lists those that are\n".to_owned(),
            Some(64)
        )
    );
    let help = run(machine.folder.path(), &["--help"], &[]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).starts_with("Usage:"));
    let key = Key::generate_text();
    let variables = [
        ("PALISADE_ENV", "development"),
        ("DATABASE_URL", "sqlite:data/notes.sqlite"),
        (KEY, key.expose().as_str()),
    ];
    let routes = run(machine.folder.path(), &["routes"], &variables);
    let table = String::from_utf8_lossy(&routes.stdout).into_owned();
    assert!(
        table.lines().any(|line| line.starts_with("PATCH")
            && line.contains("/notes/{note}")
            && line.contains("Can<Edit, Note>")),
        "{table}"
    );
    let grant = "/auth/admin/accounts/{account}/roles/{role}";
    let granting = table
        .lines()
        .find(|line| line.starts_with("PUT") && line.contains(grant));
    let granting = granting.unwrap_or_else(|| panic!("{table}"));
    assert!(
        granting.contains("Can<ManageAccounts>") && granting.contains("accounts.manage: admin"),
        "{granting}"
    );
    assert_eq!(table.lines().count(), 47);
}
