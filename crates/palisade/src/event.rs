//! What happened: the request that it happened in, typed security events in the words of OWASP's logging vocabulary, the log.

mod context;
mod facts;
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

use facts::Facts;

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
        /// Who is locked out: `account`, `address`, `network`, `device` or `second_factor`.
        scope: &'static str,
    },
    /// A sign-in was refused unread, because too many failed before it.
    SignInBlocked {
        /// Who is locked out: `account`, `address`, `network`, `device` or `second_factor`.
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
    /// Sign-ins of an account were ended from elsewhere.
    TokensRevoked {
        /// The account.
        account: Uuid,
    },
    /// A browser's session began.
    SessionCreated {
        /// The account.
        account: Uuid,
    },
    /// A session cookie was presented that is not good.
    SessionRefused {
        /// Why: `expired`, `unknown` (it has ended, or never was), `malformed` or `ambiguous`.
        reason: &'static str,
    },
    /// A password was right, and the second factor of the account was asked for.
    FactorRequired {
        /// The account.
        account: Uuid,
    },
    /// A code of a second factor, or a recovery code, was wrong.
    FactorRefused {
        /// The account.
        account: Uuid,
    },
    /// A code was right, and was used before: somebody saw it, or sent it twice.
    FactorReused {
        /// The account.
        account: Uuid,
    },
    /// An account has a second factor from now on, or another one.
    FactorEnrolled {
        /// The account.
        account: Uuid,
    },
    /// An account has no second factor any more.
    FactorRemoved {
        /// The account.
        account: Uuid,
    },
    /// A recovery code was used; it is worth nothing any more.
    RecoveryCodeUsed {
        /// The account.
        account: Uuid,
    },
    /// An account got new recovery codes; the old ones are worth nothing any more.
    RecoveryCodesCreated {
        /// The account.
        account: Uuid,
    },
    /// A caller was refused what his roles give with a second factor alone; he has none.
    EnrolmentRequired {
        /// The account.
        account: Uuid,
    },
    /// An API key was made.
    ApiKeyCreated {
        /// The account that it belongs to.
        account: Uuid,
        /// The key's id.
        key: Uuid,
    },
    /// An API key was replaced by a new one of the same id.
    ApiKeyRotated {
        /// The account that it belongs to.
        account: Uuid,
        /// The key's id.
        key: Uuid,
    },
    /// An API key was ended.
    ApiKeyRevoked {
        /// The account that it belonged to.
        account: Uuid,
        /// The key's id; `None` when every key of the account was ended.
        key: Option<Uuid>,
    },
    /// An API key was presented that is not good.
    ApiKeyRefused {
        /// The account that it belongs to, when there is such a key.
        account: Option<Uuid>,
        /// The key's id, when there is such a key.
        key: Option<Uuid>,
        /// Why, in a word of the code: `malformed`, `unknown`, `secret`, `expired` or `address`.
        reason: &'static str,
    },
    /// An API key came in a URL, which others keep: it has to be replaced.
    ApiKeyInQuery {
        /// The account that it belongs to, when the key is good.
        account: Option<Uuid>,
        /// The key's id, when it is good.
        key: Option<Uuid>,
    },
    /// A caller was told to prove themselves again: his sign-in is too long ago for what he asked.
    ReauthenticationRequired {
        /// The account.
        account: Uuid,
    },
    /// Somebody proved themselves again; his old credential ended.
    Reauthenticated {
        /// The account.
        account: Uuid,
    },
    /// Somebody signed out.
    SignedOut {
        /// The account.
        account: Uuid,
    },
    /// An account was given a role, or lost one.
    PrivilegesChanged {
        /// The account.
        account: Uuid,
        /// `grant` or `revoke`.
        action: &'static str,
        /// The role, a name of the code.
        role: &'static str,
    },
    /// An administrator changed an account.
    AccountAdministered {
        /// The account.
        account: Uuid,
        /// What was done, in a word of the code, such as `disable`.
        action: &'static str,
    },
    /// An account was deleted, with all that belongs to it.
    AccountDeleted {
        /// The account that was.
        account: Uuid,
    },
    /// The data of an account was handed out whole.
    DataExported {
        /// The account.
        account: Uuid,
    },
    /// Somebody asked for a mail with a token, by an address that may be nobody's.
    RecoveryRequested {
        /// What the token is for: `verify`, `reset`, `change` or `cancel`.
        purpose: &'static str,
        /// The account, when there is one; the answer to the client never tells.
        account: Option<Uuid>,
    },
    /// A token of a mail was presented that is not valid.
    RecoveryRefused {
        /// What it was presented for: `verify`, `reset`, `change` or `cancel`.
        purpose: &'static str,
        /// Why, in a word of the code, such as `expired`.
        reason: &'static str,
    },
    /// An account's password was changed.
    PasswordChanged {
        /// The account.
        account: Uuid,
    },
    /// Somebody who is signed in gave a wrong password where it was asked for again.
    PasswordChangeFailed {
        /// The account.
        account: Uuid,
    },
    /// Something else of an account was changed.
    AccountUpdated {
        /// The account.
        account: Uuid,
        /// What: `email_verified`, `email` or `email_change_cancelled`.
        what: &'static str,
    },
    /// A mail was not sent, because as many as may had gone to its address.
    MailLimited {
        /// What it was for, such as `reset`.
        purpose: &'static str,
    },
    /// A mail was given up.
    MailFailed {
        /// Why, in a word of the code, such as `refused`.
        reason: &'static str,
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
    SessionCreated = "session_created",
    SessionRefused = "session_use_after_expire",
    FactorRequired = "authn_factor_required",
    FactorRefused = "authn_factor_fail",
    FactorReused = "authn_factor_reuse",
    FactorEnrolled = "authn_factor_enrolled",
    FactorRemoved = "authn_factor_removed",
    RecoveryCodeUsed = "authn_recovery_code_used",
    RecoveryCodesCreated = "authn_recovery_codes_created",
    EnrolmentRequired = "authn_factor_enrolment_required",
    ApiKeyCreated = "authn_api_key_created",
    ApiKeyRotated = "authn_api_key_rotated",
    ApiKeyRevoked = "authn_api_key_revoked",
    ApiKeyRefused = "authn_api_key_refused",
    ApiKeyInQuery = "authn_api_key_in_query",
    ReauthenticationRequired = "authn_reauthentication_required",
    Reauthenticated = "session_renewed",
    SignedOut = "authn_logout",
    PrivilegesChanged = "privilege_permissions_changed",
    AccountAdministered = "authz_admin",
    AccountDeleted = "user_deleted",
    DataExported = "sensitive_read",
    RecoveryRequested = "authn_recovery_requested",
    RecoveryRefused = "authn_recovery_refused",
    PasswordChanged = "authn_password_change",
    PasswordChangeFailed = "authn_password_change_fail",
    AccountUpdated = "user_updated",
    MailLimited = "excess_mail",
    MailFailed = "mail_failed",
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
        let context = RequestContext::new(RequestId::new(), client, false, None, None);
        Arc::new(context).enter(|| self.emit());
    }

    fn write(&self) {
        let event = self.name();
        let facts = self.facts();
        let account = facts.account.map(|id| id.to_string());
        let key = facts.key.map(|id| id.to_string());
        let Facts {
            action,
            resource,
            reason,
            count,
            ..
        } = facts;
        if self.is_alarming() {
            tracing::warn!(target: "palisade::event", event, account, key, action, resource, reason, count);
        } else {
            tracing::info!(target: "palisade::event", event, account, key, action, resource, reason, count);
        }
    }
}
