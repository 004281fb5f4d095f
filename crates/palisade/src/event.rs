//! What happened: the request that it happened in, typed security events in the words of OWASP's logging vocabulary, the log.

mod context;
mod log;

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

pub use context::{RequestContext, RequestId, TraceParent};
pub use log::{LogFormat, dropped_lines, flush_log, start_log};

pub(crate) use context::Counted;
pub(crate) use log::{Access, access};

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
        /// How many since the last such event.
        count: u64,
    },
    /// A connection began with no PROXY header, with a wrong one, or with one that nobody may send.
    ProxyHeaderRefused {
        /// Why, in a word of the code, such as `undeclared`.
        reason: &'static str,
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

/// Forwarding headers of clients that are no declared proxies are common noise: one event tells the first, a count the rest.
pub(crate) fn forwarding_ignored() {
    if FORWARDING_IGNORED.fetch_add(1, Ordering::Relaxed) == 0 {
        Event::ForwardingIgnored.emit();
    }
}

static FORWARDING_IGNORED: AtomicU64 = AtomicU64::new(0);

impl Event {
    /// Its name in OWASP's vocabulary.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AccountCreated { .. } => "user_created",
            Self::SignedIn { .. } => "authn_login_success",
            Self::SignInFailed { .. } => "authn_login_fail",
            Self::TokenCreated { .. } => "authn_token_created",
            Self::TokenRefused { .. } => "authn_token_refused",
            Self::SignedOut { .. } => "authn_logout",
            Self::Denied { .. } => "authz_fail",
            Self::InputRefused { .. } => "input_validation_fail",
            Self::RequestRefused { .. } => "request_refused",
            Self::HostRefused => "malicious_host",
            Self::CrossSiteRefused { .. } => "malicious_csrf",
            Self::OriginRefused => "malicious_cors",
            Self::ForwardingIgnored => "malicious_forwarding",
            Self::RateLimited { .. } => "excess_rate_limit_exceeded",
            Self::Shed => "excess_load",
            Self::TimedOut { .. } => "sys_timeout",
            Self::Crashed { .. } => "sys_crash",
            Self::RequestMalformed { .. } => "request_malformed",
            Self::ConnectionsRefused { .. } => "excess_connections_refused",
            Self::ProxyHeaderRefused { .. } => "proxy_header_refused",
            Self::CredentialInPlainText => "credential_in_plain_text",
            Self::CertificateReplaced => "certificate_replaced",
            Self::CertificateKept { .. } => "certificate_kept",
            Self::Started => "sys_startup",
            Self::Stopped => "sys_shutdown",
            Self::StartRefused { .. } => "sys_startup_refused",
        }
    }

    /// Writes it to the log, with the id, client and account of the request that it happened in.
    pub fn emit(&self) {
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
            | Self::SignedOut { account } => Facts {
                account: Some(account),
                ..none
            },
            Self::SignInFailed { account } => Facts { account, ..none },
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
            Self::Crashed { route } | Self::TimedOut { route } => Facts {
                resource: Some(route),
                ..none
            },
            Self::RequestRefused { reason }
            | Self::RequestMalformed { reason }
            | Self::ProxyHeaderRefused { reason }
            | Self::CertificateKept { reason }
            | Self::CrossSiteRefused { sign: reason } => Facts {
                reason: Some(reason),
                ..none
            },
            Self::RateLimited { limit } => Facts {
                resource: Some(limit),
                ..none
            },
            Self::StartRefused { problems } => Facts {
                count: Some(problems as u64),
                ..none
            },
            Self::ConnectionsRefused { reason, count } => Facts {
                reason: Some(reason),
                count: Some(count),
                ..none
            },
            Self::HostRefused
            | Self::CredentialInPlainText
            | Self::CertificateReplaced
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
