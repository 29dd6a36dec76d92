//! The pure steps of one request, from bytes to runs that are asked for. No I/O, clock or chance.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts as Head;
use http::{HeaderMap, Method};
use jiff::Timestamp;

use super::answer::Answer;
use crate::authenticate::{Unverified, kept};
use crate::chance::Chance;
use crate::clock::later;
use crate::config::{Plan, SecretFault, SourcePlan, SourceSecrets};
use crate::event::{Knock, Reply, Understood, understand};
use crate::judge::{Detail, Draft, Judged, Mapped, Unfinished, judge};
use crate::model::{DeliveryId, RunId, Value};
use crate::providers::{Grounds, Published, Wanted};
use crate::store::{Delivery, NewRun, NewRunState};

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
    Knock(Knock),
}

/// A delivery, proven and judged.
pub(super) struct Judgement {
    pub(super) understood: Understood,
    pub(super) judged: Judged,
    /// The secret that matched, by its place in the source's list.
    pub(super) secret: Option<usize>,
    /// The access token that came beside its signature, likewise.
    pub(super) access_token: Option<usize>,
    /// What its sender's token claimed, as JSON.
    pub(super) claims: Option<String>,
    /// The answer to a greeting that asks for proof of the secret.
    pub(super) proven_back: Option<Reply>,
}

/// How the routes are judged.
pub(super) type Judge =
    fn(&Plan, &SourcePlan, &Understood, DeliveryId, Detail) -> Result<Judged, Unfinished>;

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

    /// Authenticate, understand, match and map: bytes, configuration and the time go in.
    pub(super) fn steps(
        &self,
        secrets: Result<&SourceSecrets, &SecretFault>,
        published: Option<&Published>,
        delivery: DeliveryId,
        now: Timestamp,
        judge: Judge,
    ) -> Result<Result<Taken, Answer>, Unfinished> {
        let source = &self.source;
        let request = self.request();
        // The first greeting may come before there is a secret.
        let held = secrets.map(SourceSecrets::held).unwrap_or_default();
        let grounds = Grounds { published, ..source.grounds(held, now) };
        match source.provider.knock(&request, &grounds) {
            Some(Ok(knock)) => return Ok(Ok(Taken::Knock(knock))),
            Some(Err(refusal)) => return Ok(Err(Answer::Refused(refusal))),
            None => {}
        }
        if self.head.method != Method::POST {
            return Ok(Err(Answer::WrongMethod));
        }
        if !self.rest.is_empty() && !source.provider.secret_in_path(&source.options) {
            return Ok(Err(Answer::UnknownPath));
        }
        let secrets = match secrets {
            Ok(secrets) => secrets,
            Err(fault) => return Ok(Err(Answer::NoSecret(fault.to_string()))),
        };
        let proof = match source.prove_by(&request, &grounds) {
            Ok(proof) => proof,
            Err(refusal) => return Ok(Err(Answer::Refused(refusal))),
        };
        let (secret, access_token) = (proof.secret(), proof.access_token());
        let claims = json_of(proof.claims());
        let verified = request.verified(proof);
        let understood = match understand(&verified, source.provider, &source.options, &source.name)
        {
            Ok(understood) => understood,
            Err(fault) => return Ok(Err(Answer::Unreadable(fault))),
        };
        let proven_back = understood.prove_back(source.provider, secret.map(|at| &secrets[at]));
        let judged = judge(&self.plan, source, &understood, delivery, Detail::Kept)?;
        let judgement = Judgement { understood, judged, secret, access_token, claims, proven_back };
        Ok(Ok(Taken::Delivery(Box::new(judgement))))
    }
}

/// Judges a kept delivery by today's plan. It was verified when it was accepted.
///
/// # Errors
/// In words, when its source is gone or its content is no longer there.
pub(crate) fn rejudge(plan: &Plan, delivery: &Delivery) -> Result<Judged, String> {
    let summary = &delivery.summary;
    if summary.handshake {
        return Err("it is a handshake, which starts nothing".to_owned());
    }
    if summary.stripped {
        return Err("its content was given up to keep the store's size bound".to_owned());
    }
    let source = plan
        .sources
        .get(summary.source.as_str())
        .ok_or_else(|| format!("source {} is no longer configured", summary.source))?;
    let headers: HeaderMap = delivery
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)))
        .collect::<Vec<(http::HeaderName, http::HeaderValue)>>()
        .into_iter()
        .collect();
    let request = Unverified {
        method: &Method::POST,
        path: "",
        rest: "",
        query: &delivery.query,
        headers: &headers,
        body: &delivery.body,
    };
    let claims = delivery.claims.as_deref().map(str::as_bytes).map(Value::parse_json);
    let claims = claims.and_then(Result::ok).unwrap_or(Value::Null);
    let verified = request.verified(kept::kept(claims));
    let understood = understand(&verified, source.provider, &source.options, &source.name)
        .map_err(|fault| fault.to_string())?;
    Ok(judge(plan, source, &understood, summary.id, Detail::Every))
}

/// The run that a draft becomes, with a name and a deadline.
pub(crate) fn new_run(draft: &Draft, now: Timestamp, chance: &dyn Chance) -> NewRun {
    let job = &draft.route.job;
    // Its age counts from the moment at which it falls due.
    let wait = draft.latest.as_ref().map_or(Duration::ZERO, |latest| latest.wait);
    let age = job.max_age.map_or(job.deadline, |age| age.saturating_add(wait));
    NewRun {
        latest: draft.latest.clone(),
        id: RunId::new(now, chance.bits()),
        route: Arc::clone(&draft.route.name),
        job: Arc::clone(&draft.route.job.name),
        part: draft.part,
        state: match &draft.mapped {
            Mapped::Ready(environment) => NewRunState::Queued(environment.clone()),
            Mapped::Held(environment, reason) => {
                NewRunState::Held(environment.clone(), reason.clone())
            }
            Mapped::Failed(reason) => NewRunState::Failed(reason.clone()),
        },
        deadline: later(now, job.deadline.min(age)),
    }
}

fn json_of(claims: &Value) -> Option<String> {
    let mut text = String::new();
    (!claims.is_null() && claims.write_json(&mut text).is_ok()).then_some(text)
}
