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
use super::leaks::{Cleaned, Finder, Kept};
use super::limits::Room;
use crate::authenticate::{Refusal, Unverified};
use crate::config::{Plan, SecretFault, SourcePlan, SourceSecrets};
use crate::content::{self, Bounds, ContentFault};
use crate::event::{DecodeFault, Greeting, Reply, Understood, understand};
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
    /// Its bytes as they were sent.
    pub(super) body: Bytes,
    /// The most bytes that its body may have, also without its encodings.
    pub(super) limit: u64,
    /// What its bytes are charged to; none where it has none.
    pub(super) room: Option<Room>,
    /// Finds secrets in it.
    pub(super) finder: Arc<Finder>,
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
    /// What is kept of the request.
    pub(super) kept: Kept,
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
        let proof = source.prove_by(&request, &verification).map_err(|refusal| {
            let told = secrets.without_blank_ends().filter(|trimmed| {
                let verification =
                    Verification { published, ..source.verification(trimmed.held(), now) };
                refusal.may_be_of_the_secret() && source.prove_by(&request, &verification).is_ok()
            });
            Answer::Refused(told.map_or(refusal, |_| Refusal::BlankEnd))
        })?;
        let (secret, access_token) = (proof.secret(), proof.access_token());
        let claims = json_of(proof.claims());
        let plain = self.plain()?;
        let cleaned = self.cleaned(plain.as_ref().unwrap_or(&self.body));
        let clean_body = cleaned.as_ref().and_then(|cleaned| cleaned.body.as_ref());
        let body = clean_body.or(plain.as_ref()).unwrap_or(&self.body);
        let read = match &cleaned {
            None => Unverified { body, ..request },
            Some(Cleaned { headers, query, .. }) => Unverified { headers, query, body, ..request },
        };
        let verified = read.verified(proof);
        let understood = understand(&verified, source.provider, &source.options, &source.name)
            .map_err(|fault| self.unreadable(fault, body))?;
        let proven_back = understood.prove_back(source.provider, secret.map(|at| &secrets[at]));
        let kept = Kept::of(&self.body, plain, cleaned, source.provider);
        let authentic = Authentic { understood, secret, access_token, claims, proven_back, kept };
        Ok(Proven::Delivery(Box::new(authentic)))
    }

    /// Whether the body has to be unpacked, which takes longer than its length tells.
    pub(super) fn is_encoded(&self) -> bool {
        content::is_encoded(&self.head.headers)
    }

    /// The body without its encodings and in UTF-8; none where that is the body as it was sent.
    fn plain(&self) -> Result<Option<Bytes>, Answer> {
        let sent = self.body.len() as u64;
        let room = self.room.as_ref();
        let mut full = None;
        let mut has_room = |bytes: u64| {
            let taken = room.map_or(Ok(()), |room| room.take_up_to(sent.saturating_add(bytes)));
            taken.map_err(|answer| full = Some(answer)).is_ok()
        };
        let bounds = Bounds { most: self.limit, room: &mut has_room };
        let plain = content::plain(&self.head.headers, &self.body, bounds);
        plain.map_err(|fault| full.unwrap_or(Answer::NotPlain(fault)))
    }

    /// The answer to a body that cannot be read as an event.
    fn unreadable(&self, fault: DecodeFault, body: &[u8]) -> Answer {
        let headers = &self.head.headers;
        if content::is_multipart(headers, body) {
            let kind = content::bare_type(headers).to_owned();
            return Answer::NotPlain(ContentFault::Multipart(kind));
        }
        Answer::Unreadable(fault)
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
