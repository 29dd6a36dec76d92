//! What rests until somebody lets it go on, and what becomes of the backlog then.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{self, fault, millis};
use super::{audit, latest};
use crate::model::Backlog;
use crate::store::{Act, Pausable, Pause, StoreFault};

/// Lets something rest. Resting twice changes nothing and is an act all the same.
pub(super) fn pause(
    connection: &Connection,
    what: &Pausable,
    mark: Option<&[u8]>,
    act: &Act,
) -> Result<(), StoreFault> {
    connection
        .prepare_cached(
            "INSERT INTO pauses (kind, name, since, who, note, mark) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT (kind, name) DO UPDATE SET mark = coalesce(excluded.mark, mark)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                what.kind(),
                what.name(),
                millis(act.at),
                act.who,
                act.note,
                mark
            ])
        })
        .map_err(fault)?;
    if let Pausable::Route(route) = what {
        connection
            .prepare_cached(
                "UPDATE runs SET blocked = 2 WHERE state = 'queued' AND blocked = 0 AND route = ?1",
            )
            .and_then(|mut statement| statement.execute([route]))
            .map_err(fault)?;
    }
    audit::write(connection, "pause", what.kind(), what.name(), act)
}

/// Lets it go on; gives whether it rested.
pub(super) fn resume(
    connection: &Connection,
    what: &Pausable,
    backlogs: &[(Arc<str>, Backlog)],
    act: &Act,
) -> Result<bool, StoreFault> {
    let rested = connection
        .prepare_cached("DELETE FROM pauses WHERE kind = ?1 AND name = ?2")
        .and_then(|mut statement| statement.execute(params![what.kind(), what.name()]))
        .map_err(fault)?;
    if let (Pausable::Route(route), true) = (what, rested > 0) {
        connection
            .prepare_cached(
                "UPDATE runs SET blocked = (due_at > ?2) \
                 WHERE state = 'queued' AND blocked = 2 AND route = ?1",
            )
            .and_then(|mut statement| statement.execute(params![route, millis(act.at)]))
            .map_err(fault)?;
    }
    if rested > 0 {
        for (job, how) in backlogs {
            let_go(connection, job, *how, act.at)?;
        }
    }
    audit::write(connection, "resume", what.kind(), what.name(), act)?;
    Ok(rested > 0)
}

/// Everything that rests.
pub(super) fn all(connection: &Connection) -> Result<Vec<Pause>, StoreFault> {
    connection
        .prepare_cached("SELECT kind, name, since, who, note, mark FROM pauses ORDER BY kind, name")
        .and_then(|mut statement| {
            statement
                .query_map([], |row| {
                    let kind: String = row.get(0)?;
                    let name: String = row.get(1)?;
                    let what = match &*kind {
                        "all" => Pausable::All,
                        "job" => Pausable::Job(name),
                        "route" => Pausable::Route(name),
                        _ => Pausable::Key(name),
                    };
                    Ok(Pause {
                        what,
                        since: rows::moment(row, 2)?,
                        who: row.get(3)?,
                        note: row.get(4)?,
                        mark: row.get(5)?,
                    })
                })?
                .collect()
        })
        .map_err(fault)
}

pub(super) fn rests(connection: &Connection, what: &Pausable) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM pauses WHERE kind = ?1 AND name = ?2")?
        .query_row(params![what.kind(), what.name()], |_| Ok(()))
        .optional()
        .map(|found| found.is_some())
}

/// Says what becomes of the runs of a job that wait now.
pub(super) fn let_go(
    connection: &Connection,
    job: &str,
    how: Backlog,
    now: Timestamp,
) -> Result<usize, StoreFault> {
    let up_to: Option<i64> = connection
        .prepare_cached(
            "SELECT max(seq) FROM runs WHERE state = 'queued' AND job = ?1 AND blocked = 0",
        )
        .and_then(|mut statement| statement.query_row([job], |row| row.get(0)))
        .map_err(fault)?;
    let Some(up_to) = up_to else { return Ok(0) };
    match how {
        Backlog::Paced => connection
            .prepare_cached(
                "INSERT INTO backlogs (job, up_to) VALUES (?1, ?2) \
                 ON CONFLICT (job) DO UPDATE SET up_to = excluded.up_to",
            )
            .and_then(|mut statement| statement.execute(params![job, up_to]))
            .map_err(fault),
        Backlog::Latest => latest::only_newest(connection, job, up_to, now),
        Backlog::Review => connection
            .prepare_cached(
                "UPDATE runs SET state = 'held', blocked = 0, changed_at = ?3, \
                 reason = 'it waited while its job was paused (on_resume: review); release it, or cancel it' \
                 WHERE state = 'queued' AND blocked = 0 AND job = ?1 AND seq <= ?2",
            )
            .and_then(|mut statement| statement.execute(params![job, up_to, millis(now)]))
            .map_err(fault),
    }
}
