//! Greetings: what senders ask before, or between, their deliveries, to see that someone is there
//! who knows them. They start nothing.

use std::fmt;

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::model::Secret;

/// What the sender of an authentic greeting expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// A 2xx, whatever its body.
    Acknowledge,
    /// This very answer.
    Answer(Reply),
    /// Proof that the gateway holds the secret too: [`Provider::prove_back`] of this text.
    ///
    /// [`Provider::prove_back`]: super::Provider::prove_back
    ProveBack(String),
    /// A 2xx; and once it is kept, one visit to this address, which the provider has vetted.
    Visit(String),
}

impl fmt::Display for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Acknowledge => "acknowledged",
            Self::Answer(_) => "answered as the sender asks",
            Self::ProveBack(_) => "answered with proof of the secret",
            Self::Visit(_) => "acknowledged, and confirmed at the sender",
        })
    }
}

/// A greeting that is not signed as deliveries are: a request of another method, or one that comes
/// before there is a secret to sign with. Anyone can send one, so its answer tells nothing that the
/// request did not say, unless the sender proved to hold the secret.
#[derive(Debug)]
pub struct Greeting {
    /// What it is, for the log and the kept delivery.
    pub what: &'static str,
    /// What it is answered with.
    pub reply: Reply,
    /// A secret that the sender hands over, to sign with from now on.
    pub offered: Option<Secret>,
}

impl Greeting {
    /// A greeting that hands nothing over.
    pub(super) fn new(what: &'static str, reply: Reply) -> Self {
        Self { what, reply, offered: None }
    }
}

/// An answer in a sender's own form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Reply {
    /// 200, with JSON.
    pub(super) fn json(value: &serde_json::Value) -> Self {
        let json = HeaderValue::from_static("application/json");
        Self {
            status: StatusCode::OK,
            headers: vec![(CONTENT_TYPE, json)],
            body: value.to_string().into_bytes(),
        }
    }

    /// 200, with plain text, which no browser takes for anything else.
    pub(super) fn text(text: impl Into<Vec<u8>>) -> Self {
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        let nosniff = HeaderValue::from_static("nosniff");
        Self {
            status: StatusCode::OK,
            headers: vec![
                (CONTENT_TYPE, plain),
                (HeaderName::from_static("x-content-type-options"), nosniff),
            ],
            body: text.into(),
        }
    }

    /// A status and nothing else.
    pub(super) fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// The same, with one more header.
    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}
