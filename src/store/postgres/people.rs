//! What people do: replay a delivery, settle a held run. Each act is kept with who and when, in the
//! transaction of what it did.

use jiff::Timestamp;
use uuid::Uuid;

use super::accept::{environment_json, insert_run, tell};
use super::link::Link;
use super::rows::{millis, params, run_id, spelled, text, uuid};
use super::{RUNS, audit, read, settle};
use crate::model::run::{Change, after};
use crate::model::{RunId, RunState};
use crate::store::StoreFault;
use crate::store::rules;
use crate::store::{Act, NewRun, NewRunState, Release, ReplayOrder, Replayed, ReplayedRun, Run};

/// Today's routes on a kept delivery.
pub(super) async fn replay(link: &Link, order: &ReplayOrder) -> Result<Replayed, StoreFault> {
    let delivery = uuid(order.delivery.as_bytes());
    // Two replays at once come one after the other.
    link.one("SELECT 1 FROM deliveries WHERE id = $1 FOR UPDATE", params![delivery])
        .await?
        .ok_or_else(|| StoreFault::NotFound(format!("delivery {}", order.delivery)))?;
    let mut runs = Vec::with_capacity(order.runs.len());
    for run in &order.runs {
        runs.push(replay_one(link, delivery, run, order).await?);
    }
    let name = order.delivery.to_string();
    audit::write(link, "replay", "delivery", &name, &order.act).await?;
    tell(link, RUNS).await?;
    Ok(Replayed { runs })
}

async fn replay_one(
    link: &Link,
    delivery: Uuid,
    run: &NewRun,
    order: &ReplayOrder,
) -> Result<ReplayedRun, StoreFault> {
    let part = i32::try_from(run.part).unwrap_or(i32::MAX);
    let latest = link
        .one(
            "SELECT id, state FROM runs WHERE delivery = $1 AND route = $2 AND part = $3 \
             ORDER BY seq DESC LIMIT 1 FOR UPDATE",
            params![delivery, &*run.route, part],
        )
        .await?
        .map(|row| Ok::<_, StoreFault>((run_id(&row, 0)?, spelled::<RunState>(&row, 1)?)))
        .transpose()?;
    let route = run.route.to_string();
    match latest {
        Some((id, state)) if state.is_tried_again() => {
            let state = again(link, id, &run.state, order.act.at, run.deadline).await?;
            note(link, id, "replay", &order.act).await?;
            let what = match state {
                RunState::Queued => "queued again",
                RunState::Held => "held",
                RunState::Cancelled => "left as it is",
                _ => "failed again",
            };
            Ok(ReplayedRun { id, route, what, state })
        }
        Some((id, state)) if !order.again => {
            Ok(ReplayedRun { id, route, what: "left as it is", state })
        }
        _ => {
            insert_run(link, delivery, run, millis(order.act.at)).await?;
            note(link, run.id, "replay", &order.act).await?;
            let state = match run.state {
                NewRunState::Queued(_) => RunState::Queued,
                NewRunState::Held(..) => RunState::Held,
                NewRunState::Failed(_) => RunState::Failed,
            };
            Ok(ReplayedRun { id: run.id, route, what: "new", state })
        }
    }
}

/// Gives a failed run another try with a newly mapped environment; gives the state that it is in
/// then. When it failed again in mapping, only the reason is new.
pub(super) async fn again(
    link: &Link,
    run: RunId,
    state: &NewRunState,
    now: Timestamp,
    deadline: Timestamp,
) -> Result<RunState, StoreFault> {
    let id = uuid(run.as_bytes());
    let (environment, reason) = match state {
        NewRunState::Failed(reason) => {
            let left = link
                .one(
                    "UPDATE runs SET reason = $2, changed_at = $3 \
                     WHERE id = $1 AND state IN ('failed', 'cancelled') RETURNING state",
                    params![id, text(reason), millis(now)],
                )
                .await?;
            return left.map_or(Ok(RunState::Failed), |row| spelled(&row, 0));
        }
        NewRunState::Queued(environment) => (environment, None),
        NewRunState::Held(environment, reason) => (environment, Some(text(reason))),
    };
    let state = if reason.is_some() { RunState::Held } else { RunState::Queued };
    link.execute(
        "UPDATE runs SET state = $2, environment = $3, reason = $4, changed_at = $5, due_at = $5, \
         deadline_at = $6, blocked = CASE WHEN $2 = 'queued' AND EXISTS \
           (SELECT 1 FROM pauses WHERE kind = 'route' AND name = runs.route) THEN 2 ELSE 0 END \
         WHERE id = $1 AND state IN ('failed', 'cancelled')",
        params![
            id,
            state.as_str(),
            environment_json(environment)?,
            reason,
            millis(now),
            millis(deadline)
        ],
    )
    .await?;
    Ok(state)
}

/// A person's word on a held run.
pub(super) async fn release(
    link: &Link,
    id: RunId,
    release: &Release,
    act: &Act,
) -> Result<Run, StoreFault> {
    let (seq, state) = settle::find(link, id).await?;
    let (change, word) = rules::released(id, state, release, act)?;
    settle::apply(link, seq, state, &change, act.at).await?;
    if let Release::Retry { deadline } = release {
        // A person has looked: no brake holds it again.
        link.execute(
            "UPDATE runs SET deadline_at = $2, passed = true WHERE seq = $1",
            params![seq, millis(*deadline)],
        )
        .await?;
    }
    settled(link, id, word, act).await
}

/// A person takes a run out that is not on the wire.
pub(super) async fn cancel(link: &Link, id: RunId, act: &Act) -> Result<Run, StoreFault> {
    let (seq, state) = settle::find(link, id).await?;
    let change = Change::Cancel { who: act.who.clone() };
    after(state, &change).map_err(|refused| StoreFault::unlawful(id, &refused))?;
    settle::apply(link, seq, state, &change, act.at).await?;
    settled(link, id, "cancel", act).await
}

async fn settled(link: &Link, id: RunId, word: &str, act: &Act) -> Result<Run, StoreFault> {
    note(link, id, word, act).await?;
    audit::write(link, word, "run", &id.to_string(), act).await?;
    tell(link, RUNS).await?;
    read::run(link, id).await?.ok_or_else(|| StoreFault::NotFound(format!("run {id}")))
}

async fn note(link: &Link, run: RunId, what: &str, act: &Act) -> Result<(), StoreFault> {
    link.execute(
        "INSERT INTO acts (run, at, who, act, note) VALUES ($1, $2, $3, $4, $5)",
        params![
            uuid(run.as_bytes()),
            millis(act.at),
            &*act.who,
            what,
            act.note.as_deref().map(text)
        ],
    )
    .await?;
    Ok(())
}
