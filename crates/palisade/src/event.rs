//! What happened: the request that it happened in, typed security events in the words of OWASP's logging vocabulary, the log.

mod context;
mod log;
pub(crate) mod metrics;
mod sampled;
mod turns;

use std::net::IpAddr;
use std::sync::Arc;

use uuid::Uuid;

pub use context::{RequestContext, RequestId, TraceParent};
pub use log::{LogFormat, dropped_lines, flush_log, start_log};

pub(crate) use context::Counted;
pub(crate) use log::{Access, access};
pub(crate) use metrics::most_open_files;
pub(crate) use sampled::Sampled;
pub(crate) use turns::Turns;

/// A security event; [`emit`](Event::emit) writes it to the log under the target `palisade::event`, at once and past every filter.
///
/// # Security
/// An event has room for ids, names from the code and field names: nothing that a client wrote freely, and no secret.
/// Names follow the OWASP Application Logging Vocabulary, so that rules written for it find them.
///
/// # Example
/// ```
/// use palisade::event::Event;
/// let event = Event::InputRefused { route: "/notes", fields: 2 };
/// assert_eq!(event.name(), "input_validation_fail");
/// event.emit();
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// An account was made.
    AccountCreated {
        /// The new account.
        account: Uuid,
    },
    /// Somebody signed in.
    SignedIn {
        /// The account.
        account: Uuid,
    },
    /// A sign-in failed.
    SignInFailed {
        /// The account, when it exists; the answer to the client never tells.
        account: Option<Uuid>,
    },
    /// Somebody signed in after tries that failed.
    SignedInAfterFailures {
        /// The account.
        account: Uuid,
        /// How many failed before.
        failures: u64,
    },
    /// So many sign-ins failed that the next ones are refused for a minute or more.
    LockedOut {
        /// The account that was tried, when it exists.
        account: Option<Uuid>,
        /// Who is locked out: `account`, `address`, `network` or `device`.
        scope: &'static str,
    },
    /// A sign-in was refused unread, because too many failed before it.
    SignInBlocked {
        /// Who is locked out: `account`, `address`, `network` or `device`.
        scope: &'static str,
    },
    /// An access token was handed out.
    TokenCreated {
        /// The account that it speaks for.
        account: Uuid,
    },
    /// A token was presented that is not valid.
    TokenRefused {
        /// Why, in a word of the code, such as `expired`.
        reason: &'static str,
    },
    /// A request that needs a credential came without one.
    CredentialMissing {
        /// The route's path as the code declares it.
        route: &'static str,
    },
    /// A refresh token came back that was used before: somebody copied it, and its sign-in was ended.
    TokenReused {
        /// The account that it spoke for.
        account: Uuid,
    },
    /// Every sign-in of an account was ended.
    TokensRevoked {
        /// The account.
        account: Uuid,
    },
    /// Somebody signed out.
    SignedOut {
        /// The account.
        account: Uuid,
    },
    /// A policy or a permission said no.
    Denied {
        /// Who asked, when known.
        account: Option<Uuid>,
        /// The action or permission, a name of the code.
        action: &'static str,
        /// The kind of thing, a name of the code.
        resource: &'static str,
    },
    /// An input broke a rule.
    InputRefused {
        /// The route's path as the code declares it.
        route: &'static str,
        /// How many rules were broken.
        fields: usize,
    },
    /// A request was refused for its form: its size, type, address or head.
    RequestRefused {
        /// Which rule it broke: the kind of the problem that answered it, such as `too-large`.
        reason: &'static str,
    },
    /// A request asked for a host that is not served here.
    HostRefused,
    /// An unsafe request came from another site.
    CrossSiteRefused {
        /// Which sign told it: `fetch-metadata`, `origin` or `cookie`.
        sign: &'static str,
    },
    /// A client asks for one thing after another that is not there; at most one event a minute for each client.
    Probed,
    /// A page of an origin that is not allowed asked whether it may call.
    OriginRefused,
    /// A client sent forwarding headers and is not a declared proxy; they were ignored.
    ForwardingIgnored,
    /// A rate limit was reached.
    RateLimited {
        /// The limit's name: `client`, a class, or the route's path as the code declares it.
        limit: &'static str,
    },
    /// A request was turned away, because as many as may be were under way.
    Shed,
    /// A request was turned away, because as many passwords as may be were waiting for their hash.
    PasswordsFull,
    /// A handler took longer than its time.
    TimedOut {
        /// The route's path as the code declares it.
        route: &'static str,
    },
    /// A handler panicked.
    Crashed {
        /// The route's path as the code declares it.
        route: &'static str,
    },
    /// What a client sent was no request, or one that two servers could read in two ways.
    RequestMalformed {
        /// Why, in a word of the code, such as `two_lengths`.
        reason: &'static str,
    },
    /// Connections were turned away.
    ConnectionsRefused {
        /// Which limit they met.
        reason: &'static str,
        /// How many for this reason since the last such event.
        count: u64,
    },
    /// A connection began with no PROXY header, with a wrong one, or with one that nobody may send.
    ProxyHeaderRefused {
        /// Why, in a word of the code, such as `undeclared`.
        reason: &'static str,
        /// How many for this reason since the last such event.
        count: u64,
    },
    /// A client sent a credential over plain HTTP: it has to be replaced.
    CredentialInPlainText,
    /// The certificate was replaced while the service runs.
    CertificateReplaced,
    /// A new certificate or key could not be used; the old ones stay.
    CertificateKept {
        /// Why, in a word of the code, such as `expired`.
        reason: &'static str,
    },
    /// The service takes requests.
    Started,
    /// The service ends.
    Stopped,
    /// The service refused to start.
    StartRefused {
        /// How many problems there were.
        problems: usize,
    },
}

/// Forwarding headers of clients that are no declared proxies are common noise: one line tells the first, the count the rest.
pub(crate) fn forwarding_ignored() {
    let event = Event::ForwardingIgnored;
    if metrics::count(&event) == 0 {
        event.write();
    }
}

/// Names the events: one table, so that none can be without its name, its count and its place in the list.
macro_rules! named {
    ($($variant:ident = $name:literal,)*) => {
        enum Place {
            $($variant),*
        }

        impl Event {
            /// The names of all events.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            const fn place(&self) -> usize {
                match self {
                    $(Self::$variant { .. } => Place::$variant as usize),*
                }
            }
        }
    };
}

named! {
    AccountCreated = "user_created",
    SignedIn = "authn_login_success",
    SignInFailed = "authn_login_fail",
    SignedInAfterFailures = "authn_login_successafterfail",
    LockedOut = "authn_login_lock",
    SignInBlocked = "authn_login_fail_max",
    TokenCreated = "authn_token_created",
    TokenRefused = "authn_token_refused",
    CredentialMissing = "authn_credential_missing",
    TokenReused = "authn_token_reuse",
    TokensRevoked = "authn_token_revoked",
    SignedOut = "authn_logout",
    Denied = "authz_fail",
    InputRefused = "input_validation_fail",
    RequestRefused = "request_refused",
    HostRefused = "malicious_host",
    CrossSiteRefused = "malicious_csrf",
    Probed = "malicious_excess_404",
    OriginRefused = "malicious_cors",
    ForwardingIgnored = "malicious_forwarding",
    RateLimited = "excess_rate_limit_exceeded",
    Shed = "excess_load",
    PasswordsFull = "excess_passwords",
    TimedOut = "sys_timeout",
    Crashed = "sys_crash",
    RequestMalformed = "request_malformed",
    ConnectionsRefused = "excess_connections_refused",
    ProxyHeaderRefused = "proxy_header_refused",
    CredentialInPlainText = "credential_in_plain_text",
    CertificateReplaced = "certificate_replaced",
    CertificateKept = "certificate_kept",
    Started = "sys_startup",
    Stopped = "sys_shutdown",
    StartRefused = "sys_startup_refused",
}

impl Event {
    /// Its name in OWASP's vocabulary.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        Self::NAMES[self.place()]
    }

    /// Counts it, and writes it to the log with the id, client and account of the request that it happened in.
    pub fn emit(&self) {
        metrics::count(self);
        self.write();
    }

    /// The same for a client whose connection carries no request yet: the log names its address.
    pub(crate) fn emit_of(&self, client: IpAddr) {
        let context = RequestContext::new(RequestId::new(), client, false, None);
        Arc::new(context).enter(|| self.emit());
    }

    fn write(&self) {
        let event = self.name();
        let facts = self.facts();
        let account = facts.account.map(|id| id.to_string());
        let Facts {
            action,
            resource,
            reason,
            count,
            ..
        } = facts;
        if self.is_alarming() {
            tracing::warn!(target: "palisade::event", event, account, action, resource, reason, count);
        } else {
            tracing::info!(target: "palisade::event", event, account, action, resource, reason, count);
        }
    }

    const fn is_alarming(&self) -> bool {
        !matches!(
            self,
            Self::AccountCreated { .. }
                | Self::SignedIn { .. }
                | Self::TokenCreated { .. }
                | Self::CredentialMissing { .. }
                | Self::TokensRevoked { .. }
                | Self::SignedOut { .. }
                | Self::CertificateReplaced
                | Self::Started
                | Self::Stopped
        )
    }

    fn facts(&self) -> Facts {
        let none = Facts::default();
        match *self {
            Self::AccountCreated { account }
            | Self::SignedIn { account }
            | Self::TokenCreated { account }
            | Self::TokenReused { account }
            | Self::TokensRevoked { account }
            | Self::SignedOut { account } => Facts {
                account: Some(account),
                ..none
            },
            Self::SignInFailed { account } => Facts { account, ..none },
            Self::SignedInAfterFailures { account, failures } => Facts {
                account: Some(account),
                count: Some(failures),
                ..none
            },
            Self::LockedOut { account, scope } => Facts {
                account,
                resource: Some(scope),
                ..none
            },
            Self::SignInBlocked { scope } => Facts {
                resource: Some(scope),
                ..none
            },
            Self::TokenRefused { reason } => Facts {
                reason: Some(reason),
                ..none
            },
            Self::Denied {
                account,
                action,
                resource,
            } => Facts {
                account,
                action: Some(action),
                resource: Some(resource),
                ..none
            },
            Self::InputRefused { route, fields } => Facts {
                resource: Some(route),
                count: Some(fields as u64),
                ..none
            },
            Self::Crashed { route }
            | Self::TimedOut { route }
            | Self::CredentialMissing { route } => Facts {
                resource: Some(route),
                ..none
            },
            Self::RequestRefused { reason }
            | Self::RequestMalformed { reason }
            | Self::CertificateKept { reason }
            | Self::CrossSiteRefused { sign: reason } => Facts {
                reason: Some(reason),
                ..none
            },
            Self::RateLimited { limit } => Facts {
                resource: Some(limit),
                ..none
            },
            Self::PasswordsFull => Facts {
                resource: Some("passwords"),
                ..none
            },
            Self::StartRefused { problems } => Facts {
                count: Some(problems as u64),
                ..none
            },
            Self::ConnectionsRefused { reason, count }
            | Self::ProxyHeaderRefused { reason, count } => Facts {
                reason: Some(reason),
                count: Some(count),
                ..none
            },
            Self::HostRefused
            | Self::CredentialInPlainText
            | Self::CertificateReplaced
            | Self::Probed
            | Self::OriginRefused
            | Self::ForwardingIgnored
            | Self::Shed
            | Self::Started
            | Self::Stopped => none,
        }
    }
}

#[derive(Default)]
struct Facts {
    account: Option<Uuid>,
    action: Option<&'static str>,
    resource: Option<&'static str>,
    reason: Option<&'static str>,
    count: Option<u64>,
}
