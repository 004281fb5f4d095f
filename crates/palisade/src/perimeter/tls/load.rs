//! The files of TLS: read, and checked as a whole before they are used.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use webpki::{EndEntityCert, KeyUsage};

use crate::config::{ClientCertificates, Problem, TlsConfig};

const CERTIFICATE: &str = "PALISADE_TLS__CERTIFICATE";
const KEY: &str = "PALISADE_TLS__KEY";
const CLIENT_CA: &str = "PALISADE_TLS__CLIENT_CA";
/// A certificate that ends sooner is worth a line in the log.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// What is wrong with a file: the setting that names it, a word for the event, and the words for a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    setting: &'static str,
    pub(super) reason: &'static str,
    what: &'static str,
    fix: &'static str,
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let what = format!("the file that `{}` names {}", fault.setting, fault.what);
        Self::new(what, format!("`{}`", fault.setting), fault.fix)
    }
}

/// Where the files are.
#[derive(Debug, Clone)]
pub(super) struct Files {
    certificate: PathBuf,
    key: PathBuf,
    client_ca: Option<(PathBuf, ClientCertificates)>,
}

/// What was in them.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: zeroize::Zeroizing<Vec<u8>>,
    client_ca: Option<(Vec<u8>, ClientCertificates)>,
}

impl Files {
    pub(super) fn of(config: &TlsConfig) -> Self {
        Self {
            certificate: config.certificate.clone(),
            key: config.key.clone(),
            client_ca: config
                .client_ca
                .clone()
                .map(|path| (path, config.client_certificates)),
        }
    }

    pub(super) fn read(&self) -> Result<Contents, Fault> {
        let client_ca = match &self.client_ca {
            Some((path, wanted)) => Some((read(CLIENT_CA, path)?, *wanted)),
            None => None,
        };
        Ok(Contents {
            certificate: read(CERTIFICATE, &self.certificate)?,
            key: read(KEY, &self.key)?.into(),
            client_ca,
        })
    }

    /// What does not keep the service from starting, but should be mended.
    pub(super) fn notices(&self, contents: &Contents) -> Vec<String> {
        let mut notices = Vec::new();
        if is_open(&self.key) {
            notices.push(format!(
                "the file that `{KEY}` names can be read by every user of this machine: chmod 640 it"
            ));
        }
        if contents.ends_within(SOON) {
            notices.push(format!(
                "the certificate that `{CERTIFICATE}` names ends in less than 14 days: renew it"
            ));
        }
        notices
    }
}

/// A path is not repeated: it is where somebody may have pasted the key itself.
fn read(setting: &'static str, path: &Path) -> Result<Vec<u8>, Fault> {
    let fault = |reason, what, fix| Fault {
        setting,
        reason,
        what,
        fix,
    };
    if path.to_string_lossy().contains("-----BEGIN") {
        return Err(fault(
            "unreadable",
            "is no file: the setting holds the text itself",
            "write the text into a file, and its path into the setting",
        ));
    }
    std::fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => fault(
            "missing",
            "does not exist",
            "correct the path; it is looked for from the working folder",
        ),
        ErrorKind::PermissionDenied => fault(
            "unreadable",
            "may not be read by this user",
            "give the service's user the right to read it",
        ),
        _ => fault(
            "unreadable",
            "cannot be read",
            "give the path of a readable PEM file",
        ),
    })
}

#[cfg(unix)]
fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_open(_: &Path) -> bool {
    false
}

impl Contents {
    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, Fault> {
        certificates(CERTIFICATE, &self.certificate)
    }

    /// A configuration that serves with them.
    pub(super) fn server(&self) -> Result<Arc<ServerConfig>, Fault> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let chain = self.chain()?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| Fault {
            setting: KEY,
            reason: "not_pem",
            what: "holds no private key in PEM",
            fix: "give the file that begins with -----BEGIN PRIVATE KEY-----; a key under a passphrase cannot be used",
        })?;
        valid(&chain, UnixTime::now())?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|_| unusable())?;
        let builder = match self.verifier(&provider)? {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut server = builder.with_single_cert(chain, key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => Fault {
                setting: KEY,
                reason: "other_pair",
                what: "holds a key that does not belong to the certificate",
                fix: "give the key that the certificate was made for, the server's own certificate first in its file",
            },
            _ => Fault {
                setting: KEY,
                reason: "unusable",
                what: "holds a key of a kind that cannot be used",
                fix: "take an ECDSA P-256 or P-384, an Ed25519, or an RSA key of 2048 bits or more",
            },
        })?;
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        server.ticketer = aws_lc_rs::Ticketer::new().map_err(|_| unusable())?;
        Ok(Arc::new(server))
    }

    fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Option<Arc<dyn ClientCertVerifier>>, Fault> {
        let Some((pem, wanted)) = &self.client_ca else {
            return Ok(None);
        };
        let fault = Fault {
            setting: CLIENT_CA,
            reason: "not_pem",
            what: "holds no authority that can be used",
            fix: "give a file of one or more -----BEGIN CERTIFICATE----- of authorities",
        };
        let mut roots = RootCertStore::empty();
        for authority in certificates(CLIENT_CA, pem)? {
            roots.add(authority).map_err(|_| fault)?;
        }
        let builder =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let builder = match wanted {
            ClientCertificates::Optional => builder.allow_unauthenticated(),
            ClientCertificates::Required => builder,
        };
        builder.build().map(Some).map_err(|_| fault)
    }

    fn ends_within(&self, time: Duration) -> bool {
        let later = UnixTime::since_unix_epoch(Duration::from_secs(
            UnixTime::now().as_secs() + time.as_secs(),
        ));
        self.chain()
            .is_ok_and(|chain| valid(&chain, later).is_err_and(|fault| fault.reason == "expired"))
    }
}

fn unusable() -> Fault {
    Fault {
        setting: CERTIFICATE,
        reason: "unusable",
        what: "cannot be served with",
        fix: "take a certificate of version 3 for an ECDSA, Ed25519 or RSA key",
    }
}

fn certificates(setting: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(Fault {
            setting,
            reason: "not_pem",
            what: "holds no certificate in PEM",
            fix: "give the file that begins with -----BEGIN CERTIFICATE-----, such as fullchain.pem",
        }),
    }
}

/// Whether the server's own certificate can be read and is in its time. Who signed it is the clients' to judge.
fn valid(chain: &[CertificateDer<'_>], now: UnixTime) -> Result<(), Fault> {
    let fault = |reason, what, fix| Fault {
        setting: CERTIFICATE,
        reason,
        what,
        fix,
    };
    let Some(own) = chain
        .first()
        .and_then(|own| EndEntityCert::try_from(own).ok())
    else {
        return Err(unusable());
    };
    // The time is looked at before the signer, whom nobody knows here.
    match own.verify_for_usage(&[], &[], &[], now, KeyUsage::server_auth(), None, None) {
        Err(webpki::Error::CertExpired { .. }) => Err(fault(
            "expired",
            "holds a certificate that has expired",
            "renew it",
        )),
        Err(webpki::Error::CertNotValidYet { .. }) => Err(fault(
            "not_yet_valid",
            "holds a certificate that is not valid yet",
            "correct this machine's clock, or take a certificate that is valid now",
        )),
        _ => Ok(()),
    }
}
