//! Runs of which only the newest is to be sent: the newest takes the place of those before it that
//! are not sent yet, and stands for them.
//!
//! What is on the wire, held or over is never touched. The runs that one stands for share its
//! `burst`, so that each finds the one that stands for it in one step.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::rows::{fault, millis};
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

/// Takes the place of every run of this route and key that is not sent yet.
pub(super) fn take_place(
    connection: &Connection,
    route: &str,
    key: &str,
    now: i64,
) -> Result<Taken, StoreFault> {
    let earlier = unsent(connection, route, key, i64::MAX).map_err(fault)?;
    let mut taken = Taken { burst: None, burst_at: now, stands_for: 1 };
    if let Some(first) = earlier.first() {
        taken.burst = Some(first.burst);
    }
    for run in &earlier {
        taken.burst_at = taken.burst_at.min(run.burst_at);
        taken.stands_for += run.stands_for;
        supersede(connection, run, earlier[0].burst, now)?;
        // Those that it stood for go along.
        if run.burst != earlier[0].burst {
            connection
                .prepare_cached("UPDATE runs SET burst = ?1 WHERE burst = ?2")
                .and_then(|mut all| all.execute([earlier[0].burst, run.burst]))
                .map_err(fault)?;
        }
    }
    Ok(taken)
}

/// A run that is queued again after an attempt gives way to a newer one of its kind, if there is
/// one by now.
pub(super) fn give_way(
    connection: &Connection,
    seq: i64,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let find = || -> rusqlite::Result<Option<(Earlier, i64)>> {
        let mut statement = connection.prepare_cached(
            "SELECT old.seq, old.state, coalesce(old.burst, old.seq), \
                    coalesce(old.burst_at, old.accepted_at), old.stands_for, \
                    (SELECT max(new.seq) FROM runs new WHERE new.route = old.route \
                       AND new.latest_per = old.latest_per AND new.latest_per IS NOT NULL \
                       AND new.state IN ('queued', 'waiting') AND new.seq > old.seq) \
             FROM runs old WHERE old.seq = ?1 AND old.latest_per IS NOT NULL",
        )?;
        let mut rows = statement.query([seq])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let newer: Option<i64> = row.get(5)?;
        newer.map(|newer| earlier(row).map(|old| (old, newer))).transpose()
    };
    let Some((old, newer)) = find().map_err(fault)? else { return Ok(()) };
    supersede(connection, &old, old.burst, millis(now))?;
    // The newer one may have a burst of its own; all of them become one.
    connection
        .prepare_cached(
            "UPDATE runs SET burst = ?1 WHERE burst = (SELECT coalesce(burst, seq) FROM runs \
             WHERE seq = ?2)",
        )
        .and_then(|mut all| all.execute(params![old.burst, newer]))
        .and_then(|_| {
            connection.prepare_cached(
                "UPDATE runs SET burst = ?1, burst_at = min(coalesce(burst_at, accepted_at), ?3), \
                 stands_for = stands_for + ?4 WHERE seq = ?2",
            )
        })
        .and_then(|mut one| one.execute(params![old.burst, newer, old.burst_at, old.stands_for]))
        .map(|_| ())
        .map_err(fault)
}

/// Of each route and key of a job only the newest of the runs up to `up_to` stays.
pub(super) fn only_newest(
    connection: &Connection,
    job: &str,
    up_to: i64,
    now: Timestamp,
) -> Result<usize, StoreFault> {
    let changed = after(RunState::Queued, &Change::Supersede);
    debug_assert!(changed.is_ok(), "a queued run may be superseded");
    let ranked = "WITH ranked AS (SELECT seq, coalesce(burst, seq) AS own, \
            first_value(seq) OVER newest AS stays, row_number() OVER newest AS place, \
            count(*) OVER kind AS many, sum(stands_for) OVER kind AS stand_for \
        FROM runs WHERE state = 'queued' AND blocked = 0 AND job = ?1 AND seq <= ?2 \
        WINDOW kind AS (PARTITION BY route, latest_per), \
               newest AS (PARTITION BY route, latest_per ORDER BY seq DESC))";
    // Those that were superseded before go along with the one that stood for them.
    connection
        .prepare_cached(&format!(
            "{ranked} UPDATE runs SET burst = ranked.stays FROM ranked \
             WHERE runs.burst = ranked.own AND runs.state = 'superseded' AND ranked.many > 1"
        ))
        .and_then(|mut statement| statement.execute(params![job, up_to]))
        .map_err(fault)?;
    connection
        .prepare_cached(&format!(
            "{ranked} UPDATE runs SET \
               state = CASE WHEN ranked.place > 1 THEN 'superseded' ELSE runs.state END, \
               stands_for = CASE WHEN ranked.place = 1 THEN ranked.stand_for ELSE runs.stands_for END, \
               burst = ranked.stays, changed_at = ?3, \
               reason = CASE WHEN ranked.place > 1 \
                             THEN 'a newer run took its place after a pause' ELSE runs.reason END \
             FROM ranked WHERE ranked.seq = runs.seq AND ranked.many > 1"
        ))
        .and_then(|mut statement| statement.execute(params![job, up_to, millis(now)]))
        .map_err(fault)
}

fn unsent(
    connection: &Connection,
    route: &str,
    key: &str,
    before: i64,
) -> rusqlite::Result<Vec<Earlier>> {
    connection
        .prepare_cached(
            "SELECT seq, state, coalesce(burst, seq), coalesce(burst_at, accepted_at), stands_for \
             FROM runs WHERE route = ?1 AND latest_per = ?2 AND latest_per IS NOT NULL \
               AND state IN ('queued', 'waiting') AND seq < ?3 ORDER BY seq",
        )?
        .query_map(params![route, key, before], earlier)?
        .collect()
}

fn earlier(row: &rusqlite::Row<'_>) -> rusqlite::Result<Earlier> {
    Ok(Earlier {
        seq: row.get(0)?,
        state: super::rows::spelled(row, 1)?,
        burst: row.get(2)?,
        burst_at: row.get(3)?,
        stands_for: row.get(4)?,
    })
}

fn supersede(
    connection: &Connection,
    run: &Earlier,
    burst: i64,
    now: i64,
) -> Result<(), StoreFault> {
    if after(run.state, &Change::Supersede).is_err() {
        return Err(StoreFault::Unusable(format!("a {} run cannot be superseded", run.state)));
    }
    connection
        .prepare_cached(
            "UPDATE runs SET state = 'superseded', blocked = 0, burst = ?2, changed_at = ?3, \
             reason = 'a newer run of its kind took its place' WHERE seq = ?1 AND state = ?4",
        )
        .and_then(|mut statement| {
            statement.execute(params![run.seq, burst, now, run.state.as_str()])
        })
        .map(|_| ())
        .map_err(fault)
}
