//! Erases the content of a delivery, at a person's command.

use crate::model::DeliveryId;
use crate::store::rules::again::cancelled_to_erase;
use crate::store::statements::{About, Statements};
use crate::store::tables::runs::Which;
use crate::store::{Act, Erasure, StoreFault};

/// Removes the content of a delivery. What stays says that it was received, when, and what became of its runs,
/// so that a repeat of it is still recognized. Runs that are not sent yet are cancelled first.
pub(in crate::store) async fn erase(
    store: &impl Statements,
    id: DeliveryId,
    act: &Act,
) -> Result<Erasure, StoreFault> {
    if store.is_erased(id).await?.is_none() {
        return Err(StoreFault::NotFound(format!("delivery {id}")));
    }
    let runs = store.runs(Which::Of(id)).await?;
    let mut cancelled = Vec::new();
    for run in &runs {
        if let Some(row) = cancelled_to_erase(run, act)? {
            store.write(&[(run.seq, row)]).await?;
            store.note(run.id, "cancel", act).await?;
            cancelled.push(run.id);
        }
    }
    store.erase_content(id, act).await?;
    store.audit("erase", "delivery", &id.to_string(), act).await?;
    if !cancelled.is_empty() {
        store.tell(About::Runs).await?;
    }
    Ok(Erasure { cancelled, left: None })
}
