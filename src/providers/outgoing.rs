//! Requests that are signed as a sender would sign them, such as those of `cdsw-gateway send`.

use std::fmt;

use http::{HeaderName, HeaderValue, Method};

use crate::model::Secret;

/// A request to be signed.
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
    /// The second secret, for senders that send one in addition to their signature.
    pub access_token: Option<&'a Secret>,
}

/// What has to be added to a request to make it authentic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// Its headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Its query string, for senders that put the proof there; else empty.
    pub query: String,
    /// A body that replaces the given one, for senders that put the proof into the body.
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
    /// This provider cannot sign with the secret.
    Secret(String),
    /// The value contains bytes that this header cannot hold.
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
