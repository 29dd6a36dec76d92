//! Limits over time: how many starts of a job there were in the last minute and hour. Kept in the
//! store, so that neither a restart nor a second process forgets them.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{fault, millis};
use crate::store::{Permit, StoreFault};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// What the limits of a job leave room for now.
pub(super) struct Room {
    /// Starts.
    pub(super) starts: usize,
    /// Runs until the brake holds the rest; none where there is no brake.
    pub(super) until_brake: Option<usize>,
    /// When there is room again, in milliseconds since 1970, where there is none now.
    pub(super) again_at: Option<i64>,
    /// The run up to which a backlog is let go at a pace.
    backlog: Option<i64>,
    counted: bool,
}

/// Looks at the limits of a job.
pub(super) fn room(
    connection: &Connection,
    permit: &Permit,
    now: Timestamp,
) -> Result<Room, StoreFault> {
    let look = || -> rusqlite::Result<Room> {
        let backlog = backlog(connection, &permit.job)?;
        let pace = backlog.map(|_| permit.backlog_per_minute);
        let per_minute = [permit.per_minute, pace].into_iter().flatten().min();
        let counted = per_minute.is_some() || permit.per_hour.is_some();
        let mut room =
            Room { starts: permit.count, until_brake: None, again_at: None, backlog, counted };
        if !counted {
            return Ok(room);
        }
        let now = millis(now);
        tidy(connection, &permit.job, now)?;
        if let Some(most) = per_minute {
            let (made, oldest) = made_since(connection, &permit.job, now - MINUTE)?;
            room.starts = room.starts.min((most as usize).saturating_sub(made));
            if room.starts == 0 {
                room.again_at = oldest.map(|oldest| oldest + MINUTE);
            }
        }
        if let Some(most) = permit.per_hour {
            let begun = begun_since(connection, &permit.job, now - HOUR)?;
            room.until_brake = Some((most as usize).saturating_sub(begun));
        }
        Ok(room)
    };
    look().map_err(fault)
}

impl Room {
    /// Counts a start.
    pub(super) fn note(
        &self,
        connection: &Connection,
        job: &str,
        attempt: u32,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        if !self.counted {
            return Ok(());
        }
        connection
            .prepare_cached("INSERT INTO starts (job, at, first) VALUES (?1, ?2, ?3)")?
            .execute(params![job, millis(now), attempt == 1])?;
        Ok(())
    }

    /// Ends the pace once nothing of the backlog waits any more.
    pub(super) fn settle(&self, connection: &Connection, job: &str) -> rusqlite::Result<()> {
        let Some(up_to) = self.backlog else { return Ok(()) };
        let waits: Option<i64> = connection
            .prepare_cached(
                "SELECT seq FROM runs WHERE state = 'queued' AND job = ?1 AND blocked = 0 AND seq <= ?2 \
                 LIMIT 1",
            )?
            .query_row(params![job, up_to], |row| row.get(0))
            .optional()?;
        if waits.is_none() {
            connection.prepare_cached("DELETE FROM backlogs WHERE job = ?1")?.execute([job])?;
        }
        Ok(())
    }
}

fn backlog(connection: &Connection, job: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT up_to FROM backlogs WHERE job = ?1")?
        .query_row([job], |row| row.get(0))
        .optional()
}

/// Removes what lies before the longest window. What lies after now, since the clock was set back,
/// counts as of now: no start is forgotten, and none counts for longer than a window.
fn tidy(connection: &Connection, job: &str, now: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM starts WHERE job = ?1 AND at <= ?2")?
        .execute(params![job, now - HOUR])?;
    connection
        .prepare_cached("UPDATE starts SET at = ?2 WHERE job = ?1 AND at > ?2")?
        .execute(params![job, now])?;
    Ok(())
}

fn made_since(
    connection: &Connection,
    job: &str,
    since: i64,
) -> rusqlite::Result<(usize, Option<i64>)> {
    connection
        .prepare_cached("SELECT count(*), min(at) FROM starts WHERE job = ?1 AND at > ?2")?
        .query_row(params![job, since], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn begun_since(connection: &Connection, job: &str, since: i64) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("SELECT count(*) FROM starts WHERE job = ?1 AND at > ?2 AND first = 1")?
        .query_row(params![job, since], |row| row.get(0))
}
