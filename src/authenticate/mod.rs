//! Checks that a request comes from someone who holds one of the source's secrets: the mechanisms that
//! providers are built from, and the types that stop an unproven request.
//!
//! It works on the bytes as received, before the event is parsed; a provider whose sender signs fields of
//! the body reads those fields. It never decides what a request means. A refusal never holds a signature, a
//! whole token or a part of the body; it may quote a claim of a token whose signature was right.

pub mod basic;
pub mod digest;
pub mod ed25519;
mod equal;
mod finder;
mod grams;
pub mod headers;
pub mod hmac;
pub mod jwt;
pub mod kept;
pub mod keys;
pub mod open;
mod proof;
mod refusal;
pub mod standard_webhooks;
pub mod timestamp;
pub mod token;
mod unescape;

use bytes::Bytes;
use http::{HeaderMap, Method};

pub use equal::same;
pub use finder::{REMOVED, SHORTEST, SecretFinder};
pub use proof::{Proof, ProvenBy};
pub use refusal::Refusal;

/// A request as it came in. Nothing in it may be trusted yet.
#[derive(Clone, Copy, Debug)]
pub struct Unverified<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its path, without the query string.
    pub path: &'a str,
    /// The path after the source's name, without the slash between them; empty as a rule. Some senders can
    /// put a secret nowhere else.
    pub rest: &'a str,
    /// Its query string, without the question mark; empty where there is none.
    pub query: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body, byte for byte.
    pub body: &'a Bytes,
}

impl<'a> Unverified<'a> {
    /// Marks the request as verified. Only this makes a [`Verified`], and it needs a [`Proof`].
    pub fn verified(self, proof: Proof) -> Verified<'a> {
        Verified { request: self, proof }
    }
}

/// A request that comes with a [`Proof`]: its sender holds a secret, its source is open on purpose, or it was
/// verified before.
#[derive(Debug)]
pub struct Verified<'a> {
    request: Unverified<'a>,
    proof: Proof,
}

impl<'a> Verified<'a> {
    /// Its method.
    pub fn method(&self) -> &'a Method {
        self.request.method
    }

    /// Its path, without the query string.
    pub fn path(&self) -> &'a str {
        self.request.path
    }

    /// Its query string. Hardly any sender signs it, so treat it as untrusted input.
    pub fn query(&self) -> &'a str {
        self.request.query
    }

    /// Its headers. Most senders sign none, or only an id and a timestamp.
    pub fn headers(&self) -> &'a HeaderMap {
        self.request.headers
    }

    /// Its body, byte for byte.
    pub fn body(&self) -> &'a Bytes {
        self.request.body
    }

    /// What proved it.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }
}
