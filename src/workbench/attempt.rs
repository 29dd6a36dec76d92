//! Sends one start request and determines its result. Shared by the job APIs; each of them reads a successful
//! reply itself.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{DATE, LOCATION, RETRY_AFTER};
use reqwest::{Request, Response};

use super::http_date::http_date;
use super::known::Known;
use super::redact::Redactor;
use super::reply::{Reply, known, retry_after};
use super::transport::{Transport, header, read};
use crate::clock::later;
use crate::model::AttemptResult;

/// Sends the request. `success` says what a reply with a status of 2xx means.
pub(super) async fn attempt(
    transport: &Transport,
    request: Request,
    redactor: &Redactor,
    now: Timestamp,
    success: impl FnOnce(&Reply<'_>) -> Known,
) -> AttemptResult {
    let sent = Instant::now();
    match transport.send(request).await {
        Err(ended) => finished(ended.known().without_key(redactor), sent.elapsed()),
        Ok(response) => answered(response, redactor, now, sent, success).await,
    }
}

async fn answered(
    response: Response,
    redactor: &Redactor,
    now: Timestamp,
    sent: Instant,
    success: impl FnOnce(&Reply<'_>) -> Known,
) -> AttemptResult {
    let status = response.status().as_u16();
    let location = header(&response, LOCATION);
    // A date in `Retry-After` is compared with the workbench's own clock, where the reply tells it.
    let here = header(&response, DATE).and_then(|date| http_date(&date, now));
    let rest = header(&response, RETRY_AFTER);
    // The head has arrived; the body may take its time.
    let took = sent.elapsed();
    let mut body = Vec::new();
    let whole = read(response, &mut body).await;
    let body_read = whole.map(|()| body.as_slice());
    let reply = Reply { status, location: location.as_deref(), body: body_read };
    let known = known(&reply, success);
    AttemptResult {
        status: Some(status),
        // Kept also where the body could not be read to its end, since the start of it may explain why.
        reply: redactor.excerpt(&body),
        clock_ahead: here.map(|here| here.duration_since(later(now, took))),
        retry_after: rest.and_then(|rest| retry_after(&rest, here.unwrap_or(now))),
        ..finished(known.without_key(redactor), sent.elapsed())
    }
}

fn finished(known: Known, took: Duration) -> AttemptResult {
    AttemptResult {
        outcome: known.outcome,
        status: None,
        engine_id: known.engine_id,
        reason: known.reason,
        reply: None,
        retry_after: None,
        clock_ahead: None,
        took,
        key_refused: known.key_refused,
    }
}
