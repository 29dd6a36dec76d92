//! What is paused until somebody resumes it, and what becomes of the backlog then.

use std::sync::Arc;

use jiff::Timestamp;

use super::{unexpected, write};
use crate::model::Backlog;
use crate::store::rules::coalesce::only_newest;
use crate::store::rules::run::{Against, Moved, RunRow, reviewed};
use crate::store::statements::{About, Statements};
use crate::store::tables::runs::Which;
use crate::store::{Act, Pausable, StoreFault};

/// Pauses something. Pausing twice changes nothing and is an act all the same.
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

/// Resumes it; gives whether it was paused.
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

/// Frees runs that were kept back for a route that is no longer paused: they were accepted while it was
/// being resumed, and the one transaction did not see the other. Gives how many.
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

/// Looks again at what stands against the start of these runs.
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

/// Says what becomes of the runs of a job that wait now; gives how many it changed.
pub(in crate::store) async fn release_backlog(
    store: &impl Statements,
    job: &str,
    how: Backlog,
    now: Timestamp,
) -> Result<usize, StoreFault> {
    let Some(up_to) = store.last_ready(job).await? else { return Ok(0) };
    let changed = match how {
        Backlog::Paced => {
            store.put_backlog(job, up_to).await?;
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
