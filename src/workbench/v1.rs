//! The CDSW Jobs API v1: `POST {prefix}/projects/{owner}/{project}/jobs/{id}/start`, Basic
//! authentication with the API key as user and no password, a JSON body with `environment`
//! (source: Cloudera Data Science Workbench documentation, "Jobs API").

use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{ACCEPT, DATE, LOCATION, RETRY_AFTER};
use reqwest::{Client, Response, Url};

use super::http_date::http_date;
use super::redact::Redactor;
use super::reply::{KEY_FOR_ENGINE, Known, known, names, retry_after};
use super::{Reached, Start, words};
use crate::config::WorkbenchPlan;
use crate::model::{AttemptResult, Outcome, Secret};

/// Most bytes of a reply that are read.
const REPLY: usize = 64 * 1024;

/// Asks for one start; an error where no request can be made of it.
pub(super) async fn start(
    client: &Client,
    plan: &WorkbenchPlan,
    start: &Start<'_>,
    key: &Secret,
) -> Result<AttemptResult, String> {
    let sent = Instant::now();
    let request = request(client, plan, start, key)?;
    let redactor = Redactor::new(key);
    Ok(match client.execute(request).await {
        Err(error) => finished(unanswered(error).without_key(&redactor), sent.elapsed()),
        Ok(response) => answered(response, &redactor, start.now, sent).await,
    })
}

fn request(
    client: &Client,
    plan: &WorkbenchPlan,
    start: &Start<'_>,
    key: &Secret,
) -> Result<reqwest::Request, String> {
    let job = start.job.to_string();
    let url = address(plan, &["projects", start.owner, start.project, "jobs", &job, "start"])?;
    let mut environment = start.environment.clone();
    environment.insert("GATEWAY_RUN_ID", start.run.to_string());
    environment.insert("GATEWAY_DELIVERY_ID", start.delivery.to_string());
    client
        .post(url)
        .header(ACCEPT, "application/json")
        .basic_auth(user(key)?, Some(""))
        .json(&serde_json::json!({ "environment": environment }))
        .build()
        .map_err(|error| words(&error))
}

fn user(key: &Secret) -> Result<&str, String> {
    std::str::from_utf8(key.expose()).map_err(|_| "the API key is not text (UTF-8)".to_owned())
}

/// The address of a call. Each piece is escaped, so that a name cannot become a path.
fn address(plan: &WorkbenchPlan, pieces: &[&str]) -> Result<Url, String> {
    let mut url = plan.url.clone();
    let prefix = plan.api_prefix.trim_matches('/');
    url.path_segments_mut()
        .map_err(|()| format!("workbench {} has no usable url", plan.name))?
        .pop_if_empty()
        .extend(prefix.split('/').filter(|piece| !piece.is_empty()))
        .extend(pieces);
    Ok(url)
}

/// There was no reply. What proves that the request cannot have been acted on is known; all else
/// is not.
fn unanswered(error: reqwest::Error) -> Known {
    let error = error.without_url();
    if error.is_builder() {
        return Known::new(Outcome::NotStartedForGood, words(&error));
    }
    let why = root(&error);
    if error.is_connect() {
        return match tls_refusal(&error) {
            Some(refusal) => Known::new(
                Outcome::NotStartedForGood,
                format!(
                    "the workbench's certificate was not accepted: {refusal}; check the url and \
                     ca_file"
                ),
            ),
            None => Known::new(Outcome::NotStartedForNow, format!("could not connect: {why}")),
        };
    }
    if error.is_timeout() {
        return Known::new(Outcome::Unknown, "no answer within the time-out");
    }
    Known::new(Outcome::Unknown, format!("the connection ended without an answer: {why}"))
}

/// The innermost cause: what the system or the other side said, without the layers above it.
fn root(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

/// What TLS had against the other side's certificate, where that is why there is no connection.
fn tls_refusal(error: &reqwest::Error) -> Option<String> {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(
            refusal @ (rustls::Error::InvalidCertificate(_)
            | rustls::Error::NoCertificatesPresented),
        ) = inner.downcast_ref::<rustls::Error>()
        {
            return Some(refusal.to_string());
        }
        cause = within(inner);
    }
    None
}

/// The error inside. What an I/O error carries is not its source, which is one further in; and
/// connectors put one I/O error into another.
fn within<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> Option<&'e (dyn std::error::Error + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(carried) => Some(carried),
        None => error.source(),
    }
}

async fn answered(
    response: Response,
    redactor: &Redactor,
    now: Timestamp,
    sent: Instant,
) -> AttemptResult {
    let status = response.status().as_u16();
    let header = |name| {
        response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let location = header(LOCATION);
    // A date is compared on the workbench's own clock where it gives one.
    let here = header(DATE).as_deref().and_then(|date| http_date(date, now));
    let rest = header(RETRY_AFTER);
    let mut body = Vec::new();
    let whole = read(response, &mut body).await;
    let known = known(status, location.as_deref(), whole.map(|()| body.as_slice()));
    AttemptResult {
        status: Some(status),
        // What came says most where the rest did not.
        reply: redactor.excerpt(&body),
        retry_after: rest.and_then(|rest| retry_after(&rest, here.unwrap_or(now))),
        ..finished(known.without_key(redactor), sent.elapsed())
    }
}

/// Reads the reply's body, up to the bound. Where it fails, what came before is in `body`.
async fn read(mut response: Response, body: &mut Vec<u8>) -> Result<(), String> {
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = REPLY - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if body.len() == REPLY {
                    return Ok(());
                }
            }
            Ok(None) => return Ok(()),
            Err(error) => return Err(words(&error.without_url())),
        }
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
        took,
        key_refused: known.key_refused,
    }
}

/// The workbench's own health path, or any answer to it.
pub(super) async fn reach(
    client: &Client,
    plan: &WorkbenchPlan,
    now: Timestamp,
) -> Result<Reached, String> {
    let mut url = plan.url.clone();
    url.set_path("/internal/load-balancer/health-ping");
    let response = client.get(url).send().await.map_err(|error| unanswered(error).reason)?;
    let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
    Ok(Reached {
        status: response.status().as_u16(),
        date: date.and_then(|date| http_date(date, now)),
    })
}

/// The engine of the job's latest run, where that names the run that is looked for.
pub(super) async fn find(
    client: &Client,
    plan: &WorkbenchPlan,
    start: &Start<'_>,
    key: &Secret,
) -> Result<String, String> {
    let job = start.job.to_string();
    let url = address(plan, &["projects", start.owner, start.project, "jobs", &job])?;
    let request = client.get(url).header(ACCEPT, "application/json");
    let sent = request.basic_auth(user(key)?, Some("")).send().await;
    let redactor = Redactor::new(key);
    let response = sent.map_err(|error| unanswered(error).without_key(&redactor).reason)?;
    match response.status().as_u16() {
        200 => {
            let mut body = Vec::new();
            read(response, &mut body).await?;
            match names(&body, &start.run.to_string())? {
                shown if redactor.finds(&shown) => Err(KEY_FOR_ENGINE.to_owned()),
                engine_id => Ok(engine_id),
            }
        }
        other => Err(format!("the workbench answered {other}")),
    }
}

/// A job's description.
pub(super) async fn look_up(
    client: &Client,
    plan: &WorkbenchPlan,
    (owner, project, job): (&str, &str, u64),
    key: &Secret,
) -> Result<u16, String> {
    let url = address(plan, &["projects", owner, project, "jobs", &job.to_string()])?;
    client
        .get(url)
        .basic_auth(user(key)?, Some(""))
        .send()
        .await
        .map(|response| response.status().as_u16())
        .map_err(|error| unanswered(error).reason)
}
