//! The proof that a mechanism returns when a request is authentic.
//!
//! Its fields are private and its constructors are visible in `authenticate` alone. Other modules get one
//! from a mechanism that checked the request, or from one of two functions that check nothing:
//! `open::dangerously_unauthenticated` and `kept::kept`. Of two proofs they can make one, with `beside`.

use crate::authenticate::Refusal;
use crate::model::{Secret, Value};

/// Evidence that a request may be trusted. [`Self::by`] says why: two public functions,
/// `open::dangerously_unauthenticated` and `kept::kept`, return one without checking the request.
#[derive(Debug, PartialEq)]
pub struct Proof {
    by: ProvenBy,
    claims: Value,
    token: Option<usize>,
}

/// What made a request authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProvenBy {
    /// The secret with this index, counted from 0, in the list that the mechanism was given. It tells an
    /// operator when the old secret of a rotation is no longer in use.
    Secret(usize),
    /// A key that the sender publishes.
    Published,
    /// Nothing: the source is open on purpose.
    Open,
    /// Nothing now: the delivery was verified before it was stored, or the request is not used to start
    /// anything. See `kept::kept`.
    Kept,
}

impl Proof {
    /// What made the request authentic.
    pub fn by(&self) -> ProvenBy {
        self.by
    }

    /// The claims of the signed token that proved the request; null where there was no token.
    pub fn claims(&self) -> &Value {
        &self.claims
    }

    /// The index of the secret that matched, where one did.
    pub fn secret(&self) -> Option<usize> {
        match self.by {
            ProvenBy::Secret(index) => Some(index),
            ProvenBy::Published | ProvenBy::Open | ProvenBy::Kept => None,
        }
    }

    /// The index of the access token that came with the signature, where the source asks for one.
    pub fn access_token(&self) -> Option<usize> {
        self.token
    }

    /// Adds to this proof that the request carried an access token too: `token` is the proof of that.
    pub(crate) fn beside(self, token: &Self) -> Self {
        Self { token: token.secret(), ..self }
    }

    pub(super) fn published(claims: Value) -> Self {
        Self { by: ProvenBy::Published, claims, token: None }
    }

    pub(super) fn with_claims(self, claims: Value) -> Self {
        Self { claims, ..self }
    }

    pub(super) fn open() -> Self {
        Self { by: ProvenBy::Open, claims: Value::Null, token: None }
    }

    pub(super) fn kept(claims: Value) -> Self {
        Self { by: ProvenBy::Kept, claims, token: None }
    }
}

/// Proof by the first of `secrets` that `matches`.
///
/// An empty secret matches nothing, whatever `matches` says of it.
///
/// # Errors
/// `otherwise` when none matches; [`Refusal::NoUsableSecret`] when all are empty or there are none.
pub(super) fn first_match<'s>(
    secrets: impl IntoIterator<Item = (usize, &'s Secret)>,
    otherwise: Refusal,
    matches: impl Fn(&Secret) -> bool,
) -> Result<Proof, Refusal> {
    let mut usable = secrets.into_iter().filter(|(_, secret)| !secret.is_empty()).peekable();
    if usable.peek().is_none() {
        return Err(Refusal::NoUsableSecret);
    }
    usable
        .find(|(_, secret)| matches(secret))
        .map(|(index, _)| Proof { by: ProvenBy::Secret(index), claims: Value::Null, token: None })
        .ok_or(otherwise)
}
