//! Pauses and resumes, and decides what becomes of the backlog when a pause ends.

use std::sync::Arc;

use jiff::Timestamp;

use super::{unexpected, write};
use crate::model::Backlog;
use crate::store::rules::coalesce::only_newest;
use crate::store::rules::run::{Against, Moved, RunRow, reviewed};
use crate::store::statements::{About, Statements};
use crate::store::tables::runs::Which;
use crate::store::{Act, Pausable, StoreFault};

/// Pauses something. Pausing it again changes nothing but the mark, and is recorded in the audit log too.
pub(in crate::store) async fn pause(
    store: &impl Statements,
    what: &Pausable,
    mark: Option<&[u8]>,
    act: &Act,
) -> Result<(), StoreFault> {
    store.put_pause(what, mark, act).await?;
    if let Pausable::Route(route) = what {
        look_again(store, Which::Queued(route, Against::Nothing), act.at).await?;
    }
    store.audit("pause", what.kind(), what.name(), act).await?;
    store.tell(About::Pauses).await
}

/// Ends a pause and releases the given backlogs; gives whether there was a pause.
pub(in crate::store) async fn resume(
    store: &impl Statements,
    what: &Pausable,
    backlogs: &[(Arc<str>, Backlog)],
    act: &Act,
) -> Result<bool, StoreFault> {
    let was_paused = store.remove_pause(what).await?;
    if was_paused {
        if let Pausable::Route(route) = what {
            look_again(store, Which::Queued(route, Against::RoutePaused), act.at).await?;
        }
        for (job, how) in backlogs {
            release_backlog(store, job, *how, act.at).await?;
        }
    }
    store.audit("resume", what.kind(), what.name(), act).await?;
    store.tell(About::Pauses).await?;
    Ok(was_paused)
}

/// Unblocks runs that are blocked by a pause of their route although the route is not paused; gives how many.
/// They were accepted while the route was being resumed, and neither transaction saw the other.
pub(in crate::store) async fn free_left_behind(
    store: &impl Statements,
    now: Timestamp,
) -> Result<usize, StoreFault> {
    let freed = look_again(store, Which::LeftBehind, now).await?;
    if freed > 0 {
        store.tell(About::Runs).await?;
    }
    Ok(freed)
}

/// Computes again what blocks the start of these runs; gives how many there are.
async fn look_again(
    store: &impl Statements,
    which: Which<'_>,
    now: Timestamp,
) -> Result<usize, StoreFault> {
    let runs = store.runs(which).await?;
    let rows: Vec<_> = runs.iter().map(|run| (run.seq, Moved::kept(run, now))).collect();
    store.write(&rows).await?;
    Ok(rows.len())
}

/// Applies `how` to the runs of a job that are ready now; gives how many rows it changed.
pub(in crate::store) async fn release_backlog(
    store: &impl Statements,
    job: &str,
    how: Backlog,
    now: Timestamp,
) -> Result<usize, StoreFault> {
    let Some(up_to) = store.last_ready(job).await? else { return Ok(0) };
    let changed = match how {
        Backlog::Paced => {
            store.put_backlog(job, up_to, now).await?;
            1
        }
        Backlog::Latest => {
            let waiting = store.runs(Which::ReadyUpTo(job, up_to)).await?;
            let coalesced = only_newest(&waiting, now).map_err(unexpected)?;
            let changed = coalesced.rows.len();
            write(store, coalesced).await?;
            changed
        }
        Backlog::Review => {
            let waiting = store.runs(Which::ReadyUpTo(job, up_to)).await?;
            let hold = |run: &RunRow| Ok((run.seq, reviewed(run.state, now)?));
            let rows: Vec<_> =
                waiting.iter().map(hold).collect::<Result<_, _>>().map_err(unexpected)?;
            store.write(&rows).await?;
            rows.len()
        }
    };
    store.tell(About::Pauses).await?;
    Ok(changed)
}
