//! The use cases, written once for both stores. Each reads facts, calls the [rules](super::rules) and writes
//! rows, through the [statements](super::statements) of one transaction.

pub(in crate::store) mod accept;
pub(in crate::store) mod erase;
pub(in crate::store) mod pauses;
pub(in crate::store) mod people;
pub(in crate::store) mod queue;
pub(in crate::store) mod settle;

use super::StoreFault;
use super::rules::coalesce::Coalesced;
use super::statements::Statements;
use crate::model::run::UnlawfulChange;

async fn write(store: &impl Statements, coalesced: Coalesced) -> Result<(), StoreFault> {
    for (from, into) in coalesced.merges {
        store.merge(from, into).await?;
    }
    store.write(&coalesced.rows).await
}

/// The fault for a run that the store gave in a state that was not asked for.
fn unexpected(refused: UnlawfulChange) -> StoreFault {
    StoreFault::Unusable(refused.to_string())
}
