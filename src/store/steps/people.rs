//! What people do: replay a delivery, release a held run, cancel a run. Each act is recorded with who and
//! when, in the same transaction as its effect.

use super::accept::place;
use crate::model::RunId;
use crate::store::rules::again::{Replay, cancelled, released, replayed, word_of};
use crate::store::rules::new::parts;
use crate::store::rules::run::{Moved, RunRow};
use crate::store::statements::{About, Statements};
use crate::store::tables::runs::Which;
use crate::store::{Act, NewRun, Release, ReplayRequest, Replayed, ReplayedRun, Run, StoreFault};

/// Writes the runs that the current routes ask for a kept delivery.
pub(in crate::store) async fn replay(
    store: &impl Statements,
    request: &ReplayRequest,
) -> Result<Replayed, StoreFault> {
    match store.is_erased(request.delivery).await? {
        Some(false) => {}
        Some(true) => {
            let what = format!("content of delivery {} any more: it was erased", request.delivery);
            return Err(StoreFault::NotFound(what));
        }
        None => return Err(StoreFault::NotFound(format!("delivery {}", request.delivery))),
    }
    let mut runs = Vec::with_capacity(request.runs.len());
    for run in &request.runs {
        runs.push(replay_one(store, run, request).await?);
    }
    store.audit("replay", "delivery", &request.delivery.to_string(), &request.act).await?;
    store.tell(About::Runs).await?;
    Ok(Replayed { runs })
}

async fn replay_one(
    store: &impl Statements,
    run: &NewRun,
    request: &ReplayRequest,
) -> Result<ReplayedRun, StoreFault> {
    let act = &request.act;
    let kept = store.runs(Which::Newest(request.delivery, &run.route, run.part)).await?.pop();
    let route = run.route.to_string();
    match (replayed(kept.as_ref(), run, request.again, act.at)?, kept) {
        (Replay::Again(row), Some(kept)) => {
            let state = row.state;
            store.write(&[(kept.seq, *row)]).await?;
            store.note(kept.id, "replay", act).await?;
            Ok(ReplayedRun { id: kept.id, route, what: word_of(state), state })
        }
        (Replay::Left, Some(kept)) => {
            Ok(ReplayedRun { id: kept.id, route, what: "left as it is", state: kept.state })
        }
        (_, _) => {
            place(store, request.delivery, run, act.at).await?;
            store.note(run.id, "replay", act).await?;
            let (state, ..) = parts(&run.state);
            Ok(ReplayedRun { id: run.id, route, what: "new", state })
        }
    }
}

/// Settles a held run by a person's decision.
pub(in crate::store) async fn release(
    store: &impl Statements,
    id: RunId,
    release: &Release,
    act: &Act,
) -> Result<Run, StoreFault> {
    let run = find(store, id).await?;
    let (row, word) = released(&run, release, act)?;
    settled(store, &run, row, word, act).await
}

/// Cancels a run that is not in flight.
pub(in crate::store) async fn cancel(
    store: &impl Statements,
    id: RunId,
    act: &Act,
) -> Result<Run, StoreFault> {
    let run = find(store, id).await?;
    let row = cancelled(&run, act)?;
    settled(store, &run, row, "cancel", act).await
}

async fn find(store: &impl Statements, id: RunId) -> Result<RunRow, StoreFault> {
    store.run(id).await?.ok_or_else(|| StoreFault::NotFound(format!("run {id}")))
}

async fn settled(
    store: &impl Statements,
    run: &RunRow,
    row: Moved,
    word: &str,
    act: &Act,
) -> Result<Run, StoreFault> {
    let id = run.id;
    store.write(&[(run.seq, row)]).await?;
    store.note(id, word, act).await?;
    store.audit(word, "run", &id.to_string(), act).await?;
    store.tell(About::Runs).await?;
    store.whole(id).await?.ok_or_else(|| StoreFault::NotFound(format!("run {id}")))
}
