//! The queue of runs: taking those that are due.
//!
//! Whoever takes runs of a job holds the job's gate, a row, until its attempts are committed. So a
//! job's limits are those of all replicas together, and two replicas that take runs of different
//! jobs never wait for each other. What is taken is locked with `SKIP LOCKED`: a run that a person
//! is just acting on is left for the next look.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::link::Link;
use super::replicas::{ALLOWED, NOW};
use super::rows::{self, get, json, length, millis, moment, params, small, uuid};
use super::windows::{Room, Windows};
use super::{pauses, replicas};
use crate::model::RunState;
use crate::model::run::{Change, after};
use crate::store::rules;
use crate::store::{Lease, LeaseAsk, Leased, Pausable, Permit, StoreFault};

/// Runs failed for their deadline in one step.
const OVERDUE_STEP: i64 = 500;
/// Runs whose wait is over that one look puts into the queue.
const PROMOTE_STEP: i64 = 1000;
/// Runs that a brake holds in one look.
const BRAKE_STEP: i64 = 500;

/// A run that may be sent.
struct Ready {
    seq: i64,
    passed: bool,
    lease: Lease,
}

/// What there is to do, seen in one look that takes nothing.
pub(super) struct Outlook {
    /// The time, where the database's own is not the one that counts.
    told: Option<Timestamp>,
    /// The time by which leases are judged.
    now: Timestamp,
    /// When the first of the runs that wait for their time falls due.
    later: Option<Timestamp>,
    resting: Vec<Pausable>,
    waiting: HashSet<String>,
    allowed: Option<Vec<String>>,
}

/// Looks at the queue. `told` is the time where the database's own is not the one that counts.
pub(super) async fn look(link: &Link, told: Option<Timestamp>) -> Result<Outlook, StoreFault> {
    // Jobs are found by stepping through the index from one to the next.
    let row = link
        .one(
            &format!(
                "SELECT coalesce($1, {NOW}), \
                   (SELECT due_at FROM runs WHERE blocked = 1 ORDER BY due_at LIMIT 1), \
                   ARRAY(SELECT kind || ' ' || name FROM pauses), \
                   ARRAY(WITH RECURSIVE step (job, blocked) AS ( \
                     (SELECT job, blocked FROM runs WHERE state = 'queued' ORDER BY job, blocked LIMIT 1) \
                     UNION ALL \
                     SELECT next.job, next.blocked FROM step CROSS JOIN LATERAL \
                       (SELECT job, blocked FROM runs WHERE state = 'queued' AND job > step.job \
                        ORDER BY job, blocked LIMIT 1) AS next) \
                     SELECT job FROM step WHERE blocked = 0), \
                   {ALLOWED}"
            ),
            params![told.map(millis)],
        )
        .await?
        .ok_or_else(|| StoreFault::Unavailable("the database gave no row".to_owned()))?;
    let pauses: Vec<&str> = get(&row, 2)?;
    Ok(Outlook {
        told,
        now: moment(&row, 0)?,
        later: get::<Option<i64>>(&row, 1)?.map(|_| moment(&row, 1)).transpose()?,
        resting: pauses.into_iter().filter_map(pausable).collect(),
        waiting: get::<Vec<String>>(&row, 3)?.into_iter().collect(),
        allowed: get(&row, 4)?,
    })
}

fn pausable(text: &str) -> Option<Pausable> {
    let (kind, name) = text.split_once(' ')?;
    Some(pauses::named(kind, name.to_owned()))
}

impl Outlook {
    /// Whether runs have fallen due that are still kept apart.
    pub(super) fn is_late(&self) -> bool {
        self.later.is_some_and(|later| later <= self.now)
    }

    /// The permits that something waits for, and that nothing stands against.
    pub(super) fn open<'a>(&self, ask: &'a LeaseAsk) -> Vec<&'a Permit> {
        let rests = |permit: &Permit| {
            self.resting.iter().any(|what| match what {
                Pausable::All => true,
                Pausable::Job(name) => **name == *permit.job,
                Pausable::Key(name) => permit.key.as_deref() == Some(&**name),
                Pausable::Route(_) => false,
            })
        };
        ask.permits
            .iter()
            .filter(|permit| self.waiting.contains(&*permit.job) && !rests(permit))
            .filter(|permit| self.allowed.as_ref().is_none_or(|jobs| permit.is_among(jobs)))
            .collect()
    }

    /// What comes of a look after which nothing is to be taken.
    pub(super) fn nothing(&self) -> Leased {
        Leased { next_due: self.later, ..Leased::default() }
    }
}

/// Takes what is due, job by job in the order of the permits, and begins its attempts. Within a job
/// the order is that of acceptance.
pub(super) async fn take(
    link: &Link,
    ask: &LeaseAsk,
    outlook: &Outlook,
    permits: Vec<&Permit>,
) -> Result<Leased, StoreFault> {
    let mut leased = outlook.nothing();
    let windows = Windows::open(link, &permits, outlook.told).await?;
    let now = windows.now;
    let mut ready = ready(link, &permits, &windows, ask, now).await?;
    let mut tried: HashSet<&str> = HashSet::new();
    let mut begun: Vec<Ready> = Vec::new();
    let mut braked: Vec<&Permit> = Vec::new();
    for permit in permits {
        let room = windows.room(permit);
        if let Some(at) = room.again_at.and_then(|at| Timestamp::from_millisecond(at).ok()) {
            leased.next_due = Some(leased.next_due.map_or(at, |due| due.min(at)));
            leased.limited.push((Arc::clone(&permit.job), at));
        }
        let mut left = ask.most.saturating_sub(begun.len());
        if let Some(trial) = permit.trial.as_deref()
            && left > 0
        {
            let passes =
                |run: &Ready| run.passed || run.lease.attempt > 0 || room.until_brake != Some(0);
            let first = !tried.contains(trial)
                && ready.get(&permit.job).and_then(|runs| runs.first()).is_some_and(passes)
                && replicas::take_trial(link, trial, permit, now).await?;
            left = usize::from(first);
            if first {
                tried.insert(trial);
            }
        }
        let found = ready.remove(&permit.job).unwrap_or_default();
        let from = begun.len();
        let stands = within_brake(found, left, room, &mut begun);
        for run in &mut begun[from..] {
            run.lease.trial = permit.trial.is_some();
        }
        if stands {
            braked.push(permit);
        }
    }
    begin(link, &begun, ask, &windows, now).await?;
    for permit in braked {
        let held = brake(link, permit, now).await?;
        if held > 0 {
            leased.held.push((Arc::clone(&permit.job), held));
            leased.next_due = Some(now);
        }
    }
    leased.leases = begun.into_iter().map(|run| run.lease).collect();
    Ok(leased)
}

/// Puts runs whose time has come into the queue.
pub(super) async fn promote(link: &Link, outlook: &Outlook) -> Result<(), StoreFault> {
    link.execute(
        "UPDATE runs SET state = 'queued', blocked = CASE WHEN EXISTS \
           (SELECT 1 FROM pauses WHERE kind = 'route' AND name = runs.route) THEN 2 ELSE 0 END \
         WHERE state IN ('waiting', 'queued') AND seq IN \
           (SELECT seq FROM runs WHERE blocked = 1 AND due_at <= $1 \
            ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
        params![millis(outlook.now), PROMOTE_STEP],
    )
    .await?;
    Ok(())
}

/// Runs that may be sent, oldest first, as many of each job as its permit allows at most.
async fn ready(
    link: &Link,
    permits: &[&Permit],
    windows: &Windows,
    ask: &LeaseAsk,
    now: Timestamp,
) -> Result<HashMap<Arc<str>, Vec<Ready>>, StoreFault> {
    let jobs: Vec<&str> = permits.iter().map(|permit| &*permit.job).collect();
    let most: Vec<i64> = permits
        .iter()
        .map(|permit| windows.room(permit).starts.min(ask.most))
        .map(|most| i64::try_from(most).unwrap_or(i64::MAX))
        .collect();
    let keys: Vec<Option<&str>> = permits.iter().map(|permit| permit.key.as_deref()).collect();
    let declared: Vec<&str> = permits.iter().map(|permit| &*permit.declared).collect();
    // Asked again, now that the gates are held: what was seen before may be over.
    let found = link
        .query(
            &format!(
                "SELECT run.* FROM unnest($1::text[], $2::bigint[], $4::text[], $5::text[]) \
                   AS permit (name, most, api_key, declared) CROSS JOIN LATERAL \
                   (SELECT seq, id, delivery, route, job, environment, attempts, accepted_at, deadline_at, \
                      passed FROM runs WHERE state = 'queued' AND blocked = 0 AND job = permit.name \
                      AND deadline_at > $3 AND NOT EXISTS (SELECT 1 FROM pauses \
                        WHERE pauses.kind = 'route' AND pauses.name = runs.route) \
                    ORDER BY seq LIMIT permit.most FOR UPDATE SKIP LOCKED) AS run \
                 WHERE NOT EXISTS (SELECT 1 FROM pauses WHERE pauses.kind = 'all' \
                     OR (pauses.kind = 'job' AND pauses.name = permit.name) \
                     OR (pauses.kind = 'key' AND pauses.name = permit.api_key)) \
                   AND coalesce(permit.declared = ANY ({ALLOWED}::text[]), true)"
            ),
            params![jobs, most, millis(now), keys, declared],
        )
        .await?;
    let mut ready = HashMap::<Arc<str>, Vec<Ready>>::new();
    for row in &found {
        let lease = lease(row, now, ask.now)?;
        let job = Arc::clone(&lease.job);
        let run = Ready { seq: get(row, 0)?, passed: get(row, 9)?, lease };
        ready.entry(job).or_default().push(run);
    }
    Ok(ready)
}

/// Of the runs that were found those that may be begun; and whether the brake stands before the rest.
fn within_brake(found: Vec<Ready>, left: usize, room: Room, begun: &mut Vec<Ready>) -> bool {
    let mut until_brake = room.until_brake;
    for mut run in found.into_iter().take(left) {
        run.lease.attempt += 1;
        // A run that has had an attempt, or that a person let go, is not held by the brake.
        if run.lease.attempt == 1 && !run.passed {
            if until_brake == Some(0) {
                return true;
            }
            until_brake = until_brake.map(|left| left.saturating_sub(1));
        }
        begun.push(run);
    }
    false
}

/// Holds the runs of a job that would go over its brake.
async fn brake(link: &Link, permit: &Permit, now: Timestamp) -> Result<usize, StoreFault> {
    let reason = rules::braked(permit.per_hour);
    after(RunState::Queued, &Change::Hold { reason: reason.clone() })
        .map_err(|refused| StoreFault::Unusable(refused.to_string()))?;
    let held = link
        .execute(
            "UPDATE runs SET state = 'held', blocked = 0, reason = $2, changed_at = $3 \
             WHERE state = 'queued' AND seq IN \
             (SELECT seq FROM runs WHERE state = 'queued' AND job = $1 AND blocked = 0 \
                AND attempts = 0 AND NOT passed ORDER BY seq LIMIT $4 FOR UPDATE SKIP LOCKED)",
            params![&*permit.job, reason, millis(now), BRAKE_STEP],
        )
        .await?;
    Ok(held)
}

fn lease(row: &Row, begun_at: Timestamp, asked_at: Timestamp) -> Result<Lease, StoreFault> {
    Ok(Lease {
        run: rows::run_id(row, 1)?,
        delivery: rows::delivery_id(row, 2)?,
        route: get::<String>(row, 3)?.into(),
        job: get::<String>(row, 4)?.into(),
        environment: json(row, 5)?,
        attempt: small(row, 6)?,
        begun_at,
        asked_at,
        accepted_at: moment(row, 7)?,
        deadline: moment(row, 8)?,
        trial: false,
    })
}

/// Writes the attempts of all that was taken.
async fn begin(
    link: &Link,
    taken: &[Ready],
    ask: &LeaseAsk,
    windows: &Windows,
    now: Timestamp,
) -> Result<(), StoreFault> {
    if taken.is_empty() {
        return Ok(());
    }
    let lengths: HashMap<&str, i64> =
        ask.permits.iter().map(|permit| (&*permit.job, length(permit.lease))).collect();
    let seqs: Vec<i64> = taken.iter().map(|run| run.seq).collect();
    let ids: Vec<Uuid> = taken.iter().map(|run| uuid(run.lease.run.as_bytes())).collect();
    let numbers: Vec<i32> =
        taken.iter().map(|run| i32::try_from(run.lease.attempt).unwrap_or(i32::MAX)).collect();
    let until: Vec<i64> = taken
        .iter()
        .map(|run| lengths.get(&*run.lease.job).copied().unwrap_or_default())
        .map(|length| millis(now).saturating_add(length))
        .collect();
    let counted = taken.iter().filter(|run| windows.counts(&run.lease.job));
    let (jobs, firsts): (Vec<&str>, Vec<bool>) =
        counted.map(|run| (&*run.lease.job, run.lease.attempt == 1)).unzip();
    let changed = link
        .execute(
            "WITH taken AS (SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::int[], $4::bigint[]) \
                 AS taken (seq, id, number, until)), \
             tried AS (INSERT INTO attempts (run, number, begun_at) SELECT id, number, $5 FROM taken), \
             counted AS (INSERT INTO starts (job, at, first) \
                 SELECT job, $5, first FROM unnest($6::text[], $7::bool[]) AS start (job, first)) \
             UPDATE runs SET state = 'sending', reason = NULL, attempts = taken.number, \
               lease_until = taken.until, changed_at = $5 \
             FROM taken WHERE runs.seq = taken.seq AND runs.state = 'queued'",
            params![seqs, ids, numbers, until, millis(now), jobs, firsts],
        )
        .await?;
    if changed != taken.len() {
        // The rows are locked, so that this cannot be; nothing is sent that is not on disk.
        return Err(StoreFault::Unavailable("a run was taken by somebody else".to_owned()));
    }
    Ok(())
}

/// Attempts whose lease has run out.
pub(super) async fn expired_leases(
    link: &Link,
    now: Timestamp,
    asked_at: Timestamp,
) -> Result<Vec<Lease>, StoreFault> {
    link.query(
        "SELECT seq, id, delivery, route, job, environment, attempts, accepted_at, deadline_at FROM runs \
         WHERE state = 'sending' AND lease_until <= $1 ORDER BY seq LIMIT 1000",
        params![millis(now)],
    )
    .await?
    .iter()
    .map(|row| lease(row, now, asked_at))
    .collect()
}

/// Frees runs that were kept back for a route that no longer rests: they were accepted while it was let go
/// on, and the one transaction did not see the other.
pub(super) async fn free_left_behind(link: &Link, now: Timestamp) -> Result<usize, StoreFault> {
    let freed = link
        .execute(
            "UPDATE runs SET blocked = CASE WHEN due_at > $1 THEN 1 ELSE 0 END \
             WHERE state = 'queued' AND blocked = 2 AND NOT EXISTS \
               (SELECT 1 FROM pauses WHERE pauses.kind = 'route' AND pauses.name = runs.route)",
            params![millis(now)],
        )
        .await?;
    Ok(freed)
}

/// Fails queued runs that are past their deadline.
pub(super) async fn fail_overdue(
    link: &Link,
    now: Timestamp,
    waits: &[(Arc<str>, String)],
) -> Result<usize, StoreFault> {
    let (jobs, why): (Vec<&str>, Vec<&str>) =
        waits.iter().map(|(job, why)| (&**job, &**why)).unzip();
    let failed = link
        .execute(
            "UPDATE runs SET state = 'failed', blocked = 0, changed_at = $1, \
             reason = 'its time was over before it could be started (deadline or max_age of its job)' \
                      || coalesce('; last: ' || reason, '') \
                      || coalesce('; it waited: ' || (SELECT why FROM unnest($3::text[], $4::text[]) \
                           AS waits (job, why) WHERE waits.job = runs.job LIMIT 1), '') \
             WHERE seq IN (SELECT seq FROM runs WHERE state IN ('queued', 'waiting') \
                           AND deadline_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
            params![millis(now), OVERDUE_STEP, jobs, why],
        )
        .await?;
    Ok(failed)
}

pub(super) async fn pull_in(
    link: &Link,
    latest: Timestamp,
    now: Timestamp,
) -> Result<usize, StoreFault> {
    let pulled = link
        .execute(
            "UPDATE runs SET due_at = $1 WHERE blocked = 1 AND due_at > $2",
            params![millis(now), millis(latest)],
        )
        .await?;
    Ok(pulled)
}
