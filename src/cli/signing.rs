//! A request as a sender would make it: for `send` and `demo`, which play the sender.

use std::time::Duration;

use http::Method;
use reqwest::Url;
use serde::Serialize;

use super::client::{Trust, no_answer, over_http};
use super::failure::Failure;
use crate::clock::{Clock, SystemClock};
use crate::config::SourcePlan;
use crate::model::Secret;
use crate::providers::Outgoing;
use crate::random::{Random, SystemRandom};

/// What is needed to make a request that a source accepts.
pub(super) struct Signing<'a> {
    pub(super) source: &'a SourcePlan,
    pub(super) secret: Secret,
    pub(super) access_token: Option<Secret>,
    pub(super) event: &'a str,
    pub(super) id: &'a str,
}

/// What a gateway answered.
#[derive(Serialize)]
pub(super) struct Sent {
    pub(super) id: String,
    pub(super) status: u16,
    pub(super) answer: serde_json::Value,
}

impl Signing<'_> {
    /// The request to this address as the sender would make it.
    pub(super) fn request(&self, mut url: Url, body: Vec<u8>) -> Result<reqwest::Request, Failure> {
        let path = url.path().to_owned();
        let outgoing = Outgoing {
            method: &Method::POST,
            path: &path,
            event: self.event,
            body: &body,
            access_token: self.access_token.as_ref(),
        };
        let signed = self
            .source
            .provider
            .sign(&outgoing, &self.secret, &self.source.options, self.id, SystemClock.now())
            .map_err(|fault| Failure::Failed(fault.to_string()))?;
        if !signed.query.is_empty() {
            url.set_query(Some(&signed.query));
        }
        let mut request = reqwest::Request::new(Method::POST, url);
        request.headers_mut().extend(signed.headers);
        *request.body_mut() = Some(signed.body.unwrap_or(body).into());
        Ok(request)
    }
}

/// The address of a source's webhooks on the listener at `base`.
pub(super) fn hook(base: &Url, source: &str) -> Result<Url, Failure> {
    let mut url = over_http(base);
    url.path_segments_mut()
        .map_err(|()| Failure::Usage(format!("`{base}` is not a usable address")))?
        .pop_if_empty()
        .extend(["hooks", source]);
    Ok(url)
}

/// A new random delivery id.
pub(super) fn new_id() -> String {
    uuid::Uuid::from_u128(SystemRandom.bits()).hyphenated().to_string()
}

/// Sends it to this place and reads the answer.
pub(super) async fn deliver(
    request: reqwest::Request,
    id: String,
    place: &Url,
    trust: &Trust,
) -> Result<Sent, Failure> {
    let client = trust.client(place, Duration::from_secs(30))?;
    let mut to = request.url().clone();
    // The query may hold a secret, since some senders can put it nowhere else.
    to.set_query(None);
    let answer = client.execute(request).await.map_err(|error| {
        Failure::Unreachable(format!("cannot reach {to}: {}", no_answer(error)))
    })?;
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap_or_default();
    let answer = serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text));
    Ok(Sent { id, status, answer })
}
