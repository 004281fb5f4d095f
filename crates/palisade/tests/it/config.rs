//! What is read, what is refused, and in which words.

use std::time::Duration;

use palisade::config::{self, Environment, Loaded, Settings, Sources};
use palisade::secret::Secret;
use palisade::secret::key::Key;
use tempfile::TempDir;

/// An app's own settings.
#[palisade::settings]
struct App {
    /// Shown on the first page.
    #[setting(default = "be careful", length = 1..=20)]
    motto: String,
    #[setting(default = 20, range = 1..=100)]
    per_page: u32,
    api_key: Option<Secret<String>>,
    tags: Option<Vec<String>>,
    mail: Mail,
    spare: Option<Spare>,
}

#[palisade::settings]
#[derive(Clone)]
struct Mail {
    from: Option<String>,
    #[setting(default = "30s", range = "1s"..="5m")]
    patience: Duration,
    #[setting(default = false)]
    dry: bool,
}

#[palisade::settings]
struct Spare {
    server: String,
    #[setting(default = 25)]
    port: u16,
}

const KEY: &str = "uAgZ1FOyJ8qYQ0oXnB3d4mTzKe5sVhLw7RcPiGx2NjE";
const OTHER: &str = "Zk9tB0yQe2HcV6rNfXw3LsPu8Jg1MaDi5ToYh7KlEbU";

/// A working folder with files, and the variables of a process.
struct Place {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

fn development() -> Place {
    let place = Place {
        folder: TempDir::new().unwrap(),
        variables: Vec::new(),
    };
    place
        .set("PALISADE_ENV", "development")
        .set("DATABASE_URL", "sqlite://app.db")
        .set("PALISADE_SECRET_KEY", KEY)
}

fn production() -> Place {
    development()
        .set("PALISADE_ENV", "production")
        .set("PALISADE_ALLOWED_HOSTS", "api.example.org")
        .set("PALISADE_TRUSTED_PROXIES", "10.0.0.0/24")
}

impl Place {
    fn set(mut self, name: &str, value: &str) -> Self {
        self = self.unset(name);
        self.variables.push((name.into(), value.into()));
        self
    }

    fn unset(mut self, name: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self
    }

    fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    fn load<S: Settings>(&self) -> Loaded<S> {
        config::load(&Sources::new(self.folder.path(), self.variables.clone()))
    }

    fn read(&self) -> (config::Config, App) {
        self.load().finish().unwrap()
    }

    /// Each problem as `what | source | fix`.
    fn problems(&self) -> Vec<String> {
        let refusal = self.load::<App>().finish().unwrap_err();
        let line = |p: &config::Problem| format!("{} | {} | {}", p.what, p.source, p.fix);
        refusal.problems().iter().map(line).collect()
    }
}

/// Exactly these problems, each by the words that it must hold.
#[track_caller]
fn refused(place: Place, expected: &[&[&str]]) {
    let problems = place.problems();
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, words) in problems.iter().zip(expected) {
        for word in *words {
            assert!(problem.contains(word), "no {word:?} in {problem:?}");
        }
    }
}

#[test]
fn reads_defaults_and_what_is_set() {
    let (config, app) = development().read();
    assert_eq!(config.env, Environment::Development);
    assert_eq!(
        (config.host.to_string().as_str(), config.port),
        ("127.0.0.1", 3000)
    );
    assert_eq!(config.body_limit.bytes(), 65_536);
    assert_eq!(config.auth.access_token_lifetime, Duration::from_secs(900));
    assert!(
        config.secret_key.is(&Key::parse(KEY).unwrap()) && config.secret_key_previous.is_none()
    );
    assert!(config.allowed_hosts.allows("localhost:3000") && config.trusted_proxies.is_empty());
    assert_eq!(
        (app.motto.as_str(), app.per_page, app.mail.dry),
        ("be careful", 20, false)
    );
    assert!(app.api_key.is_none() && app.tags.is_none() && app.mail.from.is_none());
}

#[test]
fn lays_the_environment_over_dotenv_over_the_file_over_defaults() {
    let file = "[app]\nmotto = \"file\"\nper_page = 7\ntags = [\"a\", \"b\"]\n[app.mail]\nfrom = \"file\"\ndry = true\n";
    let place = development()
        .file("palisade.toml", file)
        .file(
            ".env",
            "PALISADE_APP__MOTTO=dotenv\nPALISADE_APP__PER_PAGE=8\n",
        )
        .set("PALISADE_APP__PER_PAGE", "9");
    let (_, app) = place.read();
    assert_eq!((app.motto.as_str(), app.per_page), ("dotenv", 9));
    assert_eq!(app.tags.unwrap(), ["a", "b"]);
    assert_eq!(
        (app.mail.from.as_deref(), app.mail.dry),
        (Some("file"), true)
    );
}

#[test]
fn takes_variables_as_they_are_written() {
    let place = development()
        .set("PALISADE_APP__MAIL__FROM", "0123")
        .set("PALISADE_APP__MOTTO", "[\"x\"] 'y'")
        .set("PALISADE_APP__API_KEY", "1234567890123");
    let (_, app) = place.read();
    assert_eq!(app.mail.from.as_deref(), Some("0123"));
    assert_eq!(app.motto, "[\"x\"] 'y'");
    assert_eq!(app.api_key.unwrap().expose(), "1234567890123");
}

#[test]
fn takes_an_optional_table_when_any_of_it_is_written() {
    assert!(development().read().1.spare.is_none());
    let (_, app) = development()
        .set("PALISADE_APP__SPARE__SERVER", "b.example")
        .read();
    let spare = app.spare.unwrap();
    assert_eq!((spare.server.as_str(), spare.port), ("b.example", 25));
    let problems = development()
        .set("PALISADE_APP__SPARE__PORT", "26")
        .problems();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("`PALISADE_APP__SPARE__SERVER` is missing"),
        "{problems:?}"
    );
}

#[test]
fn any_error_becomes_a_problem_of_the_start() {
    fn put_together() -> Result<u8, config::Refusal> {
        Ok("x".parse::<u8>()?)
    }
    let refusal = put_together().unwrap_err();
    assert_eq!(refusal.problems()[0].what, "invalid digit found in string");
    let mut all = config::Refusal::default();
    all.merge(refusal.clone());
    all.merge(refusal);
    assert_eq!(all.problems().len(), 1);
}

#[test]
fn reads_mounted_files() {
    let place = production()
        .unset("PALISADE_SECRET_KEY")
        .file("key", &format!("{KEY}\n"))
        .set("PALISADE_SECRET_KEY_FILE", "key");
    assert!(place.read().0.secret_key.is(&Key::parse(KEY).unwrap()));
}

#[test]
fn is_in_production_when_nobody_says_otherwise() {
    assert_eq!(
        production().unset("PALISADE_ENV").read().0.env,
        Environment::Production
    );
}

#[test]
fn finds_the_environment_in_dotenv_alone() {
    let env = format!(
        "PALISADE_ENV=development\nDATABASE_URL=sqlite://x.db\nPALISADE_SECRET_KEY=dev_{KEY}\n"
    );
    let mut place = development().file(".env", &env);
    place.variables.clear();
    let (config, _) = place.read();
    assert_eq!(config.env, Environment::Development);
    assert!(config.secret_key.is_for_development());
}

#[test]
fn ignores_dotenv_in_production_and_says_so() {
    let loaded: Loaded<App> = production()
        .file(".env", "PORT=1\nPALISADE_NONSENSE=1\n")
        .load();
    assert_eq!(
        loaded.notices,
        ["`.env` is not read in production: it is for development alone"]
    );
    assert_eq!(loaded.finish().unwrap().0.port, 3000);
}

#[test]
fn accepts_the_previous_key_during_a_rotation() {
    let (config, _) = production()
        .set("PALISADE_SECRET_KEY_PREVIOUS", OTHER)
        .read();
    assert!(
        config
            .secret_key_previous
            .unwrap()
            .is(&Key::parse(OTHER).unwrap())
    );
}

#[path = "config_docs.rs"]
mod docs;
#[path = "config_refusals.rs"]
mod refusals;

#[test]
fn starts_in_production_with_tls_or_a_declared_proxy_or_a_unix_socket() {
    let bare = || production().unset("PALISADE_TRUSTED_PROXIES");
    assert_eq!(bare().problems().len(), 1);
    let tls = |place: Place| {
        place
            .set("PALISADE_TLS__CERTIFICATE", "cert.pem")
            .set("PALISADE_TLS__KEY", "key.pem")
    };
    for place in [
        production(),
        tls(bare()),
        tls(production()),
        bare().set("HOST", "unix:/run/app/http.sock"),
        bare().file(
            "palisade.toml",
            "[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n",
        ),
    ] {
        assert_eq!(place.load::<()>().refusal.problems(), &[]);
    }
    // A limit of TLS alone is no TLS.
    let half = bare().set("PALISADE_TLS__REDIRECT_PORT", "80");
    assert!(!half.problems().is_empty());
}
