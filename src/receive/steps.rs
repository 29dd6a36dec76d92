//! The pure steps of one request, from its bytes to the runs that it asks for.
//!
//! They do no I/O and read neither a clock nor random bits: the time, the secrets, the published keys and
//! the delivery's id are arguments.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::Method;
use http::request::Parts as Head;
use jiff::Timestamp;

use super::answer::Answer;
use super::leaks::Cleaned;
use crate::authenticate::{SecretFinder, Unverified};
use crate::config::{Plan, SecretFault, SourcePlan, SourceSecrets};
use crate::event::{Greeting, Reply, Understood, understand};
use crate::judge::{Detail, Judged, Unfinished, judge, judge_briefly};
use crate::model::{DeliveryId, Value};
use crate::providers::{Published, Verification, Wanted};

/// A request whose body has arrived completely.
pub(super) struct Arrived {
    pub(super) plan: Arc<Plan>,
    pub(super) source: Arc<SourcePlan>,
    pub(super) head: Arc<Head>,
    /// The path after the source's name; empty as a rule.
    pub(super) rest: String,
    pub(super) body: Bytes,
    /// Finds the source's secrets in it.
    pub(super) finder: Arc<SecretFinder>,
    /// The client's address as text; empty where it is not known.
    pub(super) remote: String,
    /// When the request came in. These steps only carry it, for the duration that the log shows.
    pub(super) began: Instant,
}

/// The result of all the pure steps.
pub(super) enum Taken {
    /// An authentic delivery, judged by the routes.
    Delivery(Box<Judgement>),
    /// A greeting that is not signed as deliveries are.
    Greeting(Greeting),
}

/// The result of authentication and parsing, before the routes are judged.
pub(super) enum Proven {
    /// A delivery, authentic and parsed.
    Delivery(Box<Authentic>),
    /// A greeting that is not signed as deliveries are.
    Greeting(Greeting),
}

/// An authentic delivery, parsed.
pub(super) struct Authentic {
    pub(super) understood: Understood,
    /// The index of the secret that matched, in the list of secrets that it was verified with.
    pub(super) secret: Option<usize>,
    /// The index of the access token that came with the signature, in the list of access tokens.
    pub(super) access_token: Option<usize>,
    /// The claims of the sender's token, as JSON; none where there is no token.
    pub(super) claims: Option<String>,
    /// The answer to a greeting that asks the gateway to prove that it holds the secret too.
    pub(super) proven_back: Option<Reply>,
    /// The request without the source's secrets, where it had some in a place that is kept.
    pub(super) cleaned: Option<Box<Cleaned>>,
}

/// An authentic delivery, with the verdicts and runs of its source's routes.
pub(super) struct Judgement {
    pub(super) authentic: Authentic,
    pub(super) judged: Judged,
}

impl Arrived {
    fn request(&self) -> Unverified<'_> {
        Unverified {
            method: &self.head.method,
            path: self.head.uri.path(),
            rest: &self.rest,
            query: self.head.uri.query().unwrap_or_default(),
            headers: &self.head.headers,
            body: &self.body,
        }
    }

    /// The published keys that are needed to verify the request; none where it needs none.
    pub(super) fn wanted(&self) -> Option<Wanted> {
        let source = &self.source;
        let may_be = self.head.method == Method::POST && self.rest.is_empty();
        let request = may_be && !source.unauthenticated;
        request.then(|| source.provider.wanted(&self.request(), &source.options)).flatten()
    }

    /// Authenticates the request and parses it.
    ///
    /// # Errors
    /// The answer that the sender gets.
    pub(super) fn prove(
        &self,
        secrets: Result<&SourceSecrets, &SecretFault>,
        published: Option<&Published>,
        now: Timestamp,
    ) -> Result<Proven, Answer> {
        let source = &self.source;
        let request = self.request();
        // The sender's first greeting may come before the source has a secret.
        let held = secrets.map(SourceSecrets::held).unwrap_or_default();
        let verification = Verification { published, ..source.verification(held, now) };
        match source.provider.greet(&request, &verification) {
            Some(Ok(greeting)) => return Ok(Proven::Greeting(greeting)),
            Some(Err(refusal)) => return Err(Answer::Refused(refusal)),
            None => {}
        }
        if self.head.method != Method::POST {
            return Err(Answer::WrongMethod);
        }
        if !self.rest.is_empty() && !source.provider.secret_in_path(&source.options) {
            return Err(Answer::UnknownPath);
        }
        let secrets = secrets.map_err(|fault| Answer::NoSecret(fault.to_string()))?;
        let proof = source.prove_by(&request, &verification).map_err(Answer::Refused)?;
        let (secret, access_token) = (proof.secret(), proof.access_token());
        let claims = json_of(proof.claims());
        let cleaned = self.cleaned(&self.finder);
        let kept = match &cleaned {
            None => request,
            Some(Cleaned { headers, query, body, .. }) => {
                Unverified { headers, query, body, ..request }
            }
        };
        let verified = kept.verified(proof);
        let understood = understand(&verified, source.provider, &source.options, &source.name)
            .map_err(Answer::Unreadable)?;
        let proven_back = understood.prove_back(source.provider, secret.map(|at| &secrets[at]));
        let cleaned = cleaned.map(Box::new);
        let authentic =
            Authentic { understood, secret, access_token, claims, proven_back, cleaned };
        Ok(Proven::Delivery(Box::new(authentic)))
    }

    /// Matches the routes and maps their variables, however long it takes.
    pub(super) fn judge(&self, authentic: &Authentic, delivery: DeliveryId) -> Judged {
        judge(&self.plan, &self.source, &authentic.understood, delivery, Detail::Kept)
    }

    /// Matches and maps like [`Self::judge`], with a bound on the steps of all expressions together.
    ///
    /// # Errors
    /// [`Unfinished`] when the bound is reached: judge it again on a thread for blocking work.
    pub(super) fn judge_briefly(
        &self,
        authentic: &Authentic,
        delivery: DeliveryId,
    ) -> Result<Judged, Unfinished> {
        judge_briefly(&self.plan, &self.source, &authentic.understood, delivery, Detail::Kept)
    }
}

impl Taken {
    pub(super) fn judged(authentic: Authentic, judged: Judged) -> Self {
        Self::Delivery(Box::new(Judgement { authentic, judged }))
    }
}

fn json_of(claims: &Value) -> Option<String> {
    let mut text = String::new();
    (!claims.is_null() && claims.write_json(&mut text).is_ok()).then_some(text)
}
