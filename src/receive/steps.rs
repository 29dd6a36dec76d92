//! The pure steps of one request, from bytes to runs that are asked for. No I/O, clock or random.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::Method;
use http::request::Parts as Head;
use jiff::Timestamp;

use super::answer::Answer;
use crate::authenticate::Unverified;
use crate::config::{Plan, SecretFault, SourcePlan, SourceSecrets};
use crate::event::{Greeting, Reply, Understood, understand};
use crate::judge::{Detail, Judged, Unfinished, judge, judge_briefly};
use crate::model::{DeliveryId, Value};
use crate::providers::{Published, Verification, Wanted};

/// A request that arrived whole.
pub(super) struct Arrived {
    pub(super) plan: Arc<Plan>,
    pub(super) source: Arc<SourcePlan>,
    pub(super) head: Arc<Head>,
    pub(super) rest: String,
    pub(super) body: Bytes,
    pub(super) remote: String,
    pub(super) began: Instant,
}

/// What the pure steps made of it.
pub(super) enum Taken {
    /// A delivery, proven and judged.
    Delivery(Box<Judgement>),
    /// A greeting that is not signed as deliveries are.
    Greeting(Greeting),
}

/// What is known of a request before a route is asked.
pub(super) enum Proven {
    /// A delivery, authentic and parsed.
    Delivery(Box<Authentic>),
    /// A greeting that is not signed as deliveries are.
    Greeting(Greeting),
}

/// An authentic delivery, parsed.
pub(super) struct Authentic {
    pub(super) understood: Understood,
    /// The secret that matched, by its place in the source's list.
    pub(super) secret: Option<usize>,
    /// The access token that came beside its signature, likewise.
    pub(super) access_token: Option<usize>,
    /// What its sender's token claimed, as JSON.
    pub(super) claims: Option<String>,
    /// The answer to a greeting that asks for proof of the secret.
    pub(super) proven_back: Option<Reply>,
}

/// An authentic delivery, and what the routes made of it.
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

    /// The published keys that it cannot be judged without.
    pub(super) fn wanted(&self) -> Option<Wanted> {
        let source = &self.source;
        let may_be = self.head.method == Method::POST && self.rest.is_empty();
        let request = may_be && !source.unauthenticated;
        request.then(|| source.provider.wanted(&self.request(), &source.options)).flatten()
    }

    /// Authenticate and understand: bytes, configuration and the time go in.
    pub(super) fn prove(
        &self,
        secrets: Result<&SourceSecrets, &SecretFault>,
        published: Option<&Published>,
        now: Timestamp,
    ) -> Result<Proven, Answer> {
        let source = &self.source;
        let request = self.request();
        // The first greeting may come before there is a secret.
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
        let verified = request.verified(proof);
        let understood = understand(&verified, source.provider, &source.options, &source.name)
            .map_err(Answer::Unreadable)?;
        let proven_back = understood.prove_back(source.provider, secret.map(|at| &secrets[at]));
        let authentic = Authentic { understood, secret, access_token, claims, proven_back };
        Ok(Proven::Delivery(Box::new(authentic)))
    }

    /// Match and map, however long it takes.
    pub(super) fn judge(&self, authentic: &Authentic, delivery: DeliveryId) -> Judged {
        judge(&self.plan, &self.source, &authentic.understood, delivery, Detail::Kept)
    }

    /// The same, given up where it takes longer than a worker should spend.
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
