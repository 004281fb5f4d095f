//! SMTP by lettre: over TLS or not at all.

use std::io;
use std::path::Path;

use lettre::message::{Mailbox, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::{Mail, MailError, Mailer, Sending};
use crate::config::{MailConfig, MailTls};

/// Hands mail to the SMTP server of the settings, each over a connection of its own.
///
/// # Security
/// TLS 1.2 or 1.3, with the server's certificate checked for its name (RFC 8314; CWE-297). A server without TLS gets neither the
/// password nor a mail. What a server says is not logged, since it repeats addresses: its code is.
#[derive(Debug)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// What keeps SMTP from being made ready, in the words of a refusal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpError {
    /// No server, or nobody who writes.
    #[error("`mail.host` or `mail.from` is missing")]
    Incomplete,
    /// The file of authorities cannot be read, or holds none.
    #[error("`mail.ca` is not a file of certificates in PEM")]
    Authorities,
    /// TLS cannot be made ready.
    #[error("TLS for mail cannot be made ready")]
    Tls,
}

impl Smtp {
    /// Makes ready; nothing is sent yet.
    ///
    /// # Errors
    /// When the settings name no server or no sender, or the file of authorities cannot be used.
    pub fn new(config: &MailConfig) -> Result<Self, SmtpError> {
        let (Some(host), Some(sender)) = (&config.host, &config.from) else {
            return Err(SmtpError::Incomplete);
        };
        let address: Address = sender
            .address()
            .parse()
            .map_err(|_| SmtpError::Incomplete)?;
        let mut tls = TlsParameters::builder(host.clone());
        if let Some(path) = &config.ca {
            tls = tls.certificate_store(CertificateStore::None);
            tls = tls.add_root_certificate(authorities(path).map_err(|_| SmtpError::Authorities)?);
        }
        let tls = tls.build_rustls().map_err(|_| SmtpError::Tls)?;
        let tls = match config.tls {
            MailTls::Implicit => Tls::Wrapper(tls),
            MailTls::StartTls => Tls::Required(tls),
        };
        // "Dangerous" is a builder that nobody gave TLS to; the next lines do.
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(config.port.unwrap_or(config.tls.port()))
            .tls(tls)
            .timeout(Some(config.timeout))
            .hello_name(ClientId::Domain(sender.domain().to_owned()));
        if let (Some(user), Some(password)) = (&config.user, &config.password) {
            builder =
                builder.credentials(Credentials::new(user.clone(), password.expose().clone()));
        }
        Ok(Self {
            transport: builder.build(),
            from: Mailbox::new(sender.name().map(str::to_owned), address),
        })
    }

    fn message(&self, mail: &Mail) -> Result<Message, MailError> {
        let refused = |what| MailError::Refused(Box::new(io::Error::other(what)));
        let to: Address = mail
            .to()
            .parse()
            .map_err(|_| refused("the address cannot be used by SMTP"))?;
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject())
            // Nobody's out-of-office note answers it (RFC 3834).
            .raw_header(header::HeaderValue::new(
                header::HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(header::ContentType::TEXT_PLAIN)
            .body(mail.body().to_owned())
            .map_err(|_| refused("the mail cannot be written"))
    }
}

/// The certificates of a PEM file.
fn authorities(path: &Path) -> io::Result<Certificate> {
    let pem = std::fs::read(path)?;
    let begins = b"-----BEGIN CERTIFICATE-----";
    if !pem.windows(begins.len()).any(|text| text == begins) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Certificate::from_pem(&pem).map_err(|_| io::ErrorKind::InvalidData.into())
}

impl Mailer for Smtp {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        Box::pin(async move {
            let message = self.message(mail)?;
            match self.transport.send(message).await {
                Ok(_) => Ok(()),
                Err(error) => Err(told(error)),
            }
        })
    }
}

/// An answer of the server is told by its code; what went wrong before it, by the library's words.
fn told(error: lettre::transport::smtp::Error) -> MailError {
    let permanent = error.is_permanent() || error.is_client();
    let cause: Box<dyn std::error::Error + Send + Sync> = match error.status() {
        Some(code) => Box::new(io::Error::other(format!("the server said {code}"))),
        None if error.is_response() => Box::new(io::Error::other("the server's answer is none")),
        None => Box::new(error),
    };
    if permanent {
        MailError::Refused(cause)
    } else {
        MailError::Later(cause)
    }
}
