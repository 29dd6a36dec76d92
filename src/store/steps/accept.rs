//! Accepts a delivery: keeps it with its runs, or recognizes a repeat, in one transaction.

use std::sync::Arc;

use jiff::Timestamp;

use super::{unexpected, write};
use crate::clock::later;
use crate::model::{DeliveryId, RunState};
use crate::store::pack::Packed;
use crate::store::rules::again::repeated;
use crate::store::rules::claims::{Failed, Told, failed, keys, told};
use crate::store::rules::coalesce::{Place, take_place};
use crate::store::rules::new::row;
use crate::store::statements::{About, Claim, Statements};
use crate::store::tables::runs::Which;
use crate::store::{Accepted, NewDelivery, NewRun, NewRunState, StoreFault, Superseded};

/// Keeps a delivery with its runs. Where it is a repeat, gives the first delivery and its runs instead, and
/// queues those again that had failed.
pub(in crate::store) async fn accept(
    store: &impl Statements,
    packed: &Packed,
) -> Result<Accepted, StoreFault> {
    let delivery = &packed.delivery;
    let until = later(delivery.received_at, delivery.window);
    let mut same_id_as = None;
    for key in keys(delivery) {
        let claim = Claim { key: &key, until, same_id_as };
        let Some(held) = store.keep(packed, &claim).await? else {
            return kept(store, delivery, &claim).await;
        };
        match told(&held, &delivery.digest) {
            Told::Repeat { first, same } => return repeat(store, first, same, delivery).await,
            Told::Another(first) => same_id_as = same_id_as.or(Some(first)),
        }
    }
    Err(StoreFault::Unusable(format!("delivery {} is there already", delivery.id)))
}

/// Writes the runs of a delivery that was kept.
async fn kept(
    store: &impl Statements,
    delivery: &NewDelivery,
    claim: &Claim<'_>,
) -> Result<Accepted, StoreFault> {
    if claim.same_id_as.is_some() {
        // Else the sender's id would be free again while this delivery may still be repeated.
        store.prolong(&delivery.source, &delivery.key, claim.until).await?;
    }
    let accepted = |superseded| match claim.same_id_as {
        Some(same_id_as) => Accepted::Another { same_id_as, superseded },
        None => Accepted::Kept { superseded },
    };
    if delivery.runs.is_empty() {
        return Ok(accepted(Superseded::new()));
    }
    let kinds: Vec<(&str, &str)> = delivery.runs.iter().filter_map(kind).collect();
    if !kinds.is_empty() {
        store.alone_with(kinds).await?;
    }
    let mut superseded = Superseded::new();
    for run in &delivery.runs {
        let runs = place(store, delivery.id, run, delivery.received_at).await?;
        if runs > 0 {
            superseded.push((Arc::clone(&run.job), runs));
        }
    }
    store.tell(About::Runs).await?;
    Ok(accepted(superseded))
}

fn kind(run: &NewRun) -> Option<(&str, &str)> {
    let latest = run.latest.as_ref()?;
    matches!(run.state, NewRunState::Queued(_)).then(|| (&*run.route, &*latest.key))
}

/// Writes one new run of a kept delivery. It supersedes unsent runs of its route with the same `latest_per`
/// text; gives how many.
pub(super) async fn place(
    store: &impl Statements,
    delivery: DeliveryId,
    run: &NewRun,
    now: Timestamp,
) -> Result<usize, StoreFault> {
    let mut place = Place::own(now);
    let mut superseded = 0;
    if let Some((route, key)) = kind(run) {
        let unsent = store.runs(Which::Unsent(route, key)).await?;
        let (taken, coalesced) = take_place(&unsent, now).map_err(unexpected)?;
        superseded = coalesced.rows.len();
        write(store, coalesced).await?;
        place = taken;
    }
    store.insert(delivery, &row(run, &place, now)?).await?;
    Ok(superseded)
}

/// Handles a repeat: a person pressed "redeliver", or the sender did not get the first answer. Runs that had
/// failed get another try; no other run is changed.
async fn repeat(
    store: &impl Statements,
    first: DeliveryId,
    same: bool,
    delivery: &NewDelivery,
) -> Result<Accepted, StoreFault> {
    let erased = store.count_repeat(first, delivery.received_at).await?;
    let failed = failed(same, erased);
    let today: &[NewRun] = if failed == Failed::Today { &delivery.runs } else { &[] };
    let tried_again = match failed {
        Failed::Left => Vec::new(),
        Failed::Today | Failed::AsKept => store.runs(Which::Failed(first)).await?,
    };
    let mut requeued = Vec::new();
    for run in tried_again {
        if let Some(row) = repeated(&run, today, delivery.received_at)? {
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
