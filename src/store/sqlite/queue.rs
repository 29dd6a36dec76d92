//! The statements of the queue: finds runs that may be taken and writes attempts.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::values::{all, execute, millis, one};
use crate::clock::earlier;
use crate::store::rules::asked::Others;
use crate::store::rules::limits::{HOUR, JobFacts, MINUTE, Ready};
use crate::store::statements::{Begun, Seen};
use crate::store::tables::Row as _;
use crate::store::tables::pauses;
use crate::store::tables::runs::{IN_ORDER, READY, lease, ready as read_ready};
use crate::store::tables::starts::facts as read_facts;
use crate::store::{Lease, Permit, StoreFault};

const LEASE: &str =
    lease!("(SELECT id FROM deliveries WHERE deliveries.seq = runs.delivery)", "12582914");

/// Reads the state of the queue.
pub(super) fn see(connection: &Connection, now: Timestamp) -> Result<Seen, StoreFault> {
    let later = "SELECT due_at FROM runs WHERE blocked = 1 ORDER BY due_at LIMIT 1";
    let paused = format!("SELECT {} FROM pauses", pauses::NAMES);
    Ok(Seen {
        now,
        later: one(connection, later, [], |row| row.moment("due_at"))?,
        pauses: all(connection, &paused, [], |row| pauses::what(row))?,
        waiting: all(connection, &waiting(), [], |row| row.text("job"))?.into_iter().collect(),
        allowed: None,
        others: Others::None,
    })
}

/// Jobs with a run that may be sent, found by stepping through the index from one job to the next.
fn waiting() -> String {
    let next = |after: &str| {
        format!(
            "SELECT job, blocked FROM runs WHERE state = 'queued' {after} ORDER BY job, blocked LIMIT 1"
        )
    };
    let first = next("");
    let following = |column: &str| {
        format!(
            "(SELECT {column} FROM runs WHERE state = 'queued' AND job > step.job \
              ORDER BY job, blocked LIMIT 1)"
        )
    };
    format!(
        "WITH RECURSIVE step (job, blocked) AS (SELECT * FROM ({first}) UNION ALL \
           SELECT {}, {} FROM step WHERE step.job IS NOT NULL) \
         SELECT job FROM step WHERE blocked = 0 AND job IS NOT NULL",
        following("job"),
        following("blocked")
    )
}

/// The facts about a permit's job.
pub(super) fn job(
    connection: &Connection,
    permit: &Permit,
    now: Timestamp,
) -> Result<JobFacts, StoreFault> {
    let sql = format!(
        "SELECT (SELECT count(*) FROM runs WHERE state = 'sending' AND job = ?1) AS on_the_wire, \
           backlog.up_to IS NOT NULL AS has_backlog, \
           coalesce((SELECT size FROM backlogs WHERE job = ?1), 0) AS backlog_size, \
           backlog.up_to IS NOT NULL AND EXISTS (SELECT 1 FROM runs WHERE {READY} \
             AND job = ?1 AND seq <= backlog.up_to) AS backlog_waits, \
           count(starts.at) FILTER (WHERE starts.at > ?2) AS in_a_minute, \
           min(min(starts.at, ?4)) FILTER (WHERE starts.at > ?2) AS oldest, \
           count(starts.at) FILTER (WHERE starts.first AND starts.at > ?3) AS firsts, \
           count(starts.at) FILTER (WHERE starts.at <= ?3 OR starts.at > ?4) AS stale \
         FROM (SELECT (SELECT up_to FROM backlogs WHERE job = ?1) AS up_to) AS backlog \
         LEFT JOIN starts ON starts.job = ?1"
    );
    let (minute, hour) = (earlier(now, MINUTE), earlier(now, HOUR));
    let facts = one(
        connection,
        &sql,
        params![permit.job, millis(minute), millis(hour), millis(now)],
        |row| read_facts(row),
    )?;
    Ok(facts.unwrap_or_default())
}

/// Runs of a job that may be sent, oldest first.
pub(super) fn ready(
    connection: &Connection,
    job: &str,
    most: usize,
    now: Timestamp,
    asked_at: Timestamp,
) -> Result<Vec<Ready>, StoreFault> {
    let sql = format!(
        "SELECT {LEASE} FROM runs WHERE {READY} AND runs.job = ?1 AND runs.deadline_at > ?2 \
         {IN_ORDER} LIMIT ?3"
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let values = params![job, millis(now), most];
    all(connection, &sql, values, |row| read_ready(row, now, asked_at))
}

/// Writes an attempt that begins now.
pub(super) fn begin(
    connection: &Connection,
    begun: &Begun,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let Begun { run, until, counted } = begun;
    let (number, now) = (run.lease.attempt, millis(now));
    let taken = execute(
        connection,
        "UPDATE runs SET state = 'sending', reason = NULL, attempts = ?2, lease_until = ?3, \
         changed_at = ?4 WHERE seq = ?1 AND state = 'queued'",
        params![run.seq, number, millis(*until), now],
    )?;
    if taken == 0 {
        return Err(StoreFault::Unusable("a run that was to be sent is not queued".to_owned()));
    }
    let attempt = "INSERT INTO attempts (run, number, begun_at) VALUES (?1, ?2, ?3)";
    execute(connection, attempt, params![run.seq, number, now])?;
    if *counted {
        let start = "INSERT INTO starts (job, at, first) VALUES (?1, ?2, ?3)";
        execute(connection, start, params![run.lease.job, now, number == 1])?;
    }
    Ok(())
}

/// Sorted by an index, since the planner would otherwise read every run.
fn expired() -> String {
    format!(
        "SELECT {LEASE} FROM runs WHERE runs.state = 'sending' AND runs.lease_until <= ?1 \
         ORDER BY runs.lease_until LIMIT 1000"
    )
}

/// Attempts whose lease has expired.
pub(super) fn expired_leases(
    connection: &Connection,
    now: Timestamp,
) -> Result<Vec<Lease>, StoreFault> {
    all(connection, &expired(), [millis(now)], |row| Ok(read_ready(row, now, now)?.lease))
}

/// Makes runs due now whose due time is after `latest`; gives how many.
pub(super) fn pull_in(
    connection: &Connection,
    latest: Timestamp,
    now: Timestamp,
) -> Result<usize, StoreFault> {
    let sql = "UPDATE runs SET due_at = ?1 WHERE blocked = 1 AND due_at > ?2";
    execute(connection, sql, [millis(now), millis(latest)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::open::plan_of;

    #[test]
    fn runs_that_are_over_are_not_looked_at_for_lost_attempts() {
        let plan = plan_of(&expired(), params![0]);
        assert!(plan[0].starts_with("SEARCH runs USING INDEX runs_sending"), "{plan:?}");
    }

    #[test]
    fn jobs_that_wait_are_found_without_a_look_at_every_run() {
        let plan = plan_of(&waiting(), params![]);
        let looks = plan.iter().filter(|step| step.contains(" runs "));
        assert!(looks.clone().all(|step| step.contains("runs_queue")), "{plan:?}");
        assert_eq!(looks.filter(|step| step.starts_with("SEARCH")).count(), 2, "{plan:?}");
    }
}
