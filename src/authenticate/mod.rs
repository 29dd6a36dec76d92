//! Was the request made by someone who holds one of the source's secrets? The few mechanisms that
//! providers are made of, and the types that keep an unproven request from going further.
//!
//! This step looks at bytes as received, before anything is parsed as JSON. It never decides what
//! a request means, and no refusal holds a signature, a token or a piece of a body.

pub mod basic;
pub mod digest;
pub mod ed25519;
mod equal;
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

use bytes::Bytes;
use http::{HeaderMap, Method};

pub use equal::same;
pub use proof::{Proof, ProvenBy};
pub use refusal::Refusal;

/// A request as it came in. Nothing in it may be believed.
#[derive(Clone, Copy, Debug)]
pub struct Unverified<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its path, without the query string.
    pub path: &'a str,
    /// What stands behind the source's name in the path, without the slash between them; empty as a
    /// rule. Some senders can put a secret nowhere else.
    pub rest: &'a str,
    /// Its query string, without the question mark; empty where there is none.
    pub query: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body, byte for byte.
    pub body: &'a Bytes,
}

impl<'a> Unverified<'a> {
    /// The same request, now that there is proof. This is the only way to a [`Verified`].
    pub fn verified(self, proof: Proof) -> Verified<'a> {
        Verified { request: self, proof }
    }
}

/// A request whose sender proved to hold a secret, or whose source is open on purpose.
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

    /// Its query string. Hardly any sender signs it: treat it as a stranger's word.
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
