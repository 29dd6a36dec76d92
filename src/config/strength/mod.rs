//! What secrets are for, and whether each is fit for it: not blank, not easily guessed, not used for two purposes.
//! It is given what could be read, and says of a secret what it is for and where it is, never what it is.

mod guess;
mod judge;

use std::fmt;
use std::sync::Arc;

use super::plan::{Plan, SourcePlan, StorePlan};
use super::report::{Effect, Fault, Report};
use super::secrets::{SecretFault, SecretRef};
use crate::model::Secret;
use crate::providers::{Options, Provider};
pub use judge::Doubt;
pub(super) use judge::judge;

/// The least number of bytes of a secret that people choose: 16 random bytes cannot be guessed, and every
/// sender that makes secrets makes longer ones, except those below.
const LEAST: usize = 16;
/// Providers whose sender makes shorter secrets by itself, with their length.
const SHORTER: [(&str, usize); 1] = [("dropbox", 15)];
/// Providers whose `secrets` are public keys of the sender.
const PUBLIC: [&str; 2] = ["travis-ci", "discord"];

/// What a secret is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// Proves the deliveries of a source.
    Webhook(Arc<str>),
    /// Comes with each request of a source, beside its signature.
    AccessToken(Arc<str>),
    /// Opens the admin API.
    AdminToken(Arc<str>),
    /// Opens the database.
    Database,
    /// Starts jobs of a workbench.
    ApiKey(Arc<str>),
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Webhook(source) => write!(f, "the secret of source `{source}`"),
            Self::AccessToken(source) => write!(f, "the access token of source `{source}`"),
            Self::ApiKey(name) => write!(f, "the API key `{name}`"),
            Self::AdminToken(name) => write!(f, "the admin token `{name}`"),
            Self::Database => f.write_str("the password of the database"),
        }
    }
}

impl Purpose {
    /// Whether one secret may serve both: several secrets of one source, and keys of workbenches, which the
    /// workbench makes.
    fn may_share_with(&self, other: &Self) -> bool {
        self == other || matches!((self, other), (Self::ApiKey(_), Self::ApiKey(_)))
    }
}

/// One use of a secret.
#[derive(Clone, Debug)]
pub(super) struct Use {
    pub(super) purpose: Purpose,
    pub(super) reference: SecretRef,
    /// The least number of bytes. `None` for a secret whose length somebody else decides.
    least: Option<usize>,
    /// Whether it is a public key, which is no secret.
    pub(super) public: bool,
    /// Whether its source signs the challenges of its sender with it.
    signs: bool,
    /// Whether its file may be missing or blank until the sender makes it.
    made_later: bool,
}

impl Use {
    /// Proves deliveries of a source. Provider and options are `None` where they have faults.
    pub(super) fn webhook(
        source: &str,
        provider: Option<&dyn Provider>,
        options: Option<&Options>,
        reference: SecretRef,
    ) -> Self {
        let name = provider.map_or("", Provider::name);
        let shorter = SHORTER.iter().find(|(provider, _)| *provider == name);
        let of_an_issuer = options.is_some_and(|options| {
            name == "jwt" && !options.algorithms.iter().any(|algorithm| algorithm.is_shared())
        });
        Self {
            purpose: Purpose::Webhook(source.into()),
            reference,
            least: Some(shorter.map_or(LEAST, |(_, least)| *least)),
            public: PUBLIC.contains(&name) || of_an_issuer,
            signs: provider.is_some_and(|provider| provider.countersign().is_some()),
            made_later: options.is_some_and(|options| options.learn_secret),
        }
    }

    /// Comes with the requests of a source.
    pub(super) fn access_token(source: &str, reference: SecretRef) -> Self {
        Self::chosen(Purpose::AccessToken(source.into()), reference)
    }

    /// Opens the admin API.
    pub(super) fn admin_token(name: &str, reference: SecretRef) -> Self {
        Self::chosen(Purpose::AdminToken(name.into()), reference)
    }

    /// Starts jobs of a workbench.
    pub(super) fn api_key(name: &str, reference: SecretRef) -> Self {
        Self { least: None, ..Self::chosen(Purpose::ApiKey(name.into()), reference) }
    }

    /// Opens the database.
    pub(super) fn database(reference: SecretRef) -> Self {
        Self { least: None, ..Self::chosen(Purpose::Database, reference) }
    }

    /// A secret that the people who run the gateway choose.
    fn chosen(purpose: Purpose, reference: SecretRef) -> Self {
        Self {
            purpose,
            reference,
            least: Some(LEAST),
            public: false,
            signs: false,
            made_later: false,
        }
    }
}

/// A use that stands in a file, with a fault that has its place and says nothing yet.
#[derive(Clone, Debug)]
pub(super) struct WrittenUse {
    pub(super) used: Use,
    pub(super) place: Fault,
}

/// What is known of a secret.
#[derive(Clone, Debug)]
pub(super) enum Known {
    Secret(Secret),
    /// There is nothing but white space.
    Blank,
    /// It could not be read.
    Unknown,
}

impl Known {
    pub(super) fn of(answer: Result<Secret, SecretFault>) -> Self {
        match answer {
            Ok(secret) => Self::Secret(secret),
            Err(fault) if fault.is_blank() => Self::Blank,
            Err(_) => Self::Unknown,
        }
    }
}

/// Every use of a secret in a plan. A process that starts no jobs leaves out API keys and admin tokens: it must
/// not have them in its memory.
pub(super) fn uses(plan: &Plan, dispatches: bool) -> Vec<Use> {
    let mut uses: Vec<Use> = plan.sources.values().flat_map(|source| of_source(source)).collect();
    let admin_tokens = plan.server.admin_tokens.iter().filter(|_| dispatches);
    for (name, reference) in admin_tokens.chain(&plan.server.ingest_tokens) {
        uses.push(Use::admin_token(name, reference.clone()));
    }
    if let StorePlan::Postgres(database) = &plan.store {
        uses.extend(database.password.clone().map(Use::database));
    }
    for workbench in plan.workbenches.values().filter(|_| dispatches) {
        let keys = workbench.api_keys.iter();
        uses.extend(keys.map(|(name, reference)| Use::api_key(name, reference.clone())));
    }
    uses
}

fn of_source(source: &SourcePlan) -> impl Iterator<Item = Use> {
    let webhook = |reference: &SecretRef| {
        let (provider, options) = (Some(source.provider), Some(&source.options));
        Use::webhook(&source.name, provider, options, reference.clone())
    };
    let token = |reference: &SecretRef| Use::access_token(&source.name, reference.clone());
    source.secrets.iter().map(webhook).chain(source.access_tokens.iter().map(token))
}

/// Adds the doubts to a report, each at the place in the files where its use stands.
pub(super) fn report(
    report: &mut Report,
    written: &[WrittenUse],
    read: impl Fn(&SecretRef) -> Known,
) {
    // Of two uses of one secret the later one is named first, so the order must not depend on the files.
    let mut written: Vec<&WrittenUse> = written.iter().collect();
    written.sort_by(|one, two| one.used.purpose.cmp(&two.used.purpose));
    let uses: Vec<_> =
        written.iter().map(|written| (&written.used, read(&written.used.reference))).collect();
    for doubt in judge(&uses) {
        let place = written[doubt.of].place.clone();
        let fault = Fault { message: doubt.words, hint: Some(doubt.hint), ..place };
        match doubt.effect {
            Effect::Nothing => report.warnings.push(fault),
            effect => report.faults.push(fault.with(effect, Vec::new())),
        }
    }
    report.apply_retention();
}

/// Adds only the doubts that keep a configuration from being in force: secrets of sources with which another one signs
/// challenges. It reads the secrets of sources and no others, and none where no source signs challenges.
pub(super) fn report_refused(
    report: &mut Report,
    written: &[WrittenUse],
    read: impl Fn(&SecretRef) -> Known,
) {
    if !written.iter().any(|written| written.used.signs) {
        return;
    }
    let of_sources = written.iter().filter(|written| {
        matches!(written.used.purpose, Purpose::Webhook(_) | Purpose::AccessToken(_))
    });
    let of_sources: Vec<WrittenUse> = of_sources.cloned().collect();
    let mut found = Report::default();
    self::report(&mut found, &of_sources, read);
    let refused = found.faults.into_iter().filter(|fault| fault.effect == Effect::FileHeldBack);
    report.faults.extend(refused);
    report.apply_retention();
}
