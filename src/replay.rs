//! Turns drafts into new runs with an id and a deadline, for receiving and for replaying; and judges a kept
//! delivery again by the current routes, for replaying.
//!
//! Kept deliveries were verified when they were accepted, so nothing here authenticates.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;

use crate::authenticate::{Unverified, kept};
use crate::clock::later;
use crate::config::Plan;
use crate::content::{self, Bounds};
use crate::event::{Understood, understand};
use crate::judge::{Detail, Draft, Judged, Mapped, judge};
use crate::model::{RunId, Value};
use crate::random::Random;
use crate::store::{Delivery, NewRun, NewRunState};

/// Most bytes of a kept body without its encodings.
const MOST_PLAIN: u64 = 256 << 20;

/// Judges a kept delivery by the current configuration.
///
/// # Errors
/// As [`reread`].
pub fn rejudge(plan: &Plan, delivery: &Delivery) -> Result<Judged, String> {
    reread(plan, delivery).map(|(_, judged)| judged)
}

/// Reads a kept delivery as its source's provider does today, and judges it by the current configuration.
///
/// # Errors
/// A message for people: the delivery is a handshake, its source is no longer configured, its content was
/// removed to keep the store's size bound, or its content cannot be read as an event.
pub fn reread(plan: &Plan, delivery: &Delivery) -> Result<(Understood, Judged), String> {
    let summary = &delivery.summary;
    if summary.handshake {
        return Err("it is a handshake, which starts nothing".to_owned());
    }
    if let Some(erased) = &summary.erased {
        return Err(format!("its content was erased by {} at {}", erased.by, erased.at));
    }
    if summary.stripped {
        return Err("its content was given up to keep the store's size bound".to_owned());
    }
    let source = plan
        .sources
        .get(summary.source.as_str())
        .ok_or_else(|| format!("source {} is no longer configured", summary.source))?;
    let headers = headers_of(delivery);
    let body = plain_body(delivery)?;
    let request = Unverified {
        method: &Method::POST,
        path: "",
        rest: "",
        query: &delivery.query,
        headers: &headers,
        body: &body,
    };
    let claims = delivery.claims.as_deref().map(str::as_bytes).map(Value::parse_json);
    let claims = claims.and_then(Result::ok).unwrap_or(Value::Null);
    let verified = request.verified(kept::kept(claims));
    let understood = understand(&verified, source.provider, &source.options, &source.name)
        .map_err(|fault| fault.to_string())?;
    let judged = judge(plan, source, &understood, summary.id, Detail::Every);
    Ok((understood, judged))
}

/// A kept body without its encodings and in UTF-8, as expressions read it.
///
/// # Errors
/// A message for people: its encoding cannot be read any more.
pub fn plain_body(delivery: &Delivery) -> Result<Bytes, String> {
    // It was within the limits when it was accepted.
    let bounds = Bounds { most: MOST_PLAIN, room: &mut |_| true };
    let plain = content::plain(&headers_of(delivery), &delivery.body, bounds);
    Ok(plain.map_err(|fault| fault.to_string())?.unwrap_or_else(|| delivery.body.clone()))
}

fn headers_of(delivery: &Delivery) -> HeaderMap {
    delivery
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)))
        .collect::<Vec<(HeaderName, HeaderValue)>>()
        .into_iter()
        .collect()
}

/// Makes a run of a draft, with a random id and a deadline.
pub fn new_run(draft: &Draft, now: Timestamp, random: &dyn Random) -> NewRun {
    let job = &draft.route.job;
    // `max_age` counts from the moment at which the run falls due, so the wait for newer runs is added.
    let wait = draft.latest.as_ref().map_or(Duration::ZERO, |latest| latest.wait);
    let age = job.max_age.map_or(job.deadline, |age| age.saturating_add(wait));
    NewRun {
        latest: draft.latest.clone(),
        id: RunId::new(now, random.bits()),
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
