//! Settles runs: after an attempt, and when their deadline has passed.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{unexpected, write};
use crate::model::RunId;
use crate::store::StoreFault;
use crate::store::rules::coalesce::give_way;
use crate::store::rules::run::{RunRow, overdue};
use crate::store::statements::Statements;
use crate::store::tables::runs::Which;

/// Supersedes a run that is queued again after an attempt, where by now there is a newer one of its route
/// with the same `latest_per` text.
pub(in crate::store) async fn queued_again(
    store: &impl Statements,
    id: RunId,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let Some(kind) = store.run(id).await? else { return Ok(()) };
    let Some(key) = &kind.latest_per else { return Ok(()) };
    store.alone_with(vec![(&kind.route, key)]).await?;
    let unsent = store.runs(Which::Unsent(&kind.route, key)).await?;
    // It may have been superseded before the lock was taken.
    let Some(run) = unsent.iter().find(|run| run.id == id) else { return Ok(()) };
    match give_way(run, &unsent, now).map_err(unexpected)? {
        Some(coalesced) => write(store, coalesced).await,
        None => Ok(()),
    }
}

/// Fails runs whose deadline has passed; gives how many of each job. `waits` says by job what the runs waited for.
pub(in crate::store) async fn fail_overdue(
    store: &impl Statements,
    now: Timestamp,
    waits: &[(Arc<str>, String)],
) -> Result<BTreeMap<String, usize>, StoreFault> {
    let runs = store.runs(Which::Overdue(now)).await?;
    let fail = |run: &RunRow| {
        let waited = waits.iter().find(|(job, _)| **job == *run.job);
        Ok((run.seq, overdue(run, waited.map(|(_, why)| &**why), now)?))
    };
    let rows: Vec<_> = runs.iter().map(fail).collect::<Result<_, _>>().map_err(unexpected)?;
    store.write(&rows).await?;
    let mut failed = BTreeMap::new();
    for run in runs {
        *failed.entry(run.job).or_default() += 1;
    }
    Ok(failed)
}
