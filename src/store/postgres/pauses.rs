//! What rests until somebody lets it go on, and what becomes of the backlog then.

use std::sync::Arc;

use jiff::Timestamp;

use super::accept::tell;
use super::link::Link;
use super::rows::{get, millis, moment, params, text};
use super::{RESTS, audit, latest};
use crate::model::Backlog;
use crate::store::{Act, Pausable, Pause, StoreFault};

/// Lets something rest. Resting twice changes nothing and is an act all the same.
pub(super) async fn pause(
    link: &Link,
    what: &Pausable,
    mark: Option<&[u8]>,
    act: &Act,
) -> Result<(), StoreFault> {
    link.execute(
        "INSERT INTO pauses (kind, name, since, who, note, mark) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (kind, name) DO UPDATE SET mark = coalesce(excluded.mark, pauses.mark)",
        params![
            what.kind(),
            what.name(),
            millis(act.at),
            &*act.who,
            act.note.as_deref().map(text),
            mark
        ],
    )
    .await?;
    if let Pausable::Route(route) = what {
        link.execute(
            "UPDATE runs SET blocked = 2 WHERE state = 'queued' AND blocked = 0 AND route = $1",
            params![&**route],
        )
        .await?;
    }
    audit::write(link, "pause", what.kind(), what.name(), act).await?;
    tell(link, RESTS).await
}

/// Lets it go on; gives whether it rested.
pub(super) async fn resume(
    link: &Link,
    what: &Pausable,
    backlogs: &[(Arc<str>, Backlog)],
    act: &Act,
) -> Result<bool, StoreFault> {
    let rested = link
        .execute(
            "DELETE FROM pauses WHERE kind = $1 AND name = $2",
            params![what.kind(), what.name()],
        )
        .await?;
    if let (Pausable::Route(route), true) = (what, rested > 0) {
        link.execute(
            "UPDATE runs SET blocked = CASE WHEN due_at > $2 THEN 1 ELSE 0 END \
             WHERE state = 'queued' AND blocked = 2 AND route = $1",
            params![&**route, millis(act.at)],
        )
        .await?;
    }
    if rested > 0 {
        for (job, how) in backlogs {
            let_go(link, job, *how, act.at).await?;
        }
    }
    audit::write(link, "resume", what.kind(), what.name(), act).await?;
    tell(link, RESTS).await?;
    Ok(rested > 0)
}

/// Everything that rests.
pub(super) async fn all(link: &Link) -> Result<Vec<Pause>, StoreFault> {
    link.query(
        "SELECT kind, name, since, who, note, mark FROM pauses ORDER BY kind, name",
        params![],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Pause {
            what: named(get(row, 0)?, get(row, 1)?),
            since: moment(row, 2)?,
            who: get(row, 3)?,
            note: get(row, 4)?,
            mark: get(row, 5)?,
        })
    })
    .collect()
}

/// What rests, by the words that are kept of it.
pub(super) fn named(kind: &str, name: String) -> Pausable {
    match kind {
        "all" => Pausable::All,
        "job" => Pausable::Job(name),
        "route" => Pausable::Route(name),
        _ => Pausable::Key(name),
    }
}

/// Says what becomes of the runs of a job that wait now.
pub(super) async fn let_go(
    link: &Link,
    job: &str,
    how: Backlog,
    now: Timestamp,
) -> Result<usize, StoreFault> {
    let up_to: Option<i64> = link
        .one(
            "SELECT max(seq) FROM runs WHERE state = 'queued' AND job = $1 AND blocked = 0",
            params![job],
        )
        .await?
        .map(|row| get(&row, 0))
        .transpose()?
        .flatten();
    let Some(up_to) = up_to else { return Ok(0) };
    let changed = match how {
        Backlog::Paced => {
            link.execute(
                "INSERT INTO backlogs (job, up_to) VALUES ($1, $2) \
                 ON CONFLICT (job) DO UPDATE SET up_to = excluded.up_to",
                params![job, up_to],
            )
            .await?
        }
        Backlog::Latest => latest::only_newest(link, job, up_to, now).await?,
        Backlog::Review => {
            link.execute(
                "UPDATE runs SET state = 'held', blocked = 0, changed_at = $3, reason = \
                 'it waited while its job was paused (on_resume: review); release it, or cancel it' \
                 WHERE state = 'queued' AND blocked = 0 AND job = $1 AND seq <= $2",
                params![job, up_to, millis(now)],
            )
            .await?
        }
    };
    tell(link, RESTS).await?;
    Ok(changed)
}
