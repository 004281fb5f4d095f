//! Settings: read in layers, checked as a whole, refused with every problem at once.
//!
//! From the weakest to the strongest: defaults in the code, `palisade.toml`, `.env` (development only), the environment.
//! Each variable has a twin `…_FILE` that names a mounted file. The guide lists every key: `docs/configuration.md`.

mod auth;
mod checks;
mod file;
mod framework;
mod layers;
mod limits;
mod mail;
mod metrics;
mod nearest;
mod network;
mod refusal;
mod rule;
mod section;
mod serving;
mod setting;
mod sources;
mod values;
mod variables;

pub use auth::{AuthConfig, TokenAlgorithm};
pub use framework::{Config, Environment, LogFilter};
pub use limits::{CorsConfig, LimitsConfig, Origins, RateClasses};
pub use mail::{LinkBase, MailConfig, MailTls, Sender};
pub use metrics::MetricsConfig;
pub use network::{AllowedHosts, Networks, ProxyHeader, TrustedProxies};
pub use refusal::{Problem, Refusal};
pub use rule::{Measured, Ranged};
#[doc(hidden)]
pub use rule::{Witness, measured, plain, ranged};
pub use section::Section;
pub use serving::{ClientCertificates, Host, ServeConfig, TlsConfig};
#[doc(hidden)]
pub use setting::{Member, Shape};
pub use setting::{Raw, Setting, Settings, Wrong};
pub use sources::Sources;
pub use values::{Rate, Size};

use layers::Layers;
use variables::DotEnv;

/// What was read, as far as it could be, and everything that was wrong with it.
pub struct Loaded<S> {
    /// The framework's settings, when each of them could be read.
    pub config: Option<Config>,
    /// The app's settings, when each of them could be read.
    pub settings: Option<S>,
    /// What keeps the service from starting.
    pub refusal: Refusal,
    /// What does not, but an operator wants to know: for the log, once there is one.
    pub notices: Vec<String>,
}

impl<S> Loaded<S> {
    /// Both, when nothing was wrong.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn finish(self) -> Result<(Config, S), Refusal> {
        match (self.config, self.settings) {
            (Some(config), Some(settings)) => self.refusal.or((config, settings)),
            _ => Err(self.refusal),
        }
    }
}

/// Reads the framework's settings and the app's.
///
/// # Security
/// A forgotten `PALISADE_ENV` means production. `.env` is opened to look for that one variable when the real environment
/// does not set it, and used only when the answer is `development`.
pub fn load<S: Settings>(sources: &Sources) -> Loaded<S> {
    let mut members = Config::MEMBERS.to_vec();
    members.push(Member::new("app", S::SHAPE));
    let mut refusal = Refusal::default();
    let mut notices = Vec::new();
    let mut layers = Layers::new(&members);

    let dotenv = DotEnv::read(sources);
    let named = sources.variable("PALISADE_ENV");
    let name = named.or_else(|| dotenv.variables.get("PALISADE_ENV").map(String::as_str));
    let development = name == Some("development");
    let production = matches!(name, None | Some("production"));

    file::read(sources, &members, &mut layers, &mut refusal);
    if development {
        variables::lay_dotenv(&dotenv, sources, &mut layers, &mut refusal);
    } else if dotenv.exists() {
        notices.push("`.env` is not read in production: it is for development alone".into());
    }
    variables::lay_environment(sources, &mut layers, &mut refusal);

    let mut section = Section::new(&layers, production, &mut refusal);
    let config = Config::gather(&mut section);
    let settings = S::gather(&mut section.enter("app"));
    checks::across(&layers, production, &mut refusal);
    Loaded {
        config,
        settings,
        refusal,
        notices,
    }
}
