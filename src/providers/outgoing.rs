//! What a sender would send: requests that are to be signed, and what makes them authentic.

use std::fmt;

use http::{HeaderName, HeaderValue, Method};

use crate::model::Secret;

/// A request that is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its path, without the query string.
    pub path: &'a str,
    /// The event: a kind such as `push`, or the sender's own name for it.
    pub event: &'a str,
    /// Its body.
    pub body: &'a [u8],
    /// The second secret of senders that send one beside their signature.
    pub access_token: Option<&'a Secret>,
}

/// What makes a request authentic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// Its headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Its query string, for senders that put something there; else empty.
    pub query: String,
    /// Another body in the place of the one given, for senders that put something there.
    pub body: Option<Vec<u8>>,
}

impl From<Vec<(HeaderName, HeaderValue)>> for Signed {
    fn from(headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self { headers, ..Self::default() }
    }
}

/// Why a request cannot be signed.
#[derive(Debug, PartialEq, Eq)]
pub enum SignFault {
    /// The secret does not fit the provider.
    Secret(String),
    /// A header cannot hold the value that it should.
    Header(HeaderName),
    /// The source's settings lack something.
    Misconfigured(&'static str),
    /// The body is not what this sender would send.
    Body(&'static str),
}

impl fmt::Display for SignFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(fault) => write!(f, "cannot sign with this secret: it {fault}"),
            Self::Header(name) => write!(f, "header `{name}` cannot hold the value it should"),
            Self::Body(expected) => write!(f, "the body is not {expected}"),
            Self::Misconfigured(what) => write!(f, "the source's settings lack {what}"),
        }
    }
}

impl std::error::Error for SignFault {}

pub(super) fn header(
    name: &HeaderName,
    value: impl AsRef<[u8]>,
) -> Result<(HeaderName, HeaderValue), SignFault> {
    HeaderValue::from_bytes(value.as_ref())
        .map(|value| (name.clone(), value))
        .map_err(|_| SignFault::Header(name.clone()))
}

pub(super) fn json_content() -> (HeaderName, HeaderValue) {
    (http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
}
