//! Limits of jobs, for all replicas together: how many starts are on the wire, and how many there
//! were in the last minute and hour.

use std::collections::HashMap;

use jiff::Timestamp;

use super::link::Link;
use super::rows::{count, get, millis, params};
use crate::store::{Lease, Permit, StoreFault};

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
    on_the_wire: HashMap<String, usize>,
    made: HashMap<String, Made>,
    paced: HashMap<String, ()>,
    counted: Vec<String>,
}

#[derive(Clone, Copy, Default)]
struct Made {
    in_a_minute: usize,
    oldest: Option<i64>,
    runs_in_an_hour: usize,
}

impl Windows {
    /// Takes the gates of these jobs and looks at their limits.
    pub(super) async fn open(
        link: &Link,
        permits: &[&Permit],
        now: Timestamp,
    ) -> Result<Self, StoreFault> {
        let jobs: Vec<&str> = permits.iter().map(|permit| &*permit.job).collect();
        link.execute(
            "INSERT INTO gates (job) SELECT job FROM unnest($1::text[]) AS job \
             WHERE NOT EXISTS (SELECT 1 FROM gates WHERE gates.job = job) ON CONFLICT DO NOTHING",
            params![jobs],
        )
        .await?;
        // In one order everywhere, so that two replicas never wait for each other.
        link.query(
            "SELECT job FROM gates WHERE job = ANY ($1) ORDER BY job FOR UPDATE",
            params![jobs],
        )
        .await?;
        let on_the_wire = pairs(
            link,
            "SELECT job, count(*) FROM runs WHERE state = 'sending' AND job = ANY ($1) GROUP BY job",
            &jobs,
        )
        .await?;
        let paced = settle_backlogs(link, &jobs).await?;
        let counted: Vec<&str> = permits
            .iter()
            .filter(|permit| {
                permit.per_minute.is_some()
                    || permit.per_hour.is_some()
                    || paced.contains_key(&*permit.job)
            })
            .map(|permit| &*permit.job)
            .collect();
        let made = made(link, &counted, millis(now)).await?;
        let counted = counted.into_iter().map(str::to_owned).collect();
        Ok(Self { on_the_wire, made, paced, counted })
    }

    /// What is left for one of them.
    pub(super) fn room(&self, permit: &Permit) -> Room {
        let busy = self.on_the_wire.get(&*permit.job).copied().unwrap_or(0);
        let mut starts = permit.count.min(permit.at_once.saturating_sub(busy));
        let made = self.made.get(&*permit.job).copied().unwrap_or_default();
        let pace = self.paced.contains_key(&*permit.job).then_some(permit.backlog_per_minute);
        let mut again_at = None;
        if let Some(most) = [permit.per_minute, pace].into_iter().flatten().min() {
            let left = (most as usize).saturating_sub(made.in_a_minute);
            if left == 0 {
                again_at = made.oldest.map(|oldest| oldest + MINUTE);
            }
            starts = starts.min(left);
        }
        let until_brake =
            permit.per_hour.map(|most| (most as usize).saturating_sub(made.runs_in_an_hour));
        Room { starts, until_brake, again_at }
    }

    /// Counts starts.
    pub(super) async fn note(
        &mut self,
        link: &Link,
        begun: &[&Lease],
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let counted =
            begun.iter().filter(|lease| self.counted.iter().any(|job| **job == *lease.job));
        let (jobs, firsts): (Vec<&str>, Vec<bool>) =
            counted.map(|lease| (&*lease.job, lease.attempt == 1)).unzip();
        if jobs.is_empty() {
            return Ok(());
        }
        link.execute(
            "INSERT INTO starts (job, at, first) \
             SELECT job, $3, first FROM unnest($1::text[], $2::bool[]) AS start (job, first)",
            params![jobs, firsts, millis(now)],
        )
        .await?;
        Ok(())
    }
}

async fn pairs(
    link: &Link,
    sql: &str,
    jobs: &[&str],
) -> Result<HashMap<String, usize>, StoreFault> {
    let rows = link.query(sql, params![jobs.to_vec()]).await?;
    rows.iter().map(|row| Ok((get(row, 0)?, count(row, 1)?))).collect()
}

/// Ends the pace of jobs of whose backlog nothing waits any more; gives those that still have one.
async fn settle_backlogs(link: &Link, jobs: &[&str]) -> Result<HashMap<String, ()>, StoreFault> {
    let found = link
        .query(
            "SELECT job, EXISTS (SELECT 1 FROM runs WHERE state = 'queued' AND runs.job = backlogs.job AND blocked = 0 \
                                 AND seq <= up_to) \
             FROM backlogs WHERE job = ANY ($1)",
            params![jobs.to_vec()],
        )
        .await?;
    let mut paced = HashMap::new();
    for row in &found {
        let job: String = get(row, 0)?;
        if get(row, 1)? {
            paced.insert(job, ());
        } else {
            link.execute("DELETE FROM backlogs WHERE job = $1", params![&*job]).await?;
        }
    }
    Ok(paced)
}

/// Counts starts in the windows, and removes what lies before the longest. What lies after now, since
/// a clock was set back, counts as of now: no start is forgotten, and none counts for longer than a
/// window.
async fn made(link: &Link, jobs: &[&str], now: i64) -> Result<HashMap<String, Made>, StoreFault> {
    if jobs.is_empty() {
        return Ok(HashMap::new());
    }
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
    link.query(
        "SELECT job, count(*) FILTER (WHERE at > $2), min(at) FILTER (WHERE at > $2), \
                count(*) FILTER (WHERE first) FROM starts WHERE job = ANY ($1) GROUP BY job",
        params![jobs.to_vec(), now - MINUTE],
    )
    .await?
    .iter()
    .map(|row| {
        let made = Made {
            in_a_minute: count(row, 1)?,
            oldest: get(row, 2)?,
            runs_in_an_hour: count(row, 3)?,
        };
        Ok((get(row, 0)?, made))
    })
    .collect()
}
