//! The published keys that a request is judged by. One that none of them helped may have been signed
//! with a key that took their place since: then the issuer is asked once more, where it may be.

use std::sync::Arc;

use super::Receiver;
use super::answer::Answer;
use super::steps::Arrived;
use crate::authenticate::Refusal;
use crate::issuers::Found;
use crate::providers::{Published, Wanted};

/// The keys that a request asked for, where it asked for any.
pub(super) enum Known {
    /// It needs none, or there are none where it says.
    Nothing,
    /// These.
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
    /// The published keys that the request needs, where it needs any.
    pub(super) async fn published(&self, arrived: &Arrived) -> Result<Known, Answer> {
        let Some(wanted) = arrived.wanted() else { return Ok(Known::Nothing) };
        match self.issuers.find(&wanted).await {
            Found::Keys(keys) => Ok(Known::Keys(wanted, keys)),
            Found::Nothing => Ok(Known::Nothing),
            Found::NotNow => Err(Answer::NoKeys),
        }
    }

    /// Other keys than those that led to this answer, where they may lead to a better one.
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
