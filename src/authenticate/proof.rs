//! What a mechanism hands out when a request is authentic. Nothing outside this step can make one.

use crate::authenticate::Refusal;
use crate::model::Secret;

/// Evidence that a request may be believed. It has no public constructor.
#[derive(Debug, PartialEq, Eq)]
pub struct Proof(ProvenBy);

/// What made a request authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProvenBy {
    /// The source's secret with this index, counted from 0 in the order configured. It tells an
    /// operator when the old secret of a rotation is no longer in use.
    Secret(usize),
    /// Nothing: the source is open on purpose.
    Open,
    /// An earlier check: the delivery was read back from the store.
    Kept,
}

impl Proof {
    /// What made the request authentic.
    pub fn by(&self) -> ProvenBy {
        self.0
    }

    /// The index of the secret that matched, where one did.
    pub fn secret(&self) -> Option<usize> {
        match self.0 {
            ProvenBy::Secret(index) => Some(index),
            ProvenBy::Open | ProvenBy::Kept => None,
        }
    }

    pub(super) fn open() -> Self {
        Self(ProvenBy::Open)
    }

    pub(super) fn kept() -> Self {
        Self(ProvenBy::Kept)
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
        .map(|(index, _)| Proof(ProvenBy::Secret(index)))
        .ok_or(otherwise)
}
