//! Each way not to start.

use super::*;

#[test]
fn names_what_is_missing() {
    let mut place = development();
    place.variables.clear();
    refused(
        place,
        &[
            &[
                "`DATABASE_URL` is missing",
                "DATABASE_URL=sqlite://data/app.db",
            ],
            &[
                "`PALISADE_SECRET_KEY` is missing",
                "openssl rand -base64 32",
                "PALISADE_SECRET_KEY_FILE",
            ],
            &[
                "`PALISADE_ALLOWED_HOSTS` is missing",
                "declared hosts",
                "allowed_hosts =",
            ],
            &[
                "`PALISADE_TRUSTED_PROXIES` is missing",
                "production needs TLS",
                "PALISADE_TLS__CERTIFICATE",
                "PALISADE_TLS__KEY",
                "trusted_proxies =",
            ],
        ],
    );
}

#[test]
fn tells_many_mistakes_at_once() {
    refused(
        development()
            .set("PORT", "http")
            .set("HOST", "localhost")
            .set("PALISADE_BODY_LIMIT", "big")
            .set("PALISADE_APP__PER_PAGE", "1000")
            .set("PALISADE_COLOUR", "red")
            .set("PALISADE_SECRET_KEY", "changeme")
            .file("palisade.toml", "handler_timeout = 5\nunknown = 1\n"),
        &[
            &["`unknown` is not a setting", "palisade.toml:2"],
            &["`PALISADE_COLOUR` is not a setting", "the environment"],
            &["`HOST` is not an IP address", "127.0.0.1"],
            &["`PORT` is not a whole number", "from 1 to 65535"],
            &["`PALISADE_SECRET_KEY` is well known"],
            &["`PALISADE_BODY_LIMIT` is not a size", "64 KiB"],
            &[
                "`handler_timeout` is not a duration",
                "palisade.toml:1",
                "15m",
            ],
            &["`PALISADE_APP__PER_PAGE` is out of range", "from 1 to 100"],
        ],
    );
}

#[test]
fn refuses_a_class_that_is_named_as_a_limit_of_ours() {
    for name in ["client", "sign-in", "sign-up", "refresh", "auth"] {
        variable(
            "PALISADE_LIMITS__CLASSES",
            &format!("search=60/min,{name}=600/min"),
            &["names a class as a limit of the framework", "another name"],
        );
    }
}

#[test]
fn refuses_a_nonsensical_count_of_proxies() {
    for count in ["0", "9", "-1"] {
        variable(
            "PALISADE_TRUSTED_PROXIES",
            count,
            &["is no count of proxies", "1 to 8", "leave it out"],
        );
    }
    variable(
        "PALISADE_TRUSTED_PROXIES",
        "10.0.0.0/24,2",
        &[
            "holds a count among networks",
            "either",
            "or their count alone",
        ],
    );
    refused(
        development().file("palisade.toml", "trusted_proxies = 0\n"),
        &[&["`trusted_proxies` is no count", "palisade.toml:1"]],
    );
}

/// One variable, and the words of its refusal.
#[track_caller]
fn variable(name: &str, value: &str, words: &[&str]) {
    let name_in_ticks = format!("`{name}`");
    let words = [&[name_in_ticks.as_str(), "the environment"], words].concat();
    refused(development().set(name, value), &[&words]);
}

#[test]
fn refuses_a_pepper_that_is_its_own_predecessor_or_has_no_successor() {
    let pepper = palisade::secret::key::Key::generate_text();
    let pepper = pepper.expose().as_str();
    refused(
        development()
            .set("PALISADE_AUTH__PEPPER", pepper)
            .set("PALISADE_AUTH__PEPPER_PREVIOUS", pepper),
        &[&["`PALISADE_AUTH__PEPPER_PREVIOUS` is the same key"]],
    );
    refused(
        development().set("PALISADE_AUTH__PEPPER_PREVIOUS", pepper),
        &[&["`PALISADE_AUTH__PEPPER_PREVIOUS` is a previous key without a current one"]],
    );
}

#[test]
fn refuses_values_of_the_wrong_kind() {
    variable("PORT", "0", &["is out of range", "from 1 to 65535"]);
    variable("PORT", "65536", &["is out of range", "from 1 to 65535"]);
    variable("PORT", "-1", &["is out of range"]);
    variable("PORT", "30.5", &["is not a whole number"]);
    variable("PORT", "", &["is set, but empty"]);
    variable(
        "HOST",
        "127.0.0.1:3000",
        &["is not an IP address", "without a port"],
    );
    variable(
        "PALISADE_HANDLER_TIMEOUT",
        "10 fortnights",
        &["is not a duration"],
    );
    variable(
        "PALISADE_HANDLER_TIMEOUT",
        "1ms",
        &["is out of range", "from 100ms to 5m"],
    );
    variable(
        "PALISADE_BODY_LIMIT",
        "1 GiB",
        &["is out of range", "from 1 KiB to 16 MiB"],
    );
    variable(
        "PALISADE_AUTH__ACCESS_TOKEN_LIFETIME",
        "30d",
        &["is out of range", "from 1m to 1h"],
    );
    variable(
        "PALISADE_AUTH__TOKEN_ALGORITHM",
        "none",
        &["is not an algorithm for tokens", "EdDSA, ES256 or HS256"],
    );
    variable(
        "PALISADE_AUTH__REFRESH_GRACE",
        "5m",
        &["is out of range", "from 0s to 30s"],
    );
    variable(
        "PALISADE_AUTH__RECHECK_AFTER",
        "1m",
        &["is out of range", "from 0s to 10s"],
    );
    // What protects passwords can be raised only.
    variable(
        "PALISADE_AUTH__PASSWORD_MEMORY",
        "18 MiB",
        &["is out of range", "from 19 MiB to 1 GiB"],
    );
    variable(
        "PALISADE_AUTH__PASSWORD_PASSES",
        "1",
        &["is out of range", "from 2 to 20"],
    );
    variable(
        "PALISADE_AUTH__PASSWORD_STRENGTH",
        "1",
        &["is out of range", "from 2 to 4"],
    );
    variable(
        "PALISADE_AUTH__PASSWORD_PARALLELISM",
        "0",
        &["is out of range", "from 1 to 256"],
    );
    variable(
        "PALISADE_AUTH__PEPPER",
        "salt-and-pepper",
        &["`PALISADE_AUTH__PEPPER` is"],
    );
    variable("PALISADE_LOG", "app=loudly=very", &["is not a log filter"]);
    variable(
        "PALISADE_APP__MOTTO",
        "a motto of more than twenty letters",
        &["too short or too long", "from 1 to 20"],
    );
    variable(
        "PALISADE_APP__MAIL__DRY",
        "yes",
        &["is neither true nor false"],
    );
    variable(
        "PALISADE_ENV",
        "staging",
        &["is neither `development` nor `production`"],
    );
    variable(
        "DATABASE_URL",
        "mysql://host/name",
        &["neither SQLite nor PostgreSQL", "postgres://"],
    );
    variable(
        "DATABASE_URL",
        "just some words",
        &["is not a database URL"],
    );
    variable(
        "PALISADE_ALLOWED_HOSTS",
        "https://example.org",
        &["is not a list of host names", "without scheme"],
    );
    variable(
        "PALISADE_ALLOWED_HOSTS",
        "*",
        &["is not a list of host names"],
    );
    variable(
        "PALISADE_TRUSTED_PROXIES",
        "10.0.0.0/33",
        &["is not a list of networks"],
    );
    variable(
        "PALISADE_TRUSTED_PROXIES",
        "10.0.0.0/8,0.0.0.0/0",
        &["trusts every address"],
    );
    variable(
        "PALISADE_SERVE__PROXY_PROTOCOL",
        "everybody",
        &["is not a list of networks"],
    );
    variable(
        "PALISADE_SERVE__PROXY_PROTOCOL",
        "::/0",
        &["trusts every address"],
    );
    variable("HOST", "unix:", &["names no Unix socket"]);
    variable("HOST", "localhost", &["is not an IP address"]);
    variable(
        "PALISADE_SERVE__HEAD_TIMEOUT",
        "2m",
        &["is out of range", "50ms"],
    );
    variable("PALISADE_SERVE__MAX_CONNECTIONS", "0", &["is out of range"]);
    // Half of a pair is no pair.
    refused(
        development().set("PALISADE_TLS__CERTIFICATE", "cert.pem"),
        &[&["`PALISADE_TLS__KEY` is missing", "set `PALISADE_TLS__KEY`"]],
    );
    refused(
        development().set("PALISADE_TLS__KEY", "key.pem"),
        &[&[
            "`PALISADE_TLS__CERTIFICATE` is missing",
            "set `PALISADE_TLS__CERTIFICATE`",
        ]],
    );
}

#[test]
fn refuses_weak_secrets() {
    let name = "PALISADE_SECRET_KEY";
    variable(
        name,
        "9b74c9897bac770ffc029102a200c5de",
        &["is shorter than 32 bytes", "openssl"],
    );
    variable(name, &"ab".repeat(32), &["repeats itself"]);
    variable(
        name,
        "these are words, and not a key at all, however long",
        &["neither hexadecimal nor base64"],
    );
    variable(
        name,
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
        &["is a sequence"],
    );
    variable(
        "PALISADE_SECRET_KEY_PREVIOUS",
        KEY,
        &["the same key as the current one"],
    );
    variable(
        "PALISADE_APP__API_KEY",
        "changeme",
        &["a secret that everybody knows"],
    );
    variable(
        "PALISADE_APP__API_KEY",
        "k7d",
        &["is shorter than 8 characters"],
    );
}

#[test]
fn names_the_nearest_setting() {
    variable(
        "PALISADE_BODY_LIMITS",
        "1 KiB",
        &["did you mean `PALISADE_BODY_LIMIT`?"],
    );
    variable(
        "PALISADE_APP__MOTO",
        "x",
        &["did you mean `PALISADE_APP__MOTTO`?"],
    );
    variable("PALISADE_PORT", "80", &["did you mean `PORT`?"]);
    variable("PALISADE_AUTH", "x", &["is not a setting"]);
    let file = "[auth]\nisuer = \"x\"\n[app]\nper-page = 3\n[ap]\nx = 1\n";
    refused(
        development().file("palisade.toml", file),
        &[
            &[
                "`isuer` is not a setting in `[auth]`",
                "palisade.toml:2",
                "did you mean `issuer`?",
            ],
            &[
                "`per-page` is not a setting in `[app]`",
                "palisade.toml:4",
                "did you mean `per_page`?",
            ],
            &[
                "`ap` is not a setting",
                "palisade.toml:5",
                "did you mean `app`?",
            ],
        ],
    );
}

#[test]
fn tells_a_misspelt_secret_once() {
    refused(
        development()
            .unset("PALISADE_SECRET_KEY")
            .set("PALISADE_SECRTE_KEY", KEY),
        &[&[
            "`PALISADE_SECRTE_KEY` is not a setting",
            "did you mean `PALISADE_SECRET_KEY`?",
        ]],
    );
}

#[test]
fn refuses_secrets_from_the_committed_file_even_when_overridden() {
    let file = format!(
        "secret_key = \"{KEY}\"\ndatabase_url = \"postgres://app:x8fk2@db/app\"\n[app]\napi_key = \"k3yk3yk3y\"\n"
    );
    refused(
        development().file("palisade.toml", &file),
        &[
            &[
                "`secret_key` is a secret in a file that is committed",
                "palisade.toml:1",
                "`PALISADE_SECRET_KEY_FILE`",
            ],
            &[
                "`database_url` is a secret",
                "palisade.toml:2",
                "`DATABASE_URL`",
            ],
            &[
                "`app.api_key` is a secret",
                "palisade.toml:4",
                "`PALISADE_APP__API_KEY`",
            ],
        ],
    );
}

#[test]
fn takes_an_embedded_database_from_the_committed_file() {
    let place = development()
        .unset("DATABASE_URL")
        .file("palisade.toml", "database_url = \"sqlite://data/x.db\"\n");
    assert_eq!(place.read().0.database_url.expose(), "sqlite://data/x.db");
}

#[test]
fn refuses_the_environment_from_the_committed_file() {
    refused(
        production()
            .unset("PALISADE_ENV")
            .file("palisade.toml", "env = \"development\"\n"),
        &[&[
            "`env` stands in the committed file",
            "palisade.toml:1",
            "`PALISADE_ENV`",
        ]],
    );
}

#[test]
fn names_the_line_of_what_is_not_toml() {
    refused(
        development().file(
            "palisade.toml",
            "port = 80\nmotto = \"open\nhost = \"::1\"\n",
        ),
        &[
            &["this is not TOML", "palisade.toml:2"],
            &["`motto` is not a setting", "palisade.toml:2"],
        ],
    );
}

#[test]
fn refuses_tables_and_values_in_each_others_place() {
    refused(
        development().file(
            "palisade.toml",
            "auth = 1\nport = \"80\"\n[log]\nlevel = \"info\"\n[app]\nmotto = 3\ntags = \"a\"\n",
        ),
        &[
            &["`auth` is not a table", "palisade.toml:1", "[auth]"],
            &["`log` is not text", "palisade.toml:3"],
            &["`app.motto` is not text", "palisade.toml:6", "quotes"],
        ],
    );
}

#[test]
fn refuses_mounted_files_that_say_nothing() {
    refused(
        development()
            .unset("PALISADE_SECRET_KEY")
            .set("PALISADE_SECRET_KEY_FILE", "/nowhere/key"),
        &[&[
            "`PALISADE_SECRET_KEY_FILE` names a file that cannot be read",
            "not found",
        ]],
    );
    refused(
        development()
            .unset("DATABASE_URL")
            .set("DATABASE_URL_FILE", "."),
        &[&[
            "`DATABASE_URL_FILE` names a file that cannot be read",
            "is a directory",
        ]],
    );
    refused(
        development()
            .unset("DATABASE_URL")
            .file("url", "\n")
            .set("DATABASE_URL_FILE", "url"),
        &[&["`DATABASE_URL_FILE` is set, but empty"]],
    );
    refused(
        development()
            .file("url", "x")
            .set("DATABASE_URL_FILE", "url"),
        &[&[
            "`DATABASE_URL` and `DATABASE_URL_FILE` are both set",
            "keep one",
        ]],
    );
    let large = "a".repeat(65 * 1024);
    refused(
        development()
            .unset("DATABASE_URL")
            .file("url", &large)
            .set("DATABASE_URL_FILE", "url"),
        &[&["`DATABASE_URL_FILE` names a file of more than 64 KiB"]],
    );
}

#[test]
fn refuses_a_chosen_file_that_is_not_there() {
    refused(
        development().set("PALISADE_CONFIG", "other.toml"),
        &[&[
            "the file that `PALISADE_CONFIG` names cannot be read",
            "not found",
        ]],
    );
}

#[test]
fn names_the_line_of_dotenv() {
    refused(
        development().file(
            ".env",
            "# ours\nPORT=http\nthis is no variable\nPALISADE_HSOT=x\nOTHER=fine\n",
        ),
        &[
            &["a line cannot be read", ".env:3", "NAME=value"],
            &["`PALISADE_HSOT` is not a setting", ".env:4"],
            &["`PORT` is not a whole number", ".env:2"],
        ],
    );
}

#[test]
fn refuses_development_secrets_in_production() {
    refused(
        production()
            .set("PALISADE_SECRET_KEY", &format!("dev_{KEY}"))
            .set("PALISADE_APP__API_KEY", "dev_0c81f3aa"),
        &[
            &["`PALISADE_SECRET_KEY` is a development secret, and this is production"],
            &["`PALISADE_APP__API_KEY` is a development secret"],
        ],
    );
}

#[test]
fn refuses_a_well_known_database_password_in_production() {
    let url = "postgres://app:postgres@db.internal/app";
    refused(
        production().set("DATABASE_URL", url),
        &[&["`DATABASE_URL` holds a password that everybody knows"]],
    );
    assert!(
        development()
            .set("DATABASE_URL", url)
            .load::<App>()
            .refusal
            .is_empty()
    );
}

#[cfg(unix)]
#[test]
fn refuses_a_variable_that_is_not_text() {
    use std::os::unix::ffi::OsStringExt;
    let place = development();
    let mut variables: Vec<(String, std::ffi::OsString)> = place
        .variables
        .iter()
        .map(|(name, value)| (name.clone(), value.into()))
        .collect();
    variables.push((
        "PALISADE_LOG".into(),
        std::ffi::OsString::from_vec(vec![0xff]),
    ));
    let refusal = config::load::<()>(&Sources::new(place.folder.path(), variables)).refusal;
    assert!(
        refusal
            .to_string()
            .contains("`PALISADE_LOG` is not UTF-8 text")
    );
}

#[test]
fn shows_the_whole_list_as_one_text() {
    let refusal = development()
        .set("PORT", "http")
        .set("PALISADE_PROT", "1")
        .load::<()>()
        .refusal;
    insta::assert_snapshot!(refusal.to_string(), @"
    the service does not start: 2 problems

    1. `PALISADE_PROT` is not a setting
       from: the environment
       fix:  did you mean `PORT`?

    2. `PORT` is not a whole number
       from: the environment
       fix:  write a whole number, from 1 to 65535
    ");
}

#[test]
fn never_tells_a_value() {
    let planted: Vec<String> = (0..24)
        .map(|n| format!("pl4nted{n:02}Zq{}", n * 7919 + 104_729))
        .collect();
    let p = |n: usize| planted[n].as_str();
    let place = production()
        .set("DATABASE_URL", &format!("mysql://u:{}@h/n", p(0)))
        .set("PORT", p(1))
        .set("HOST", p(2))
        .set("PALISADE_SECRET_KEY", p(3))
        .set("PALISADE_SECRET_KEY_PREVIOUS", &format!("dev_{}", p(4)))
        .set("PALISADE_ALLOWED_HOSTS", &format!("https://{}", p(5)))
        .set("PALISADE_TRUSTED_PROXIES", p(6))
        .set("PALISADE_BODY_LIMIT", p(7))
        .set("PALISADE_HANDLER_TIMEOUT", p(8))
        .set("PALISADE_LOG", &format!("{}=={}", p(9), p(9)))
        .set("PALISADE_AUTH__ISSUER_FILE", p(10))
        .set("PALISADE_APP__PER_PAGE", p(11))
        .set("PALISADE_APP__API_KEY", &format!("dev_{}", p(12)))
        .set("PALISADE_APP__MOTTO", &p(13).repeat(3))
        .set("PALISADE_UNKNOWN", p(14))
        .file(
            "palisade.toml",
            &format!(
                "secret_key = \"{}\"\nport = \"{}\"\nlog = [\"{}\"]\nnobody = \"{}\"\n\"{}\" = 1\nauth = \"{}\"\nbroken = {}\n[app]\napi_key = \"{}\"\nx = \"{}",
                p(15), p(16), p(17), p(18), p(19), p(20), p(21), p(22), p(23),
            ),
        );
    let loaded = place.load::<App>();
    let text = format!("{0}{0:?}{1:?}", loaded.refusal, loaded.notices);
    assert!(loaded.refusal.problems().len() >= 18, "{text}");
    // `.env` is a layer of development alone.
    let dotenv = format!(
        "PALISADE_LOG='{0}=={0}'\nPALISADE_SECRET_KEY={1}\n{2} {3}\nPORT=\"{4}\n",
        p(0),
        p(1),
        p(2),
        p(3),
        p(4)
    );
    let text = text
        + &development()
            .unset("PALISADE_SECRET_KEY")
            .file(".env", &dotenv)
            .load::<App>()
            .refusal
            .to_string();
    for secret in &planted {
        assert!(!text.contains(secret.as_str()), "{secret} in {text}");
    }
}

#[test]
fn never_prints_the_secrets_that_it_read() {
    let place = production()
        .set("DATABASE_URL", "postgres://app:f8Kq2mZx0wPv@db/app")
        .set("PALISADE_SECRET_KEY_PREVIOUS", OTHER)
        .set("PALISADE_APP__API_KEY", "live_9fK2mQ7xZb");
    let text = format!("{:?}", place.read());
    for secret in [KEY, OTHER, "f8Kq2mZx0wPv", "live_9fK2mQ7xZb"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(
        text.contains("[redacted]") && text.contains("be careful"),
        "{text}"
    );
}
