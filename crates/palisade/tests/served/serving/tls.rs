//! TLS: versions, certificates that change, clients that show one, and plain HTTP beside it.

mod h2load;
mod redirect;
mod reload;

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, NamedGroup, ProtocolVersion, RootCertStore};
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::server::{LONG, Server, connect, to_end};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("fine");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // A certificate whose signer is named like itself would look self-signed.
    params
        .distinguished_name
        .push(DnType::CommonName, "an authority of these tests");
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed")
}

/// A certificate for `localhost` and its key, in PEM.
fn issue(authority: &Authority, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("fine");
    change(&mut params);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("signed");
    (certificate.pem(), key.serialize_pem())
}

/// A folder with `cert.pem` and `key.pem`, and the settings that name them.
struct Files(tempfile::TempDir);

impl Files {
    fn new(pair: &(String, String)) -> Self {
        let files = Self(tempfile::tempdir().expect("a folder"));
        files.write(pair);
        files
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn write(&self, (certificate, key): &(String, String)) {
        put(self.0.path(), "cert.pem", certificate);
        put(self.0.path(), "key.pem", key);
    }

    async fn serve(&self, more: &[(&str, &str)]) -> Server {
        let (certificate, key) = (self.path("cert.pem"), self.path("key.pem"));
        let mut settings = vec![
            ("PALISADE_TLS__CERTIFICATE", certificate.as_str()),
            ("PALISADE_TLS__KEY", key.as_str()),
        ];
        settings.extend_from_slice(more);
        Server::start(&settings).await
    }
}

fn put(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("written");
}

fn client(authority: &Authority, own: Option<&(String, String)>) -> ClientConfig {
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).expect("an authority");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    match own {
        Some((certificate, key)) => {
            let chain = CertificateDer::pem_slice_iter(certificate.as_bytes());
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
            let chain = chain.collect::<Result<Vec<_>, _>>().expect("a chain");
            builder.with_client_auth_cert(chain, key).expect("a pair")
        }
        None => builder.with_no_client_auth(),
    }
}

async fn handshake(
    port: u16,
    config: ClientConfig,
) -> std::io::Result<TlsStream<tokio::net::TcpStream>> {
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = connect(port).await;
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    tokio::time::timeout(LONG, connecting)
        .await
        .expect("in time")
}

async fn get(stream: &mut TlsStream<tokio::net::TcpStream>, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all(request.as_bytes()).await;
    let _ = stream.flush().await;
    to_end(stream).await
}

#[tokio::test(flavor = "multi_thread")]
async fn speaks_tls_1_3_with_the_hybrid_key_exchange_and_both_http_versions() {
    let authority = authority();
    let server = Files::new(&issue(&authority, |_| {})).serve(&[]).await;
    for (offered, chosen) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let mut config = client(&authority, None);
        config.alpn_protocols = offered
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let mut stream = handshake(server.port, config).await.expect("shaken");
        let (_, session) = stream.get_ref();
        assert_eq!(session.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        assert_eq!(session.alpn_protocol(), chosen.map(str::as_bytes));
        let group = session.negotiated_key_exchange_group().expect("a group");
        assert_eq!(group.name(), NamedGroup::X25519MLKEM768);
        if chosen != Some("h2") {
            assert!(get(&mut stream, "/mark").await.contains("marked"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_over_http2_under_tls() {
    let authority = authority();
    let files = Files::new(&issue(&authority, |_| {}));
    put(files.0.path(), "ca.pem", &authority.pem());
    let server = files.serve(&[]).await;
    let url = format!("https://localhost:{}/mark", server.port);
    let ca = files.path("ca.pem");
    let said = tokio::task::spawn_blocking(move || {
        std::process::Command::new("curl")
            .args([
                "--cacert",
                &ca,
                "-sS",
                "-w",
                " %{http_version} %{http_code}",
                &url,
            ])
            .output()
            .expect("curl runs")
    });
    let said = said.await.expect("no panic");
    let text = String::from_utf8_lossy(&said.stdout);
    assert_eq!(text, r#"{"word":"marked"} 2 200"#, "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_versions_before_1_2() {
    let authority = authority();
    let server = Files::new(&issue(&authority, |_| {})).serve(&[]).await;
    for (version, accepted) in [
        ("-tls1", false),
        ("-tls1_1", false),
        ("-tls1_2", true),
        ("-tls1_3", true),
    ] {
        let place = format!("127.0.0.1:{}", server.port);
        let said = tokio::task::spawn_blocking(move || {
            std::process::Command::new("openssl")
                // The client itself would allow the old ones.
                .args([
                    "s_client",
                    "-connect",
                    &place,
                    version,
                    "-cipher",
                    "ALL:@SECLEVEL=0",
                ])
                .stdin(std::process::Stdio::null())
                .output()
                .expect("openssl runs")
        });
        let said = said.await.expect("no panic");
        let text = String::from_utf8_lossy(&said.stdout) + String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.success(), accepted, "{version}: {text}");
        // It is the server that says no.
        let alert = text.contains("SSL alert number");
        assert_eq!(alert, !accepted, "{version}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn drops_a_handshake_that_takes_too_long() {
    let authority = authority();
    let files = Files::new(&issue(&authority, |_| {}));
    let server = files
        .serve(&[
            ("PALISADE_TLS__HANDSHAKE_TIMEOUT", "300ms"),
            ("PALISADE_SERVE__FIRST_BYTE_TIMEOUT", "300ms"),
        ])
        .await;
    assert_eq!(server.raw(b"").await, "");
    assert_eq!(server.raw(b"\x16").await, "");
    assert_eq!(server.raw(b"\x16\x03\x01\x02\x00\x01\x00").await, "");
    // Shaken hands alone keep no place either.
    let server = files
        .serve(&[("PALISADE_SERVE__HEAD_TIMEOUT", "300ms")])
        .await;
    let mut stream = handshake(server.port, client(&authority, None))
        .await
        .expect("shaken");
    assert_eq!(to_end(&mut stream).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn knows_the_clients_certificate_and_believes_declared_authorities_alone() {
    let (servers, clients, others) = (authority(), authority(), authority());
    let files = Files::new(&issue(&servers, |_| {}));
    put(files.0.path(), "clients.pem", &clients.pem());
    let known = issue(&clients, |_| {});
    let unknown = issue(&others, |_| {});
    let (certificate, key, ca) = (
        files.path("cert.pem"),
        files.path("key.pem"),
        files.path("clients.pem"),
    );
    let fingerprint = {
        use rustls::pki_types::pem::PemObject as _;
        use sha2::Digest as _;
        let der = CertificateDer::from_pem_slice(known.0.as_bytes()).expect("a certificate");
        let digest = sha2::Sha256::digest(&der);
        digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    for wanted in ["required", "optional"] {
        let server = Server::start(&[
            ("PALISADE_TLS__CERTIFICATE", &certificate),
            ("PALISADE_TLS__KEY", &key),
            ("PALISADE_TLS__CLIENT_CA", &ca),
            ("PALISADE_TLS__CLIENT_CERTIFICATES", wanted),
        ])
        .await;
        // Under TLS 1.3 a client learns of its refusal at its first read.
        let ask = async |own: Option<&(String, String)>, path: &str| match handshake(
            server.port,
            client(&servers, own),
        )
        .await
        {
            Ok(mut stream) => get(&mut stream, path).await,
            Err(_) => String::new(),
        };
        let said = ask(Some(&known), "/certificate").await;
        assert!(
            said.contains(&format!(r#"{{"word":"{fingerprint}"}}"#)),
            "{said}"
        );
        assert_eq!(ask(Some(&unknown), "/mark").await, "", "{wanted}");
        let (said, asked) = (ask(None, "/mark").await, ask(None, "/certificate").await);
        if wanted == "optional" {
            assert!(said.contains("marked"), "{said}");
            super::server::assert_problem(&asked, 401);
        } else {
            assert_eq!((said.as_str(), asked.as_str()), ("", ""));
        }
    }
}
