//! The secrets of the configuration in force: those of a source, the key of a job, the tokens of admins, and what is
//! doubtful about them.

use std::ops::Deref;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::Live;
use crate::authenticate::same;
use crate::config::plan::{Held, JobPlan, SourcePlan};
use crate::config::secrets::{Pending, SecretFault, SecretRef};
use crate::config::strength::{self, Doubt, Known};
use crate::model::{Role, Secret};

/// The secrets of a source that could be read, each with its position in the source's list.
#[derive(Clone, Debug, Default)]
pub struct SourceSecrets {
    secrets: Vec<Secret>,
    places: Vec<usize>,
    access_tokens: Vec<Secret>,
    token_places: Vec<usize>,
}

impl SourceSecrets {
    fn push(&mut self, place: usize, secret: Secret) {
        self.secrets.push(secret);
        self.places.push(place);
    }

    /// The same secrets without white space at their ends; none where no secret has any. It tells people why a
    /// signature does not match, and nothing is accepted by it.
    pub fn without_blank_ends(&self) -> Option<Self> {
        let trimmed = |secrets: &[Secret]| {
            secrets.iter().map(|secret| Secret::new(secret.expose().trim_ascii())).collect()
        };
        let blank = |secret: &Secret| secret.expose().trim_ascii().len() < secret.expose().len();
        let any = self.secrets.iter().chain(&self.access_tokens).any(blank);
        any.then(|| Self {
            secrets: trimmed(&self.secrets),
            access_tokens: trimmed(&self.access_tokens),
            ..self.clone()
        })
    }

    /// All of them, to verify a request with.
    pub fn held(&self) -> Held<'_> {
        Held { secrets: &self.secrets, access_tokens: &self.access_tokens }
    }

    /// Positions in the source's list, in the order of the secrets. They differ from 0, 1, 2 … if a
    /// secret of the list could not be read.
    pub fn places(&self) -> &[usize] {
        &self.places
    }

    /// Positions of the access tokens in the source's list.
    pub fn token_places(&self) -> &[usize] {
        &self.token_places
    }
}

impl Deref for SourceSecrets {
    type Target = [Secret];

    fn deref(&self) -> &[Secret] {
        &self.secrets
    }
}

impl Live {
    /// What is doubtful about the secrets in use: a running gateway still uses them, so that an upgrade
    /// makes no source deaf. A process that starts no jobs asks without API keys and admin tokens.
    pub async fn doubts(&self, dispatches: bool) -> Vec<Doubt> {
        let mut looking = Vec::new();
        for used in strength::uses(&self.plan(), dispatches) {
            let pending = self.secrets.begin(&used.reference);
            looking.push((used, pending));
        }
        let mut known = Vec::new();
        for (used, pending) in looking {
            known.push((used, Known::of(pending.answer().await)));
        }
        let known: Vec<_> = known.iter().map(|(used, known)| (used, Known::clone(known))).collect();
        strength::judge(&known)
    }

    /// What is known of a secret without running a program. It blocks on the file system.
    pub(super) fn known(&self, reference: &SecretRef) -> Known {
        let read = self.secrets.read_without_program(reference);
        read.or_else(|| self.secrets.at_hand(reference)).map_or(Known::Unknown, Known::of)
    }

    /// The secrets with which other sources sign the challenges of their senders, with the names of those sources.
    /// None for a source that itself signs challenges: it accepts no text that could be one.
    async fn signing(&self, source: &SourcePlan) -> Vec<(Arc<str>, Secret)> {
        let mut signing = Vec::new();
        if source.provider.countersign().is_some() {
            return signing;
        }
        let plan = self.plan.load();
        let others = plan
            .sources
            .values()
            .filter(|other| other.name != source.name && other.provider.countersign().is_some());
        let begun: Vec<_> =
            others.map(|other| (Arc::clone(&other.name), self.begin(&other.secrets))).collect();
        for (name, pending) in begun {
            for pending in pending {
                signing
                    .extend(pending.answer().await.ok().map(|secret| (Arc::clone(&name), secret)));
            }
        }
        signing
    }

    /// The secrets of a source. It succeeds if one secret can be read, so that a source works while
    /// a secret is being replaced. The list is empty for an open source.
    ///
    /// # Errors
    /// The first fault, if none of the secrets, or none of the access tokens, can be read.
    pub async fn source_secrets(&self, source: &SourcePlan) -> Result<SourceSecrets, SecretFault> {
        // All look-ups begin before the first is awaited, so that they run at the same time.
        let access_tokens = self.begin(&source.access_tokens);
        let webhook_secrets = self.begin(&source.secrets);
        let signing = self.signing(source).await;
        let mut secrets = SourceSecrets::default();
        let mut first = None;
        for (place, (reference, pending)) in
            source.access_tokens.iter().zip(access_tokens).enumerate()
        {
            match pending.answer().await.and_then(|token| unsigned(reference, token, &signing)) {
                Ok(token) => {
                    secrets.access_tokens.push(token);
                    secrets.token_places.push(place);
                }
                Err(fault) => first = first.or(Some(fault)),
            }
        }
        if secrets.access_tokens.is_empty()
            && let Some(fault) = first.take()
        {
            return Err(fault);
        }
        first = None;
        for (place, (reference, pending)) in source.secrets.iter().zip(webhook_secrets).enumerate()
        {
            let secret = pending.answer().await;
            let usable = |secret| usable(source, reference, unsigned(reference, secret, &signing)?);
            match secret.and_then(usable) {
                Ok(secret) => secrets.push(place, secret),
                Err(fault) => first = first.or(Some(fault)),
            }
        }
        match first {
            Some(fault) if secrets.is_empty() => Err(fault),
            _ => Ok(secrets),
        }
    }

    fn begin(&self, references: &[SecretRef]) -> Vec<Pending> {
        references.iter().map(|reference| self.secrets.begin(reference)).collect()
    }

    /// The key to start a job with.
    ///
    /// # Errors
    /// The key cannot be read, or the workbench does not have it.
    pub async fn api_key(&self, job: &JobPlan) -> Result<Secret, SecretFault> {
        self.secrets.resolve(key_of(job)?).await
    }

    /// The key to start a job with, if neither a file has to be read nor a program run for it.
    pub fn api_key_at_hand(&self, job: &JobPlan) -> Option<Result<Secret, SecretFault>> {
        match key_of(job) {
            Ok(reference) => self.secrets.at_hand(reference),
            Err(fault) => Some(Err(fault)),
        }
    }

    /// The name of the person who holds this admin token. The tokens are compared as they arrive,
    /// so a token that is slow to read delays only a request that no other token matches.
    ///
    /// # Errors
    /// [`NoSuchToken`], if no admin has this token.
    pub async fn admin_token(&self, given: &[u8], role: Role) -> Result<Arc<str>, NoSuchToken> {
        let plan = self.plan();
        let mut looking = JoinSet::new();
        for (name, reference) in plan.server.tokens(role) {
            let (name, pending) = (Arc::clone(name), self.secrets.begin(reference));
            looking.spawn(async move { (name, pending.answer().await) });
        }
        let mut fault = NoSuchToken::Closed;
        while let Some(looked_up) = looking.join_next().await {
            let Ok((name, Ok(token))) = looked_up else { continue };
            if same(token.expose(), given) {
                return Ok(name);
            }
            fault = NoSuchToken::Unknown;
        }
        Err(fault)
    }
}

/// Why a token does not belong to an admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSuchToken {
    /// There is no admin token that can be used.
    Closed,
    /// It is none of the admin tokens.
    Unknown,
}

/// The secret, if no other source signs challenges with it: whoever sends such a challenge has the signature of a
/// text of their choice, and this source might accept it.
fn unsigned(
    reference: &SecretRef,
    secret: Secret,
    signing: &[(Arc<str>, Secret)],
) -> Result<Secret, SecretFault> {
    let signer = signing.iter().find(|(_, signs)| same(signs.expose(), secret.expose()));
    match signer {
        None => Ok(secret),
        Some((signer, _)) => Err(SecretFault::new(
            reference,
            format!(
                "cannot be used: source `{signer}` has it, too, and signs challenges with it; give each a secret of \
                 its own"
            ),
        )),
    }
}

/// The secret, if the source's provider can use it.
fn usable(
    source: &SourcePlan,
    reference: &SecretRef,
    secret: Secret,
) -> Result<Secret, SecretFault> {
    source
        .provider
        .check_secret(&secret, &source.options)
        .map_err(|reason| SecretFault::new(reference, format!("cannot be used: {reason}")))?;
    Ok(secret)
}

/// The reference to a job's key.
fn key_of(job: &JobPlan) -> Result<&SecretRef, SecretFault> {
    // The checks make sure of it, so only a plan that was built by hand lacks it.
    job.workbench.api_keys.get(&job.api_key).ok_or_else(|| {
        let reference = SecretRef::Env(job.api_key.to_string());
        SecretFault::new(&reference, "is not one of the workbench's keys")
    })
}
