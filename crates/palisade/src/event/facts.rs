//! What an event tells beside its name, and which of them are alarming.

use uuid::Uuid;

use super::Event;

#[derive(Default)]
pub(super) struct Facts {
    pub(super) account: Option<Uuid>,
    pub(super) key: Option<Uuid>,
    pub(super) action: Option<&'static str>,
    pub(super) resource: Option<&'static str>,
    pub(super) reason: Option<&'static str>,
    pub(super) count: Option<u64>,
}

impl Event {
    pub(super) const fn is_alarming(&self) -> bool {
        !matches!(
            self,
            Self::AccountCreated { .. }
                | Self::SignedIn { .. }
                | Self::TokenCreated { .. }
                | Self::CredentialMissing { .. }
                | Self::TokensRevoked { .. }
                | Self::SessionCreated { .. }
                | Self::FactorRequired { .. }
                | Self::FactorEnrolled { .. }
                | Self::RecoveryCodesCreated { .. }
                | Self::EnrolmentRequired { .. }
                | Self::ApiKeyCreated { .. }
                | Self::ApiKeyRotated { .. }
                | Self::ApiKeyRevoked { .. }
                | Self::ReauthenticationRequired { .. }
                | Self::Reauthenticated { .. }
                | Self::SignedOut { .. }
                | Self::AccountAdministered { .. }
                | Self::AccountDeleted { .. }
                | Self::DataExported { .. }
                | Self::RecoveryRequested { .. }
                | Self::PasswordChanged { .. }
                | Self::AccountUpdated { .. }
                | Self::CertificateReplaced
                | Self::Started
                | Self::Stopped
        )
    }

    pub(super) fn facts(&self) -> Facts {
        let none = Facts::default();
        match *self {
            Self::AccountCreated { account }
            | Self::SignedIn { account }
            | Self::TokenCreated { account }
            | Self::TokenReused { account }
            | Self::TokensRevoked { account }
            | Self::SessionCreated { account }
            | Self::FactorRequired { account }
            | Self::FactorRefused { account }
            | Self::FactorReused { account }
            | Self::FactorEnrolled { account }
            | Self::FactorRemoved { account }
            | Self::RecoveryCodeUsed { account }
            | Self::RecoveryCodesCreated { account }
            | Self::EnrolmentRequired { account }
            | Self::ReauthenticationRequired { account }
            | Self::Reauthenticated { account }
            | Self::SignedOut { account }
            | Self::AccountDeleted { account }
            | Self::DataExported { account }
            | Self::PasswordChanged { account }
            | Self::PasswordChangeFailed { account } => Facts {
                account: Some(account),
                ..none
            },
            Self::ApiKeyCreated { account, key } | Self::ApiKeyRotated { account, key } => Facts {
                account: Some(account),
                key: Some(key),
                ..none
            },
            Self::ApiKeyRevoked { account, key } => Facts {
                account: Some(account),
                key,
                ..none
            },
            Self::ApiKeyRefused {
                account,
                key,
                reason,
            } => Facts {
                account,
                key,
                reason: Some(reason),
                ..none
            },
            Self::ApiKeyInQuery { account, key } => Facts {
                account,
                key,
                ..none
            },
            Self::SignInFailed { account } => Facts { account, ..none },
            Self::RecoveryRequested { purpose, account } => Facts {
                account,
                resource: Some(purpose),
                ..none
            },
            Self::RecoveryRefused { purpose, reason } => Facts {
                resource: Some(purpose),
                reason: Some(reason),
                ..none
            },
            Self::AccountUpdated { account, what } => Facts {
                account: Some(account),
                resource: Some(what),
                ..none
            },
            Self::MailLimited { purpose } => Facts {
                resource: Some(purpose),
                ..none
            },
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
            Self::TokenRefused { reason } | Self::SessionRefused { reason } => Facts {
                reason: Some(reason),
                ..none
            },
            Self::PrivilegesChanged {
                account,
                action,
                role,
            } => Facts {
                account: Some(account),
                action: Some(action),
                resource: Some(role),
                ..none
            },
            Self::AccountAdministered { account, action } => Facts {
                account: Some(account),
                action: Some(action),
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
            | Self::MailFailed { reason }
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
