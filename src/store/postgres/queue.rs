//! The statements of the queue: finds runs that may be taken and writes attempts.
//!
//! Each job has a row in the table `gates`. A transaction that takes runs of the job locks that row until it
//! commits. A job's limits therefore hold for all replicas together, and replicas that take runs of
//! different jobs never wait for each other. Runs are locked with `SKIP LOCKED`: a run that a person is
//! acting on is left for a later look.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::connection::Connection;
use super::replicas::{ALLOWED, IN_FORCE, NOW};
use super::values::{get, length, millis, params, uuid};
use crate::store::rules::asked::Others;
use crate::store::rules::limits::{HOUR, JobFacts, MINUTE, Ready};
use crate::store::rules::pauses::named;
use crate::store::statements::{Begun, Seen};
use crate::store::tables::Row as _;
use crate::store::tables::runs::{IN_ORDER, READY, lease, ready as read_ready};
use crate::store::tables::starts::facts;
use crate::store::{Lease, LeaseAsk, Pausable, Permit, StoreFault};

const LEASE: &str = lease!("runs.delivery", "12582914");
const ASKED: &str = lease!("runs.delivery", "permit.most_text");

/// Bytes of variables that one look at the queue reads at most, besides those of its first run.
const AT_ONCE: i64 = 16 << 20;

/// Reads the state of the queue. `told` is the time now, where the database's clock is not used.
pub(super) async fn see(
    connection: &Connection,
    ask: &LeaseAsk,
    told: Option<Timestamp>,
) -> Result<Seen, StoreFault> {
    // Only jobs of the configuration are looked for: the names in the table may be anything, and any number.
    let jobs: Vec<&str> = ask.permits.iter().map(|permit| &*permit.job).collect();
    let row = connection
        .one(
            &format!(
                "SELECT coalesce($1, {NOW}) AS now, \
                   (SELECT due_at FROM runs WHERE blocked = 1 ORDER BY due_at LIMIT 1) AS later, \
                   ARRAY(SELECT kind || ' ' || name FROM pauses) AS pauses, \
                   ARRAY(SELECT asked.job FROM unnest($2::text[]) AS asked (job) \
                     WHERE EXISTS (SELECT 1 FROM runs WHERE {READY} AND runs.job = asked.job)) AS waiting, \
                   {ALLOWED} AS allowed, {IN_FORCE} = $3 AS in_force"
            ),
            params![told.map(millis), jobs, &*ask.version],
        )
        .await?
        .ok_or_else(|| StoreFault::Unavailable("the database gave no row".to_owned()))?;
    let pauses: Vec<&str> = get(&row, 2)?;
    Ok(Seen {
        now: row.moment("now")?,
        later: row.maybe_moment("later")?,
        pauses: pauses.into_iter().filter_map(pausable).collect(),
        waiting: get::<Vec<String>>(&row, 3)?.into_iter().collect(),
        allowed: get(&row, 4)?,
        others: match row.maybe_flag("in_force")? {
            None => Others::None,
            Some(true) => Others::NothingNewer,
            Some(false) => Others::Newer,
        },
    })
}

fn pausable(text: &str) -> Option<Pausable> {
    let (kind, name) = text.split_once(' ')?;
    named(kind, name.to_owned())
}

/// Locks the gates of these permits' jobs, and gives the facts about each job.
pub(super) async fn jobs(
    connection: &Connection,
    permits: &[&Permit],
    told: Option<Timestamp>,
) -> Result<(Timestamp, Vec<JobFacts>), StoreFault> {
    let jobs: Vec<&str> = permits.iter().map(|permit| &*permit.job).collect();
    if !lock(connection, &jobs).await? {
        connection
            .execute(
                "INSERT INTO gates (job) SELECT name FROM unnest($1::text[]) AS wanted (name) \
             ORDER BY name ON CONFLICT DO NOTHING",
                params![jobs],
            )
            .await?;
        if !lock(connection, &jobs).await? {
            return Err(StoreFault::Unavailable("a job has no gate".to_owned()));
        }
    }
    let found = look(connection, &jobs, told).await?;
    let now = match found.first() {
        Some(row) => row.moment("now")?,
        None => return Err(StoreFault::Unavailable("no job to look at".to_owned())),
    };
    Ok((now, found.iter().map(facts).collect::<Result<_, _>>()?))
}

/// Locks the gates, always in the same order, so that two replicas cannot deadlock; false where some do not
/// exist yet.
async fn lock(connection: &Connection, jobs: &[&str]) -> Result<bool, StoreFault> {
    let sql = "SELECT job FROM gates WHERE job = ANY ($1) ORDER BY job FOR UPDATE";
    Ok(connection.query(sql, params![jobs.to_vec()]).await?.len() == jobs.len())
}

async fn look(
    connection: &Connection,
    jobs: &[&str],
    told: Option<Timestamp>,
) -> Result<Vec<Row>, StoreFault> {
    let sql = format!(
        "WITH clock AS (SELECT coalesce($2, {NOW}) AS now) \
         SELECT clock.now, \
           (SELECT count(*) FROM runs WHERE state = 'sending' AND job = asked.job) AS on_the_wire, \
           backlogs.job IS NOT NULL AS has_backlog, coalesce(backlogs.size, 0) AS backlog_size, \
           backlogs.job IS NOT NULL AND EXISTS (SELECT 1 FROM runs WHERE {READY} \
             AND runs.job = asked.job AND seq <= backlogs.up_to) AS backlog_waits, \
           made.in_a_minute, made.oldest, made.firsts, made.stale \
         FROM clock CROSS JOIN unnest($1::text[]) WITH ORDINALITY AS asked (job, place) \
         LEFT JOIN backlogs ON backlogs.job = asked.job \
         CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE at > clock.now - $3) AS in_a_minute, \
             min(least(at, clock.now)) FILTER (WHERE at > clock.now - $3) AS oldest, \
             count(*) FILTER (WHERE first AND at > clock.now - $4) AS firsts, \
             count(*) FILTER (WHERE at <= clock.now - $4 OR at > clock.now) AS stale \
           FROM starts WHERE starts.job = asked.job) AS made ORDER BY asked.place"
    );
    let (minute, hour) = (length(MINUTE), length(HOUR));
    Ok(connection.query(&sql, params![jobs.to_vec(), told.map(millis), minute, hour]).await?)
}

/// Runs that may be sent, oldest first, with the given maximum for each permit's job.
pub(super) async fn ready(
    connection: &Connection,
    permits: &[(&Permit, usize)],
    now: Timestamp,
    asked_at: Timestamp,
) -> Result<HashMap<Arc<str>, Vec<Ready>>, StoreFault> {
    let jobs: Vec<&str> = permits.iter().map(|(permit, _)| &*permit.job).collect();
    let most: Vec<i64> =
        permits.iter().map(|(_, most)| i64::try_from(*most).unwrap_or(i64::MAX)).collect();
    let keys: Vec<Option<&str>> = permits.iter().map(|(permit, _)| permit.key.as_deref()).collect();
    let declared: Vec<&str> = permits.iter().map(|(permit, _)| &*permit.declared).collect();
    let most_text: Vec<i64> = permits.iter().map(|(permit, _)| longest(permit.env_max)).collect();
    // Pauses and the configuration are checked again while the gates are locked, since they may have changed.
    let sql = format!(
        "SELECT * FROM (SELECT run.*, permit.place, sum(octet_length(run.environment)) OVER \
             (ORDER BY permit.place, run.seq) - octet_length(run.environment) AS before \
           FROM unnest($1::text[], $2::bigint[], $4::text[], $5::text[], $6::bigint[]) \
             WITH ORDINALITY AS permit (name, most, api_key, declared, most_text, place) \
           CROSS JOIN LATERAL (SELECT {ASKED} FROM runs WHERE {READY} AND runs.job = permit.name \
              AND runs.deadline_at > $3 AND NOT EXISTS (SELECT 1 FROM pauses \
                WHERE pauses.kind = 'route' AND pauses.name = runs.route) \
            {IN_ORDER} LIMIT permit.most FOR UPDATE SKIP LOCKED) AS run \
         WHERE NOT EXISTS (SELECT 1 FROM pauses WHERE pauses.kind = 'all' \
             OR (pauses.kind = 'job' AND pauses.name = permit.name) \
             OR (pauses.kind = 'key' AND pauses.name = permit.api_key)) \
           AND coalesce(permit.declared = ANY ({ALLOWED}::text[]), true)) AS found \
         WHERE coalesce(before, 0) < {AT_ONCE} ORDER BY place, seq"
    );
    let found =
        connection.query(&sql, params![jobs, most, millis(now), keys, declared, most_text]).await?;
    let mut ready = HashMap::<Arc<str>, Vec<Ready>>::new();
    for row in &found {
        let run = read_ready(row, now, asked_at)?;
        ready.entry(Arc::clone(&run.lease.job)).or_default().push(run);
    }
    Ok(ready)
}

/// The longest text of variables that have so many bytes in all: each byte takes six at most, and each
/// variable six more.
fn longest(env_max: usize) -> i64 {
    i64::try_from(env_max).unwrap_or(i64::MAX).saturating_mul(12).saturating_add(2)
}

/// Writes the attempts of all runs that were taken.
pub(super) async fn begin(
    connection: &Connection,
    taken: &[Begun],
    now: Timestamp,
) -> Result<(), StoreFault> {
    if taken.is_empty() {
        return Ok(());
    }
    let seqs: Vec<i64> = taken.iter().map(|begun| begun.run.seq).collect();
    let ids: Vec<Uuid> = taken.iter().map(|begun| uuid(begun.run.lease.run.as_bytes())).collect();
    let number = |begun: &Begun| i32::try_from(begun.run.lease.attempt).unwrap_or(i32::MAX);
    let numbers: Vec<i32> = taken.iter().map(number).collect();
    let until: Vec<i64> = taken.iter().map(|begun| millis(begun.until)).collect();
    let counted = taken.iter().filter(|begun| begun.counted).map(|begun| &begun.run.lease);
    let (jobs, firsts): (Vec<&str>, Vec<bool>) =
        counted.map(|lease| (&*lease.job, lease.attempt == 1)).unzip();
    let changed = connection
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
        // Cannot happen, since the rows are locked; checked because nothing may be sent that is not on disk.
        return Err(StoreFault::Unavailable("a run was taken by somebody else".to_owned()));
    }
    Ok(())
}

/// Attempts whose lease has expired. Those that another transaction has locked are left for a later look: nobody
/// who may lock them can keep the others from being settled.
pub(super) async fn expired_leases(
    connection: &Connection,
    now: Timestamp,
    asked_at: Timestamp,
) -> Result<Vec<Lease>, StoreFault> {
    let sql = format!(
        "SELECT {LEASE} FROM runs WHERE runs.state = 'sending' AND runs.lease_until <= $1 \
         ORDER BY runs.seq LIMIT 1000 FOR UPDATE SKIP LOCKED"
    );
    let found = connection.query(&sql, params![millis(now)]).await?;
    found.iter().map(|row| Ok(read_ready(row, now, asked_at)?.lease)).collect()
}

/// Makes runs due now whose due time is after `latest`; gives how many.
pub(super) async fn pull_in(
    connection: &Connection,
    latest: Timestamp,
    now: Timestamp,
) -> Result<usize, StoreFault> {
    let sql = "UPDATE runs SET due_at = $1 WHERE seq IN (SELECT seq FROM runs WHERE blocked = 1 AND due_at > $2 \
               FOR UPDATE SKIP LOCKED)";
    Ok(connection.execute(sql, params![millis(now), millis(latest)]).await?)
}
