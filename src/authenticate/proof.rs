//! What a mechanism hands out when a request is authentic. Nothing outside this step can make one.

use crate::authenticate::Refusal;
use crate::model::{Secret, Value};

/// Evidence that a request may be believed. It has no public constructor.
#[derive(Debug, PartialEq)]
pub struct Proof {
    by: ProvenBy,
    claims: Value,
    token: Option<usize>,
}

/// What made a request authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProvenBy {
    /// The source's secret with this index, counted from 0 in the order configured. It tells an
    /// operator when the old secret of a rotation is no longer in use.
    Secret(usize),
    /// A key that the sender publishes.
    Published,
    /// Nothing: the source is open on purpose.
    Open,
    /// An earlier check: the delivery was read back from the store.
    Kept,
}

impl Proof {
    /// What made the request authentic.
    pub fn by(&self) -> ProvenBy {
        self.by
    }

    /// What the proof itself says of its sender: the claims of a signed token; null where there is
    /// none.
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

    /// The index of the access token that came beside the signature, where the source asks for one.
    pub fn access_token(&self) -> Option<usize> {
        self.token
    }

    /// The same proof, of a request that proved an access token as well.
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

/// The first of `secrets` that `matches`, as proof; `otherwise` when none does.
///
/// An empty secret matches nothing, whatever a mechanism would make of it.
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
