//! New certificates while the service runs, and files that cannot be used.

use std::time::Duration;

use palisade::config::Sources;
use palisade::prelude::*;
use rustls::pki_types::CertificateDer;
use tokio::io::AsyncWriteExt as _;

use super::{Files, authority, client, handshake, issue, put};
use crate::serving::server::{LONG, Server, answer, logs};

async fn shown(server: &Server, authority: &super::Authority) -> CertificateDer<'static> {
    let stream = handshake(server.port, client(authority, None))
        .await
        .expect("shaken");
    let (_, session) = stream.get_ref();
    session.peer_certificates().expect("a certificate")[0]
        .clone()
        .into_owned()
}

fn first(pem: &str) -> CertificateDer<'static> {
    use rustls::pki_types::pem::PemObject as _;
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")
}

#[tokio::test(flavor = "multi_thread")]
async fn takes_a_new_pair_without_dropping_a_connection() {
    let authority = authority();
    let (old, new) = (issue(&authority, |_| {}), issue(&authority, |_| {}));
    let files = Files::new(&old);
    let server = files
        .serve(&[("PALISADE_TLS__RELOAD_INTERVAL", "50ms")])
        .await;
    let mut kept = handshake(server.port, client(&authority, None))
        .await
        .expect("shaken");
    let request = b"GET /mark HTTP/1.1\r\nhost: localhost\r\n\r\n";
    kept.write_all(request).await.expect("sent");
    assert!(answer(&mut kept).await.contains("marked"));
    assert_eq!(shown(&server, &authority).await, first(&old.0));

    files.write(&new);
    let changed = async {
        while shown(&server, &authority).await != first(&new.0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, changed)
        .await
        .expect("it is noticed");
    kept.write_all(request).await.expect("still open");
    assert!(answer(&mut kept).await.contains("marked"));
    logs(&["certificate_replaced"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_old_pair_when_the_new_one_is_wrong_and_says_so() {
    let authority = authority();
    let (old, new) = (issue(&authority, |_| {}), issue(&authority, |_| {}));
    let expired = issue(&authority, |params| {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    });
    let files = Files::new(&old);
    let server = files
        .serve(&[("PALISADE_TLS__RELOAD_INTERVAL", "50ms")])
        .await;
    for (certificate, key, reason) in [
        (new.0.as_str(), old.1.as_str(), "other_pair"),
        ("nothing", new.1.as_str(), "not_pem"),
        (expired.0.as_str(), expired.1.as_str(), "expired"),
    ] {
        put(files.0.path(), "cert.pem", certificate);
        put(files.0.path(), "key.pem", key);
        logs(&["certificate_kept", reason]).await;
        assert_eq!(shown(&server, &authority).await, first(&old.0));
    }
    std::fs::remove_file(files.0.path().join("key.pem")).expect("removed");
    logs(&["certificate_kept", "missing"]).await;
    assert_eq!(shown(&server, &authority).await, first(&old.0));
    // And the right one is taken after all that.
    files.write(&new);
    let changed = async {
        while shown(&server, &authority).await != first(&new.0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, changed)
        .await
        .expect("it is noticed");
}

/// What keeps it from starting with these files.
async fn refused(certificate: &str, key: &str, more: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = palisade::secret::key::Key::generate_text();
    let url = format!("sqlite:{}", folder.path().join("app.sqlite").display());
    let mut variables = vec![
        ("PALISADE_ENV", "development"),
        ("DATABASE_URL", url.as_str()),
        ("PALISADE_SECRET_KEY", secret.expose()),
        ("PALISADE_TLS__CERTIFICATE", certificate),
        ("PALISADE_TLS__KEY", key),
    ];
    variables.extend_from_slice(more);
    let app = App::from_sources::<()>(&Sources::new(folder.path(), variables))
        .and_then(|app| app.migrations(crate::app::THINGS).build())
        .expect("the settings are right");
    app.start().await.expect_err("it is refused").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn does_not_start_with_files_that_cannot_be_used() {
    let authority = authority();
    let (pair, other) = (issue(&authority, |_| {}), issue(&authority, |_| {}));
    let expired = issue(&authority, |params| {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    });
    let early = issue(&authority, |params| {
        params.not_before = rcgen::date_time_ymd(3001, 1, 1);
        params.not_after = rcgen::date_time_ymd(3002, 1, 1);
    });
    let files = Files::new(&pair);
    let folder = files.0.path();
    put(folder, "other.key", &other.1);
    put(folder, "expired.pem", &expired.0);
    put(folder, "expired.key", &expired.1);
    put(folder, "early.pem", &early.0);
    put(folder, "early.key", &early.1);
    put(folder, "text", "no PEM");
    put(
        folder,
        "locked",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let at = |name: &str| files.path(name);
    for (certificate, key, words) in [
        (
            at("none"),
            at("key.pem"),
            &["PALISADE_TLS__CERTIFICATE", "does not exist"],
        ),
        (
            at("cert.pem"),
            at("none"),
            &["PALISADE_TLS__KEY", "does not exist"],
        ),
        (
            at(""),
            at("key.pem"),
            &["PALISADE_TLS__CERTIFICATE", "cannot be read"],
        ),
        (
            at("text"),
            at("key.pem"),
            &["PALISADE_TLS__CERTIFICATE", "no certificate in PEM"],
        ),
        (
            at("key.pem"),
            at("key.pem"),
            &["PALISADE_TLS__CERTIFICATE", "no certificate in PEM"],
        ),
        (
            at("cert.pem"),
            at("text"),
            &["PALISADE_TLS__KEY", "no private key in PEM"],
        ),
        (
            at("cert.pem"),
            at("locked"),
            &["PALISADE_TLS__KEY", "no private key in PEM"],
        ),
        (
            at("cert.pem"),
            at("other.key"),
            &["PALISADE_TLS__KEY", "does not belong"],
        ),
        (
            at("expired.pem"),
            at("expired.key"),
            &["PALISADE_TLS__CERTIFICATE", "has expired"],
        ),
        (
            at("early.pem"),
            at("early.key"),
            &["PALISADE_TLS__CERTIFICATE", "not valid yet"],
        ),
        (
            at("cert.pem"),
            pair.1.clone(),
            &["PALISADE_TLS__KEY", "holds the text itself"],
        ),
    ] {
        let said = refused(&certificate, &key, &[]).await;
        assert!(
            said.starts_with("the service does not start: 1 problem\n"),
            "{said}"
        );
        assert!(
            words.iter().all(|word| said.contains(word)),
            "{words:?}: {said}"
        );
        assert!(
            said.contains("fix:") && !said.contains("PRIVATE KEY-----\n"),
            "{said}"
        );
    }
    let said = refused(
        &at("cert.pem"),
        &at("key.pem"),
        &[("PALISADE_TLS__CLIENT_CA", &at("text"))],
    )
    .await;
    assert!(
        said.contains("PALISADE_TLS__CLIENT_CA") && said.contains("no certificate"),
        "{said}"
    );
}
