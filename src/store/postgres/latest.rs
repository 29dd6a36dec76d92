//! Runs of which only the newest is to be sent: the newest takes the place of those before it that
//! are not sent yet, and stands for them.
//!
//! What is on the wire, held or over is never touched. The runs that one stands for share its
//! `burst`, so that each finds the one that stands for it in one step. All that concerns one route
//! and key happens one after the other: whoever changes it holds a lock of that name until its
//! transaction ends.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::link::Link;
use super::rows::{get, millis, params, spelled, text};
use crate::model::RunState;
use crate::model::run::{Change, after};
use crate::store::StoreFault;
use crate::store::rules::Taken;

struct Earlier {
    seq: i64,
    state: RunState,
    burst: i64,
    burst_at: i64,
    stands_for: i64,
}

/// Takes the locks of several kinds, in one order everywhere.
pub(super) async fn alone_with_all(
    link: &Link,
    mut kinds: Vec<(&str, &str)>,
) -> Result<(), StoreFault> {
    kinds.sort_unstable();
    kinds.dedup();
    for (route, key) in kinds {
        alone(link, route, &text(key)).await?;
    }
    Ok(())
}

async fn alone(link: &Link, route: &str, key: &str) -> Result<(), StoreFault> {
    link.query(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))::text",
        params![format!("{route}\n{key}")],
    )
    .await?;
    Ok(())
}

/// Takes the place of every run of this route and key that is not sent yet.
pub(super) async fn take_place(
    link: &Link,
    route: &str,
    key: &str,
    now: i64,
) -> Result<Taken, StoreFault> {
    let key = text(key);
    alone(link, route, &key).await?;
    let earlier: Vec<Earlier> = link
        .query(
            "SELECT seq, state, coalesce(burst, seq), coalesce(burst_at, accepted_at), stands_for \
             FROM runs WHERE route = $1 AND latest_per = $2 AND latest_per IS NOT NULL \
               AND state IN ('queued', 'waiting') ORDER BY seq FOR UPDATE",
            params![route, key],
        )
        .await?
        .iter()
        .map(earlier)
        .collect::<Result<_, _>>()?;
    let mut taken = Taken { burst: None, burst_at: now, stands_for: 1 };
    if let Some(first) = earlier.first() {
        taken.burst = Some(first.burst);
    }
    for run in &earlier {
        taken.burst_at = taken.burst_at.min(run.burst_at);
        taken.stands_for += run.stands_for;
        supersede(link, run, earlier[0].burst, now).await?;
        // Those that it stood for go along.
        if run.burst != earlier[0].burst {
            let bursts = params![earlier[0].burst, run.burst];
            link.execute("UPDATE runs SET burst = $1 WHERE burst = $2", bursts).await?;
        }
    }
    Ok(taken)
}

/// A run that is queued again after an attempt gives way to a newer one of its kind, if there is
/// one by now.
pub(super) async fn give_way(link: &Link, seq: i64, now: Timestamp) -> Result<(), StoreFault> {
    let kind = link
        .one(
            "SELECT route, latest_per FROM runs WHERE seq = $1 AND latest_per IS NOT NULL",
            params![seq],
        )
        .await?;
    let Some(kind) = kind else { return Ok(()) };
    alone(link, get(&kind, 0)?, get(&kind, 1)?).await?;
    let found = link
        .one(
            "SELECT old.seq, old.state, coalesce(old.burst, old.seq), \
                    coalesce(old.burst_at, old.accepted_at), old.stands_for, \
                    (SELECT max(new.seq) FROM runs new WHERE new.route = old.route \
                       AND new.latest_per = old.latest_per AND new.latest_per IS NOT NULL \
                       AND new.state IN ('queued', 'waiting') AND new.seq > old.seq) \
             FROM runs old WHERE old.seq = $1",
            params![seq],
        )
        .await?;
    let Some(row) = found else { return Ok(()) };
    let Some(newer): Option<i64> = get(&row, 5)? else { return Ok(()) };
    let old = earlier(&row)?;
    supersede(link, &old, old.burst, millis(now)).await?;
    // The newer one may have a burst of its own; all of them become one.
    link.execute(
        "UPDATE runs SET burst = $1 WHERE burst = (SELECT coalesce(burst, seq) FROM runs WHERE seq = $2)",
        params![old.burst, newer],
    )
    .await?;
    link.execute(
        "UPDATE runs SET burst = $1, burst_at = least(coalesce(burst_at, accepted_at), $3), \
         stands_for = stands_for + $4 WHERE seq = $2",
        params![old.burst, newer, old.burst_at, old.stands_for],
    )
    .await?;
    Ok(())
}

/// Of each route and key of a job only the newest of the runs up to `up_to` stays.
pub(super) async fn only_newest(
    link: &Link,
    job: &str,
    up_to: i64,
    now: Timestamp,
) -> Result<usize, StoreFault> {
    let changed = after(RunState::Queued, &Change::Supersede);
    debug_assert!(changed.is_ok(), "a queued run may be superseded");
    let ranked = "WITH ranked AS (SELECT seq, coalesce(burst, seq) AS own, \
            first_value(seq) OVER newest AS stays, row_number() OVER newest AS place, \
            count(*) OVER kind AS many, (sum(stands_for) OVER kind)::bigint AS stand_for \
        FROM runs WHERE state = 'queued' AND blocked = 0 AND job = $1 AND seq <= $2 \
        WINDOW kind AS (PARTITION BY route, latest_per), \
               newest AS (PARTITION BY route, latest_per ORDER BY seq DESC))";
    // Those that were superseded before go along with the one that stood for them.
    link.execute(
        &format!(
            "{ranked} UPDATE runs SET burst = ranked.stays FROM ranked \
             WHERE runs.burst = ranked.own AND runs.state = 'superseded' AND ranked.many > 1"
        ),
        params![job, up_to],
    )
    .await?;
    let changed = link
        .execute(
            &format!(
                "{ranked} UPDATE runs SET \
                   state = CASE WHEN ranked.place > 1 THEN 'superseded' ELSE runs.state END, \
                   blocked = CASE WHEN ranked.place > 1 THEN 0 ELSE runs.blocked END, \
                   stands_for = CASE WHEN ranked.place = 1 THEN ranked.stand_for \
                                     ELSE runs.stands_for END, \
                   burst = ranked.stays, changed_at = $3, \
                   reason = CASE WHEN ranked.place > 1 \
                                 THEN 'a newer run took its place after a pause' ELSE runs.reason END \
                 FROM ranked WHERE ranked.seq = runs.seq AND ranked.many > 1 AND runs.state = 'queued'"
            ),
            params![job, up_to, millis(now)],
        )
        .await?;
    Ok(changed)
}

fn earlier(row: &Row) -> Result<Earlier, StoreFault> {
    Ok(Earlier {
        seq: get(row, 0)?,
        state: spelled(row, 1)?,
        burst: get(row, 2)?,
        burst_at: get(row, 3)?,
        stands_for: get(row, 4)?,
    })
}

async fn supersede(link: &Link, run: &Earlier, burst: i64, now: i64) -> Result<(), StoreFault> {
    if after(run.state, &Change::Supersede).is_err() {
        return Err(StoreFault::Unusable(format!("a {} run cannot be superseded", run.state)));
    }
    link.execute(
        "UPDATE runs SET state = 'superseded', blocked = 0, burst = $2, changed_at = $3, \
         reason = 'a newer run of its kind took its place' WHERE seq = $1 AND state = $4",
        params![run.seq, burst, now, run.state.as_str()],
    )
    .await?;
    Ok(())
}
