//! SMTP for real: a small server on a port of this machine, with TLS from the first byte, by STARTTLS, or without.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use palisade::config::{self, Sources};
use palisade::mail::{Letter, Mail, MailError, Mailer as _, Outbox, Smtp};
use palisade::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::harness::{PASSWORD, Served, place, token_of};

/// When the server begins TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begins {
    Implicit,
    StartTls,
    Never,
}

/// What one connection said to the server.
#[derive(Debug, Clone, Default)]
struct Heard {
    commands: Vec<String>,
    /// Commands that came in plain text.
    plain: Vec<String>,
    data: String,
}

/// A server that hears everything and keeps it.
struct SmtpServer {
    port: u16,
    folder: tempfile::TempDir,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// What it says to the recipient of each connection, first to last; then that all is well.
type Answers = Arc<Mutex<VecDeque<&'static str>>>;

/// A certificate for this name, its key, and the authority's certificate.
fn certificate(name: &str) -> (ServerConfig, String) {
    let mut params = CertificateParams::new(Vec::new()).expect("fine");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let common = "an authority of these tests";
    params.distinguished_name.push(DnType::CommonName, common);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"));
    let authority = authority.expect("signed");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("fine");
    let key = KeyPair::generate().expect("a key");
    let own = params.signed_by(&key, &authority).expect("signed");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![own.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
        )
        .expect("they fit");
    (config, authority.pem())
}

impl SmtpServer {
    async fn start(begins: Begins, name: &str, answers: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let (config, authority) = certificate(name);
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), authority).expect("written");
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let all = Arc::clone(&heard);
        let tls = TlsAcceptor::from(Arc::new(config));
        let answers = Arc::new(Mutex::new(answers.iter().copied().collect::<VecDeque<_>>()));
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                let (tls, all, answers) = (tls.clone(), Arc::clone(&all), Arc::clone(&answers));
                tokio::spawn(async move {
                    let mut heard = Heard::default();
                    // A client that goes away in the middle is heard all the same.
                    let _ = converse(stream, begins, &tls, &answers, &mut heard).await;
                    all.lock().expect("not poisoned").push(heard);
                });
            }
        });
        Self {
            port,
            folder,
            heard,
        }
    }

    /// The settings of a service that sends its mail here.
    fn settings(&self, begins: Begins) -> Vec<(String, String)> {
        let tls = if begins == Begins::Implicit {
            "implicit"
        } else {
            "starttls"
        };
        let ca = self.folder.path().join("ca.pem").display().to_string();
        [
            ("PALISADE_MAIL__HOST", "localhost"),
            ("PALISADE_MAIL__PORT", &self.port.to_string()),
            ("PALISADE_MAIL__TLS", tls),
            ("PALISADE_MAIL__CA", &ca),
            ("PALISADE_MAIL__USER", "notes"),
            ("PALISADE_MAIL__PASSWORD", "an open sesame"),
            ("PALISADE_MAIL__FROM", "Grüße & Co. <notes@example.org>"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// What so many connections said, when they have ended.
    async fn heard(&self, count: usize) -> Vec<Heard> {
        let begun = Instant::now();
        loop {
            let heard = self.heard.lock().expect("not poisoned").clone();
            if heard.len() >= count {
                return heard;
            }
            assert!(begun.elapsed().as_secs() < 30, "{heard:?}");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

async fn converse(
    stream: TcpStream,
    begins: Begins,
    tls: &TlsAcceptor,
    answers: &Answers,
    heard: &mut Heard,
) -> std::io::Result<()> {
    if begins == Begins::Implicit {
        let stream = tls.accept(stream).await?;
        talk(
            &mut BufReader::new(stream),
            true,
            true,
            begins,
            answers,
            heard,
        )
        .await?;
        return Ok(());
    }
    let mut stream = BufReader::new(stream);
    if talk(&mut stream, true, false, begins, answers, heard).await? {
        let stream = tls.accept(stream.into_inner()).await?;
        talk(
            &mut BufReader::new(stream),
            false,
            true,
            begins,
            answers,
            heard,
        )
        .await?;
    }
    Ok(())
}

/// Answers commands; true when the client began TLS.
async fn talk(
    stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    greets: bool,
    secure: bool,
    begins: Begins,
    answers: &Answers,
    heard: &mut Heard,
) -> std::io::Result<bool> {
    if greets {
        stream.write_all(b"220 here\r\n").await?;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        let line = line.trim_end().to_owned();
        heard.commands.push(line.clone());
        if !secure {
            heard.plain.push(line.clone());
        }
        let word = line
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_uppercase();
        let answer = match word.as_str() {
            "EHLO" if !secure && begins == Begins::StartTls => "250-here\r\n250 STARTTLS",
            // One that offers to take the password in plain text.
            "EHLO" => "250-here\r\n250 AUTH PLAIN LOGIN",
            "STARTTLS" if begins == Begins::StartTls => {
                stream.write_all(b"220 go on\r\n").await?;
                return Ok(true);
            }
            "AUTH" => "235 welcome",
            "RCPT" => {
                let next = answers.lock().expect("not poisoned").pop_front();
                next.unwrap_or("250 fine")
            }
            "MAIL" | "RSET" | "NOOP" => "250 fine",
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).await?;
                    if line == ".\r\n" || line.is_empty() {
                        break;
                    }
                    heard.data.push_str(line.strip_prefix('.').unwrap_or(&line));
                }
                "250 taken"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(false);
            }
            _ => "502 what?",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

fn smtp(settings: &[(String, String)]) -> Smtp {
    let key = palisade::secret::key::Key::generate_text();
    let fixed = [
        ("PALISADE_ENV", "development"),
        ("DATABASE_URL", "sqlite:x"),
        ("PALISADE_SECRET_KEY", key.expose()),
    ];
    let own = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let sources = Sources::new("/nowhere", fixed.into_iter().chain(own));
    let config = config::load::<()>(&sources)
        .config
        .expect("the settings are read");
    Smtp::new(&config.mail).expect("made ready")
}

fn mail(subject: &str, body: &str) -> Mail {
    let to = Email::parse("ann@example.org").expect("an address");
    Mail::new(to, Letter::new(subject, body))
}

/// The head of a message with its folded lines put together, and its text decoded.
fn read(data: &str) -> (Vec<String>, String) {
    let (head, body) = data.split_once("\r\n\r\n").expect("a head");
    let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let head: Vec<String> = head.split("\r\n").map(str::to_owned).collect();
    let quoted = head
        .iter()
        .any(|line| line.eq_ignore_ascii_case("content-transfer-encoding: quoted-printable"));
    let text = if quoted {
        body.replace("=\r\n", "").replace("=3D", "=")
    } else {
        body.to_owned()
    };
    (head, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn carries_a_reset_to_the_one_who_asked() {
    for begins in [Begins::Implicit, Begins::StartTls] {
        let server = SmtpServer::start(begins, "localhost", &[]).await;
        let place = place().await;
        let mut settings = server.settings(begins);
        let base = ("PALISADE_MAIL__LINK_BASE", "https://app.example.org");
        settings.push((base.0.to_owned(), base.1.to_owned()));
        let settings: Vec<(&str, &str)> = settings
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        let app = place
            .bare(&settings)
            .expect("its settings")
            .build()
            .expect("it is built");
        let served = Served::of(app).await;
        served.sign_up("ann@example.org", PASSWORD).await;
        server.heard(1).await;
        served
            .post("/auth/reset", json!({"email": "ann@example.org"}))
            .await;
        let heard = server.heard(2).await;
        let heard = &heard[1];
        let said = |word: &str| heard.commands.iter().any(|line| line.starts_with(word));
        assert!(said("EHLO example.org"), "{begins:?}: {heard:?}");
        assert!(said("AUTH PLAIN"), "{heard:?}");
        assert!(said("MAIL FROM:<notes@example.org>"), "{heard:?}");
        assert!(said("RCPT TO:<ann@example.org>"), "{heard:?}");
        // Nothing before TLS but what asks for it.
        let plain = |line: &String| line.starts_with("EHLO ") || line == "STARTTLS";
        assert!(heard.plain.iter().all(plain), "{heard:?}");
        let (head, body) = read(&heard.data);
        for line in [
            "To: ann@example.org",
            "Subject: Choose another password",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(head.iter().any(|own| own == line), "{line}: {head:?}");
        }
        assert!(
            head.iter()
                .any(|line| line.starts_with("From: ") && line.ends_with("<notes@example.org>")),
            "{head:?}"
        );
        assert!(
            body.contains("https://app.example.org/reset#token="),
            "{body}"
        );
        let body = json!({"token": token_of(&body), "password": "seven other silver spoons"});
        assert_eq!(served.post("/auth/reset/confirm", body).await.status, 204);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_a_server_without_the_right_certificate_nothing() {
    let right = SmtpServer::start(Begins::Implicit, "localhost", &[]).await;
    for (begins, name, own_ca) in [
        // Another server's name; an authority that nobody trusts; no TLS at all.
        (Begins::Implicit, "smtp.example.org", true),
        (Begins::StartTls, "smtp.example.org", true),
        (Begins::Implicit, "localhost", false),
        (Begins::StartTls, "localhost", false),
        (Begins::Never, "localhost", true),
    ] {
        let server = SmtpServer::start(begins, name, &[]).await;
        let mut settings = server.settings(begins);
        if !own_ca {
            let other = right.folder.path().join("ca.pem").display().to_string();
            settings.retain(|(name, _)| name != "PALISADE_MAIL__CA");
            settings.push(("PALISADE_MAIL__CA".to_owned(), other));
        }
        let sent = smtp(&settings).send(&mail("Hello", "a token")).await;
        assert!(sent.is_err(), "{begins:?} {name}");
        let heard = server.heard(1).await;
        let told =
            |line: &String| !line.starts_with("EHLO ") && line != "STARTTLS" && line != "QUIT";
        assert!(
            !heard[0].commands.iter().any(told),
            "{begins:?} {name}: {heard:?}"
        );
        assert_eq!(heard[0].data, "");
    }
    // Without an authority of its own those of the web are asked, who know nothing of this one.
    let mut settings = right.settings(Begins::Implicit);
    settings.retain(|(name, _)| name != "PALISADE_MAIL__CA");
    let sent = smtp(&settings).send(&mail("Hello", "a token")).await;
    assert!(matches!(sent, Err(MailError::Later(_))), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn adds_no_line_to_a_head_whatever_is_written() {
    let server = SmtpServer::start(Begins::Implicit, "localhost", &[]).await;
    let smtp = smtp(&server.settings(Begins::Implicit));
    let subjects = [
        "Hello\r\nBcc: eve@example.org",
        "Hello\nX-Evil: 1\n\nbody",
        "Hello\r\n\r\n.\r\nMAIL FROM:<eve@example.org>",
        "Hello \u{2028}Bcc: eve@example.org",
        "=?utf-8?q?Hello=0D=0ABcc:_eve@example.org?=",
    ];
    for subject in subjects {
        let body = "first\n.\nMAIL FROM:<eve@example.org>\n\r\n.\r\nRCPT TO:<eve@example.org>\n";
        smtp.send(&mail(subject, body)).await.expect("sent");
    }
    for heard in server.heard(subjects.len()).await {
        let commands = |word: &str| {
            heard
                .commands
                .iter()
                .filter(|line| line.starts_with(word))
                .count()
        };
        assert_eq!(
            (commands("MAIL"), commands("RCPT"), commands("DATA")),
            (1, 1, 1),
            "{heard:?}"
        );
        let (head, body) = read(&heard.data);
        let mut names: Vec<&str> = head
            .iter()
            .filter_map(|line| line.split(':').next())
            .collect();
        names.sort_unstable();
        let expected = [
            "Auto-Submitted",
            "Content-Transfer-Encoding",
            "Content-Type",
            "Date",
            "From",
            "MIME-Version",
            "Subject",
            "To",
        ];
        let extra: Vec<_> = names
            .iter()
            .filter(|name| !expected.contains(name))
            .collect();
        assert!(
            extra.is_empty() && names.len() <= expected.len(),
            "{head:?}"
        );
        assert!(
            body.contains("MAIL FROM:<eve@example.org>"),
            "it is text: {body}"
        );
    }
    for bad in [
        "ann@example.org\r\nBcc: eve@example.org",
        "ann@example.org>\r\nRCPT TO:<eve@example.org",
        "ann@example.org, eve@example.org",
        "ann\n@example.org",
        "\"ann\r\n\"@example.org",
    ] {
        assert!(Email::parse(bad).is_err(), "{bad:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_again_what_was_put_off_and_not_what_was_refused() {
    let answers = ["451 later", "250 fine", "550 nobody here"];
    let server = SmtpServer::start(Begins::Implicit, "localhost", &answers).await;
    let settings = server.settings(Begins::Implicit);
    let outbox = Outbox::new(Some(Arc::new(smtp(&settings))));
    outbox.post(mail("put off", "one"));
    let heard = server.heard(2).await;
    assert!(
        heard[0].data.is_empty() && heard[1].data.contains("put off"),
        "{heard:?}"
    );
    let refused = smtp(&settings).send(&mail("refused", "two")).await;
    let Err(MailError::Refused(cause)) = refused else {
        panic!("not refused: {refused:?}");
    };
    // Its words may name the recipient.
    assert_eq!(cause.to_string(), "the server said 550");
}
