//! Judges secrets: whether one is too short to resist guessing, and whether one is used for two purposes.
//! It is given what could be read, and says of a secret what it is for and where it is, never what it is.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::plan::{Plan, StorePlan};
use super::report::{Effect, Fault, Report};
use super::secrets::SecretRef;
use crate::authenticate::same;
use crate::model::Secret;

/// The least number of bytes of a secret that people choose: 16 random bytes cannot be guessed, and every
/// sender that makes secrets makes longer ones, except those below.
const LEAST: usize = 16;
/// Providers whose sender makes shorter secrets by itself, with their length.
const SHORTER: [(&str, usize); 1] = [("dropbox", 15)];
/// The least number of different bytes. `aaaaaaaaaaaaaaaa` is long and easily guessed.
const DIFFERENT: usize = 6;
/// Providers whose `secrets` are public keys of the sender.
const PUBLIC: [&str; 2] = ["travis-ci", "discord"];

/// What a secret is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Proves the deliveries of a source.
    Webhook(Arc<str>),
    /// Comes with each request of a source, beside its signature.
    AccessToken(Arc<str>),
    /// Starts jobs of a workbench.
    ApiKey(Arc<str>),
    /// Opens the admin API.
    AdminToken(Arc<str>),
    /// Opens the database.
    Database,
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
    public: bool,
}

/// Something doubtful about a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The position of the use that it is about.
    of: usize,
    /// Whether `check` refuses it. Otherwise it is a warning.
    pub refused: bool,
    /// What it is, in words.
    pub words: String,
    /// What to do.
    pub hint: String,
}

/// Every use of a secret in a plan. A process that starts no jobs leaves out API keys and admin tokens: it must
/// not have them in its memory.
pub(super) fn uses(plan: &Plan, dispatches: bool) -> Vec<Use> {
    let mut uses = Vec::new();
    let mut add = |purpose: Purpose, reference: &SecretRef, least, public| {
        uses.push(Use { purpose, reference: reference.clone(), least, public });
    };
    for source in plan.sources.values() {
        let provider = source.provider.name();
        let shorter = SHORTER.iter().find(|(name, _)| *name == provider);
        let least = Some(shorter.map_or(LEAST, |(_, least)| *least));
        for reference in &source.secrets {
            let public = PUBLIC.contains(&provider);
            add(Purpose::Webhook(source.name.clone()), reference, least, public);
        }
        for reference in &source.access_tokens {
            add(Purpose::AccessToken(source.name.clone()), reference, Some(LEAST), false);
        }
    }
    let admin_tokens = plan.server.admin_tokens.iter().filter(|_| dispatches);
    for (name, reference) in admin_tokens.chain(&plan.server.ingest_tokens) {
        add(Purpose::AdminToken(name.clone()), reference, Some(LEAST), false);
    }
    if let StorePlan::Postgres(database) = &plan.store
        && let Some(reference) = &database.password
    {
        add(Purpose::Database, reference, None, false);
    }
    for workbench in plan.workbenches.values().filter(|_| dispatches) {
        for (name, reference) in &workbench.api_keys {
            add(Purpose::ApiKey(name.clone()), reference, None, false);
        }
    }
    uses
}

/// Judges the uses, each with its secret if that could be read.
pub(super) fn judge(uses: &[(Use, Option<Secret>)]) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    for (of, (used, secret)) in uses.iter().enumerate() {
        if let Some(secret) = secret.as_ref().filter(|secret| !is_public(used, secret)) {
            doubts.extend(weak(of, used, secret));
        }
        for (other, known) in &uses[..of] {
            let equal = match (secret, known) {
                (Some(one), Some(two)) => same(one.expose(), two.expose()),
                _ => used.reference == other.reference,
            };
            let public = secret.as_ref().map_or(used.public, |secret| is_public(used, secret));
            if equal && !public && !used.purpose.may_share_with(&other.purpose) {
                doubts.push(Doubt {
                    of,
                    refused: false,
                    words: format!("{} is also {}", used.purpose, other.purpose),
                    hint: "whoever knows it for one purpose has the other, too; make one for each"
                        .to_owned(),
                });
            }
        }
    }
    doubts
}

fn weak(of: usize, used: &Use, secret: &Secret) -> Option<Doubt> {
    let least = used.least?;
    let bytes = secret.expose();
    let different = bytes.iter().collect::<BTreeSet<_>>().len();
    let words = if bytes.len() < least {
        format!("{} has fewer than {least} bytes, so it can be guessed", used.purpose)
    } else if different < DIFFERENT {
        format!("{} has fewer than {DIFFERENT} different bytes, so it can be guessed", used.purpose)
    } else {
        return None;
    };
    let hint = "make a random one, such as with `openssl rand -hex 32`, and give it to the other side, too";
    Some(Doubt { of, refused: true, words, hint: hint.to_owned() })
}

/// Whether it is a key that its owner publishes.
fn is_public(used: &Use, secret: &Secret) -> bool {
    let text = secret.expose().trim_ascii_start();
    used.public || text.starts_with(b"-----BEGIN") || text.starts_with(b"{")
}

/// Adds the doubts to a report, each at the place in the files where its reference stands.
pub(super) fn report(
    report: &mut Report,
    uses: &[(Use, Option<Secret>)],
    places: &[(SecretRef, Fault)],
) {
    for doubt in judge(uses) {
        let reference = &uses[doubt.of].0.reference;
        // A reference that is written twice has two places, in the order of its uses.
        let before =
            uses[..doubt.of].iter().filter(|(used, _)| used.reference == *reference).count();
        let mut of_reference = places.iter().filter(|(place, _)| place == reference);
        let Some((_, place)) = of_reference.clone().nth(before).or_else(|| of_reference.next())
        else {
            continue;
        };
        let fault = Fault { message: doubt.words, hint: Some(doubt.hint), ..place.clone() };
        match doubt.refused {
            true => report.faults.push(fault.with(Effect::Tolerated, Vec::new())),
            false => report.warnings.push(fault),
        }
    }
    report.apply_retention();
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "9f86d081884c7d659a2feaa0c55ad015";

    fn used(purpose: Purpose, reference: &str, secret: Option<&str>) -> (Use, Option<Secret>) {
        let least = (!matches!(purpose, Purpose::ApiKey(_))).then_some(LEAST);
        let reference = SecretRef::Env(reference.to_owned());
        (Use { purpose, reference, least, public: false }, secret.map(Secret::new))
    }

    fn said(uses: &[(Use, Option<Secret>)]) -> Vec<(bool, String)> {
        judge(uses).into_iter().map(|doubt| (doubt.refused, doubt.words)).collect()
    }

    #[test]
    fn a_short_or_monotonous_secret_is_refused_and_a_key_of_the_workbench_is_not() {
        for (secret, doubts) in [
            ("kurz7", 1),
            ("0123456789abcde", 1),
            ("0123456789abcdef", 0),
            ("aaaaaaaaaaaaaaaaaaaaaaaa", 1),
            ("-----BEGIN PUBLIC KEY-----", 0),
        ] {
            let found = said(&[used(Purpose::Webhook("a".into()), "A", Some(secret))]);
            assert_eq!(found.len(), doubts, "{secret}: {found:?}");
            assert!(found.iter().all(|(refused, words)| *refused && !words.contains(secret)));
            let key = said(&[used(Purpose::ApiKey("k".into()), "A", Some(secret))]);
            assert!(key.is_empty(), "{key:?}");
        }
        assert!(said(&[used(Purpose::AdminToken("ops".into()), "A", None)]).is_empty());
    }

    #[test]
    fn one_secret_for_two_purposes_is_warned_of_whether_it_can_be_read_or_not() {
        let webhook = |name: &str| Purpose::Webhook(name.into());
        let admin = || Purpose::AdminToken("ops".into());
        let by_value = [used(webhook("a"), "A", Some(GOOD)), used(admin(), "B", Some(GOOD))];
        let words = "the admin token `ops` is also the secret of source `a`";
        assert_eq!(said(&by_value), [(false, words.to_owned())]);
        let by_reference = [used(webhook("a"), "A", None), used(webhook("b"), "A", None)];
        assert_eq!(said(&by_reference).len(), 1);
        for fine in [
            [used(webhook("a"), "A", None), used(webhook("a"), "A", None)],
            [used(webhook("a"), "A", None), used(webhook("b"), "B", None)],
            [
                used(Purpose::ApiKey("k".into()), "A", None),
                used(Purpose::ApiKey("l".into()), "A", None),
            ],
        ] {
            assert_eq!(said(&fine), []);
        }
    }
}
