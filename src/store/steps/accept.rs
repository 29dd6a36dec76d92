//! Accepts a delivery: keeps it with its runs, or recognizes a repeat, in one transaction.

use jiff::Timestamp;

use super::{unexpected, write};
use crate::model::{DeliveryId, RunState};
use crate::store::pack::Packed;
use crate::store::rules::again::repeated;
use crate::store::rules::coalesce::{Place, take_place};
use crate::store::rules::new::row;
use crate::store::statements::{About, Statements};
use crate::store::tables::runs::Which;
use crate::store::{Accepted, NewDelivery, NewRun, NewRunState, StoreFault};

/// Keeps a delivery with its runs. Where it is a repeat, gives the first delivery and its runs instead, and
/// queues those again that had failed.
pub(in crate::store) async fn accept(
    store: &impl Statements,
    packed: &Packed,
) -> Result<Accepted, StoreFault> {
    let delivery = &packed.delivery;
    if let Some(first) = store.keep(packed).await? {
        return repeat(store, first, delivery).await;
    }
    if delivery.runs.is_empty() {
        return Ok(Accepted::Kept);
    }
    let kinds: Vec<(&str, &str)> = delivery.runs.iter().filter_map(kind).collect();
    if !kinds.is_empty() {
        store.alone_with(kinds).await?;
    }
    for run in &delivery.runs {
        place(store, delivery.id, run, delivery.received_at).await?;
    }
    store.tell(About::Runs).await?;
    Ok(Accepted::Kept)
}

fn kind(run: &NewRun) -> Option<(&str, &str)> {
    let latest = run.latest.as_ref()?;
    matches!(run.state, NewRunState::Queued(_)).then(|| (&*run.route, &*latest.key))
}

/// Writes one new run of a kept delivery. It supersedes unsent runs of its route with the same `latest_per`
/// text.
pub(super) async fn place(
    store: &impl Statements,
    delivery: DeliveryId,
    run: &NewRun,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let mut place = Place::own(now);
    if let Some((route, key)) = kind(run) {
        let unsent = store.runs(Which::Unsent(route, key)).await?;
        let (taken, coalesced) = take_place(&unsent, now).map_err(unexpected)?;
        write(store, coalesced).await?;
        place = taken;
    }
    store.insert(delivery, &row(run, &place, now)?).await
}

/// Handles a repeat: a person pressed "redeliver", or the sender did not get the first answer. Runs that had
/// failed get another try; no other run is changed.
async fn repeat(
    store: &impl Statements,
    first: DeliveryId,
    delivery: &NewDelivery,
) -> Result<Accepted, StoreFault> {
    let mut requeued = Vec::new();
    for run in store.runs(Which::Failed(first)).await? {
        if let Some(row) = repeated(&run, &delivery.runs, delivery.received_at)? {
            if row.state == RunState::Queued {
                requeued.push(run.id);
            }
            store.write(&[(run.seq, row)]).await?;
        }
    }
    if !requeued.is_empty() {
        store.tell(About::Runs).await?;
    }
    let runs = store.runs_in_short(first).await?;
    Ok(Accepted::Repeat { delivery: first, runs, requeued })
}
