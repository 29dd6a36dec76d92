//! Limits of jobs, for all replicas together: how many starts are on the wire, and how many there
//! were in the last minute and hour.

use std::collections::HashMap;

use jiff::Timestamp;

use tokio_postgres::Row;

use super::link::Link;
use super::replicas::NOW;
use super::rows::{count, get, millis, moment, params};
use crate::store::{Permit, StoreFault};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// What the limits of a job leave room for now.
#[derive(Clone, Copy)]
pub(super) struct Room {
    /// Starts.
    pub(super) starts: usize,
    /// Runs until the brake holds the rest; none where there is no brake.
    pub(super) until_brake: Option<usize>,
    /// When there is room again, in milliseconds since 1970, where there is none now.
    pub(super) again_at: Option<i64>,
}

/// What the store knows of some jobs, whose gates are held.
pub(super) struct Windows {
    jobs: HashMap<String, Known>,
    /// The time at which they were taken: no attempt that begins with them is dated before it.
    pub(super) now: Timestamp,
}

#[derive(Clone, Copy, Default)]
struct Known {
    on_the_wire: usize,
    /// A backlog is let go at a pace.
    paced: bool,
    /// Its starts are counted.
    counted: bool,
    in_a_minute: usize,
    oldest: Option<i64>,
    runs_in_an_hour: usize,
}

impl Windows {
    /// Takes the gates of these jobs and looks at their limits.
    pub(super) async fn open(
        link: &Link,
        permits: &[&Permit],
        told: Option<Timestamp>,
    ) -> Result<Self, StoreFault> {
        let jobs: Vec<&str> = permits.iter().map(|permit| &*permit.job).collect();
        if !lock(link, &jobs).await? {
            link.execute(
                "INSERT INTO gates (job) SELECT name FROM unnest($1::text[]) AS wanted (name) \
                 ORDER BY name ON CONFLICT DO NOTHING",
                params![jobs],
            )
            .await?;
            if !lock(link, &jobs).await? {
                return Err(StoreFault::Unavailable("a job has no gate".to_owned()));
            }
        }
        let counted: Vec<bool> = permits
            .iter()
            .map(|permit| permit.per_minute.is_some() || permit.per_hour.is_some())
            .collect();
        let found = look(link, &jobs, &counted, told.map(millis)).await?;
        let now = match (told, found.first()) {
            (Some(told), _) => told,
            (None, Some(row)) => moment(row, 9)?,
            (None, None) => return Err(StoreFault::Unavailable("no job to look at".to_owned())),
        };
        let mut known = HashMap::new();
        let (mut over, mut stale) = (Vec::new(), Vec::new());
        for row in &found {
            let job: &str = get(row, 0)?;
            let (has_backlog, paced): (bool, bool) = (get(row, 2)?, get(row, 3)?);
            if has_backlog && !paced {
                over.push(job);
            }
            if get::<i64>(row, 7)? > 0 {
                stale.push(job);
            }
            let known_of = Known {
                on_the_wire: count(row, 1)?,
                paced,
                counted: paced || get(row, 8)?,
                in_a_minute: count(row, 4)?,
                oldest: get(row, 5)?,
                runs_in_an_hour: count(row, 6)?,
            };
            known.insert(job.to_owned(), known_of);
        }
        if !over.is_empty() {
            link.execute("DELETE FROM backlogs WHERE job = ANY ($1)", params![over]).await?;
        }
        if !stale.is_empty() {
            tidy(link, &stale, millis(now)).await?;
        }
        Ok(Self { jobs: known, now })
    }

    /// Whether starts of a job are counted.
    pub(super) fn counts(&self, job: &str) -> bool {
        self.jobs.get(job).is_some_and(|known| known.counted)
    }

    /// What is left for one of them.
    pub(super) fn room(&self, permit: &Permit) -> Room {
        let known = self.jobs.get(&*permit.job).copied().unwrap_or_default();
        let mut starts = permit.count.min(permit.at_once.saturating_sub(known.on_the_wire));
        let pace = known.paced.then_some(permit.backlog_per_minute);
        let mut again_at = None;
        if let Some(most) = [permit.per_minute, pace].into_iter().flatten().min() {
            let left = (most as usize).saturating_sub(known.in_a_minute);
            if left == 0 {
                again_at = known.oldest.map(|oldest| oldest + MINUTE);
            }
            starts = starts.min(left);
        }
        let until_brake =
            permit.per_hour.map(|most| (most as usize).saturating_sub(known.runs_in_an_hour));
        Room { starts, until_brake, again_at }
    }
}

/// Takes the gates, in one order everywhere, so that two replicas never wait for each other; false
/// where some are not there yet.
async fn lock(link: &Link, jobs: &[&str]) -> Result<bool, StoreFault> {
    let held = link
        .query(
            "SELECT job FROM gates WHERE job = ANY ($1) ORDER BY job FOR UPDATE",
            params![jobs.to_vec()],
        )
        .await?;
    Ok(held.len() == jobs.len())
}

/// Starts that lie after now, since a clock was set back, count as of now: no start is forgotten, and
/// none counts for longer than a window.
async fn look(
    link: &Link,
    jobs: &[&str],
    counted: &[bool],
    told: Option<i64>,
) -> Result<Vec<Row>, StoreFault> {
    let rows = link
        .query(
            &format!("WITH clock AS (SELECT coalesce($3, {NOW}) AS now) \
             SELECT asked.job, \
               (SELECT count(*) FROM runs WHERE state = 'sending' AND job = asked.job), \
               backlogs.job IS NOT NULL, \
               backlogs.job IS NOT NULL AND EXISTS (SELECT 1 FROM runs WHERE state = 'queued' \
                 AND runs.job = asked.job AND blocked = 0 AND seq <= backlogs.up_to), \
               made.in_a_minute, made.oldest, made.firsts, made.stale, asked.counted, clock.now \
             FROM clock CROSS JOIN unnest($1::text[], $2::bool[]) AS asked (job, counted) \
             LEFT JOIN backlogs ON backlogs.job = asked.job \
             CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE at > clock.now - 60000) AS in_a_minute, \
                 min(least(at, clock.now)) FILTER (WHERE at > clock.now - 60000) AS oldest, \
                 count(*) FILTER (WHERE first AND at > clock.now - 3600000) AS firsts, \
                 count(*) FILTER (WHERE at <= clock.now - 3600000 OR at > clock.now) AS stale \
               FROM starts WHERE starts.job = asked.job) AS made"),
            params![jobs.to_vec(), counted.to_vec(), told],
        )
        .await?;
    Ok(rows)
}

/// Removes what lies before the longest window, and moves what lies after now.
async fn tidy(link: &Link, jobs: &[&str], now: i64) -> Result<(), StoreFault> {
    link.execute(
        "DELETE FROM starts WHERE job = ANY ($1) AND at <= $2",
        params![jobs.to_vec(), now - HOUR],
    )
    .await?;
    link.execute(
        "UPDATE starts SET at = $2 WHERE job = ANY ($1) AND at > $2",
        params![jobs.to_vec(), now],
    )
    .await?;
    Ok(())
}
