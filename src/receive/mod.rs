//! `POST /hooks/{source}`: raw bytes in, a kept delivery and its runs on disk, an answer out.
//!
//! It holds no API key and opens no connection to a workbench. It never answers 2xx for what the
//! store has not committed, and it tells a stranger nothing about why a request was refused.

mod answer;
mod body;
mod limits;
mod refusals;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use bytes::Bytes;
use http::header::EXPECT;
use http::request::Parts as Head;
use http::{HeaderMap, Method};

use crate::authenticate::{Unverified, kept};
use crate::chance::Chance;
use crate::clock::{Clock, later};
use crate::config::{Live, Plan, SourcePlan};
use crate::event::{Understood, understand};
use crate::judge::{Detail, Draft, Judged, Mapped, Unfinished, judge, judge_briefly};
use crate::model::{DeliveryId, RunId, Secret};
use crate::observe::Metrics;
use crate::observe::log::{self, DeliveryLine};
use crate::serving::Remote;
use crate::store::{Delivery, NewDelivery, NewRun, NewRunState, Store};

use answer::Answer;
use limits::Limits;
pub use refusals::{Refusals, Refused};

/// Above this a body's pure steps run at once where they hold up no other request; below it only
/// when its expressions turn out to take long.
const LARGE: usize = 128 * 1024;

/// Everything that receiving is given.
pub struct Receiver {
    /// The configuration in force.
    pub live: Arc<Live>,
    /// Where deliveries are kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Names deliveries and runs.
    pub chance: Arc<dyn Chance>,
    /// Counts what happens.
    pub metrics: Arc<Metrics>,
    /// The last refusals of each source.
    pub refusals: Arc<Refusals>,
    /// Called when there is a new run in the queue.
    pub on_new_runs: Arc<dyn Fn() + Send + Sync>,
}

struct Receiving {
    receiver: Receiver,
    limits: Limits,
}

/// The public side: webhooks, and nothing else.
pub fn router(receiver: Receiver) -> Router {
    let limits = Limits::new(&receiver.live.plan().server, Arc::clone(&receiver.metrics));
    Router::new()
        .route("/hooks/{source}", any(receive))
        .fallback(|| async { Answer::UnknownPath.into_response() })
        .with_state(Arc::new(Receiving { receiver, limits }))
}

async fn receive(
    State(receiving): State<Arc<Receiving>>,
    Path(source): Path<String>,
    request: Request,
) -> Response {
    let began = Instant::now();
    let remote = request
        .extensions()
        .get::<Remote>()
        .map_or_else(String::new, |remote| remote.0.ip().to_string());
    let (head, body) = request.into_parts();
    let answer = receiving.answer(&source, &head, body, &remote, began).await;
    receiving.note(&source, &head.headers, &remote, &answer);
    answer.into_response()
}

impl Receiving {
    async fn answer(
        &self,
        source: &str,
        head: &Head,
        body: Body,
        remote: &str,
        began: Instant,
    ) -> Answer {
        let plan = self.receiver.live.plan();
        let Some(source) = plan.sources.get(source).cloned() else { return Answer::UnknownSource };
        if head.method != Method::POST {
            return Answer::WrongMethod;
        }
        let limit = source.body_limit.unwrap_or(plan.server.body_limit);
        let admitted = match self.limits.admit(&head.headers, limit) {
            Ok(admitted) => admitted,
            Err(answer) => {
                // Who asks before sending hears at once, and sends nothing.
                let is_sending = !head.headers.contains_key(EXPECT);
                if is_sending && matches!(answer, Answer::TooLarge { .. }) {
                    body::discard(body, plan.server.body_timeout).await;
                }
                return answer;
            }
        };
        let (body, admitted) =
            match body::read(body, admitted, limit, plan.server.body_timeout).await {
                Ok(read) => read,
                Err(answer) => return answer,
            };
        let arrived =
            Arrived { plan, source, head: head.clone(), body, remote: remote.to_owned(), began };
        let answer = self.receiver.take_in(arrived).await;
        drop(admitted);
        answer
    }

    /// Counts and logs what was not kept; what was is logged where its ids are known.
    fn note(&self, source: &str, headers: &HeaderMap, remote: &str, answer: &Answer) {
        let receiver = &self.receiver;
        let known = receiver.live.plan().sources.contains_key(source);
        let source = if known { source } else { "unknown" };
        receiver.metrics.delivery(source, answer.verdict());
        let Some(words) = answer.words() else { return };
        log::refused(source, remote, answer.status().as_u16(), answer.reason(), &words);
        receiver.metrics.refusal(source, answer.reason());
        if known {
            let refused = Refused {
                at: receiver.clock.now(),
                remote: remote.to_owned(),
                status: answer.status().as_u16(),
                reason: answer.reason(),
                words,
                headers: headers.keys().map(ToString::to_string).collect(),
            };
            receiver.refusals.add(source, refused);
        }
    }
}

/// A request that arrived whole.
struct Arrived {
    plan: Arc<Plan>,
    source: Arc<SourcePlan>,
    head: Head,
    body: Bytes,
    remote: String,
    began: Instant,
}

/// What the pure steps made of it.
struct Taken {
    understood: Understood,
    judged: Judged,
    secret: Option<usize>,
    delivery: DeliveryId,
}

impl Receiver {
    async fn take_in(&self, arrived: Arrived) -> Answer {
        let now = self.clock.now();
        let delivery = DeliveryId::new(now, self.chance.bits());
        let secrets = match self.live.source_secrets(&arrived.source) {
            Ok(secrets) => secrets,
            Err(fault) => return Answer::NoSecret(fault.to_string()),
        };
        let brief = if arrived.body.len() > LARGE {
            Err(Unfinished)
        } else {
            pure_steps(&arrived, &secrets, delivery, now, judge_briefly)
        };
        let (arrived, taken) = match brief {
            Ok(taken) => (arrived, taken),
            Err(Unfinished) => {
                let steps = move || {
                    let unhurried = |plan: &_, source: &_, understood: &_, id, detail| {
                        Ok(judge(plan, source, understood, id, detail))
                    };
                    let taken = pure_steps(&arrived, &secrets, delivery, now, unhurried);
                    (arrived, taken)
                };
                match tokio::task::spawn_blocking(steps).await {
                    Ok((arrived, Ok(taken))) => (arrived, taken),
                    Ok((_, Err(Unfinished))) => {
                        return Answer::Fault("the routes could not be judged".to_owned());
                    }
                    Err(stopped) => return Answer::Fault(stopped.to_string()),
                }
            }
        };
        match taken {
            Ok(taken) => self.keep(arrived, taken, now).await,
            Err(answer) => answer,
        }
    }

    async fn keep(&self, arrived: Arrived, taken: Taken, now: jiff::Timestamp) -> Answer {
        let Arrived { source, head, body, remote, began, .. } = arrived;
        let Taken { understood, judged, secret, delivery } = taken;
        let runs: Vec<NewRun> =
            judged.runs.iter().map(|draft| new_run(draft, now, &*self.chance)).collect();
        let briefs = answer::briefs(&runs);
        let handshake = understood.handshake.is_some();
        let size = body.len();
        let new = NewDelivery {
            id: delivery,
            source: source.name.clone(),
            provider: source.provider.name().into(),
            kind: understood.kind.clone(),
            name: understood.name.clone(),
            key: understood.identity.key(),
            handshake,
            received_at: now,
            remote: Some(remote.clone()),
            headers: kept_headers(&head.headers, &source),
            query: head.uri.query().unwrap_or_default().to_owned(),
            body,
            explanation: serde_json::to_vec(&judged.explanation).unwrap_or_default(),
            runs,
        };
        let accepted = match self.store.accept(new).await {
            Ok(accepted) => accepted,
            Err(fault) => {
                log::store_fault("accept", &fault);
                self.metrics.store_faults.inc();
                return Answer::NotKept;
            }
        };
        if let Some(secret) = secret {
            self.metrics.secret(&source.name, secret);
        }
        let answer = Answer::of(accepted, delivery, briefs, understood.handshake);
        if answer.queued_something() {
            (self.on_new_runs)();
        }
        self.metrics.accepted_in(began.elapsed());
        log::delivery(&DeliveryLine {
            delivery: answer.delivery().unwrap_or(delivery),
            source: &source.name,
            kind: &understood.kind,
            key: &understood.identity.key(),
            verdict: answer.verdict(),
            runs: answer.runs(),
            size,
            remote: &remote,
            took: began.elapsed(),
        });
        answer
    }
}

/// Authenticate, understand, match and map: bytes, configuration and the time go in.
fn pure_steps(
    arrived: &Arrived,
    secrets: &[Secret],
    delivery: DeliveryId,
    now: jiff::Timestamp,
    judge: impl FnOnce(
        &Plan,
        &SourcePlan,
        &Understood,
        DeliveryId,
        Detail,
    ) -> Result<Judged, Unfinished>,
) -> Result<Result<Taken, Answer>, Unfinished> {
    let source = &arrived.source;
    let request = Unverified {
        method: &arrived.head.method,
        path: arrived.head.uri.path(),
        query: arrived.head.uri.query().unwrap_or_default(),
        headers: &arrived.head.headers,
        body: &arrived.body,
    };
    let proof = match source.prove(&request, secrets, now) {
        Ok(proof) => proof,
        Err(refusal) => return Ok(Err(Answer::Refused(refusal))),
    };
    let secret = proof.secret();
    let verified = request.verified(proof);
    let understood = match understand(&verified, source.provider, &source.options, &source.name) {
        Ok(understood) => understood,
        Err(fault) => return Ok(Err(Answer::Unreadable(fault))),
    };
    let judged = judge(&arrived.plan, source, &understood, delivery, Detail::Kept)?;
    Ok(Ok(Taken { understood, judged, secret, delivery }))
}

/// Judges a kept delivery by today's plan. It was verified when it was accepted.
///
/// # Errors
/// In words, when its source is gone or its content is no longer there.
pub(crate) fn rejudge(plan: &Plan, delivery: &Delivery) -> Result<Judged, String> {
    let summary = &delivery.summary;
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
        query: &delivery.query,
        headers: &headers,
        body: &delivery.body,
    };
    let verified = request.verified(kept::kept());
    let understood = understand(&verified, source.provider, &source.options, &source.name)
        .map_err(|fault| fault.to_string())?;
    Ok(judge(plan, source, &understood, summary.id, Detail::Every))
}

/// The run that a draft becomes, with a name and a deadline.
pub(crate) fn new_run(draft: &Draft, now: jiff::Timestamp, chance: &dyn Chance) -> NewRun {
    NewRun {
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
        deadline: later(now, draft.route.job.deadline),
    }
}

/// The headers that are kept: those that carry no secret, and that can be written as text.
fn kept_headers(headers: &HeaderMap, source: &SourcePlan) -> Vec<(String, String)> {
    let secret = source.provider.secret_headers(&source.options);
    headers
        .iter()
        .filter(|(name, _)| !secret.contains(name))
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect()
}
