//! The published keys that a request is verified with.
//!
//! A request that no known key verifies may be signed with a newer one. The issuer is then asked once
//! more, within the limits of [`crate::issuers`].

use std::sync::Arc;

use super::Receiver;
use super::answer::Answer;
use super::steps::Arrived;
use crate::authenticate::Refusal;
use crate::issuers::Found;
use crate::providers::{Published, Wanted};

/// The published keys for a request.
pub(super) enum Known {
    /// The request needs none, or there are none at the address that it names.
    Nothing,
    /// What the request needs, and the keys that were found.
    Keys(Wanted, Arc<Published>),
}

impl Known {
    /// The keys, if any.
    pub(super) fn keys(&self) -> Option<Arc<Published>> {
        match self {
            Self::Nothing => None,
            Self::Keys(_, keys) => Some(Arc::clone(keys)),
        }
    }
}

impl Receiver {
    /// Finds the published keys that the request needs.
    ///
    /// # Errors
    /// [`Answer::NoKeys`] when they are not available now.
    pub(super) async fn published(&self, arrived: &Arrived) -> Result<Known, Answer> {
        let Some(wanted) = arrived.wanted() else { return Ok(Known::Nothing) };
        match self.issuers.find(&wanted, &arrived.remote).await {
            Found::Keys(keys) => Ok(Known::Keys(wanted, keys)),
            Found::Nothing => Ok(Known::Nothing),
            Found::NotNow => Err(Answer::NoKeys),
        }
    }

    /// Newer keys, where this answer may change with them; none where it cannot, or the keys are the same.
    ///
    /// # Errors
    /// [`Answer::NoKeys`] when they are not available now.
    pub(super) async fn newer(
        &self,
        known: &Known,
        answer: &Answer,
    ) -> Result<Option<Arc<Published>>, Answer> {
        let Answer::Refused(Refusal::BadSignature | Refusal::UnknownKey) = answer else {
            return Ok(None);
        };
        let Known::Keys(wanted, old) = known else { return Ok(None) };
        match self.issuers.find_newer(wanted, old).await {
            Found::Keys(keys) => Ok(Some(keys).filter(|keys| keys.keys != old.keys)),
            Found::Nothing => Ok(None),
            Found::NotNow => Err(Answer::NoKeys),
        }
    }
}
