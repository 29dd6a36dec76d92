//! Handshakes and greetings: requests with which senders check, before or between deliveries, that
//! the endpoint exists and belongs to someone who expects them. They start no job.
//!
//! A handshake is signed in the way deliveries are. A greeting is not: it is answered before anything
//! is known about its sender.

use std::fmt;

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::model::Secret;
use crate::providers::ChallengeToken;

/// What the sender of an authentic handshake expects as an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// Any 2xx; the body does not matter.
    Acknowledge,
    /// Exactly this answer.
    Answer(Reply),
    /// Proof that the gateway holds the secret too: [`Provider::prove_back`] of this token.
    ///
    /// [`Provider::prove_back`]: super::Provider::prove_back
    ProveBack(ChallengeToken),
    /// A 2xx. Once the delivery is stored, the gateway requests this address once. The provider has
    /// checked that the address is the sender's.
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

/// A request that is not signed in the way deliveries are, and is answered before anything is known
/// about its sender: one of another HTTP method, or one that comes before there is a secret to sign
/// with. Anyone can send one, so the answer reveals nothing that was not in the request, unless the
/// sender proved that it holds the secret.
#[derive(Debug)]
pub struct Greeting {
    /// What it is, for the log and the stored delivery.
    pub what: &'static str,
    /// The answer.
    pub reply: Reply,
    /// A secret that the sender hands over, and will sign its deliveries with.
    pub offered: Option<Secret>,
    /// A token that the sender wants signed. The provider's `Countersign` then makes the reply.
    pub(super) token: Option<ChallengeToken>,
}

impl Greeting {
    /// A greeting in which the sender hands over no secret.
    pub(super) fn new(what: &'static str, reply: Reply) -> Self {
        Self { what, reply, offered: None, token: None }
    }

    /// A greeting that asks for a proof over this token.
    pub(super) fn to_sign(what: &'static str, token: ChallengeToken) -> Self {
        Self { token: Some(token), ..Self::new(what, Reply::empty(StatusCode::OK)) }
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

    /// 200, with plain text. `nosniff` keeps browsers from treating it as anything else.
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

    /// Adds a header to the reply.
    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}
