//! The book of acts: every act of a person or token is a row, and no row is ever changed. Triggers
//! see to that.

use super::link::Link;
use super::rows::{count, get, millis, moment, params, text};
use crate::store::{Act, Audited, StoreFault};

/// Most entries that one list gives.
const MOST: usize = 1000;

/// Writes an act, in the transaction of what it did.
pub(super) async fn write(
    link: &Link,
    what: &str,
    kind: &str,
    name: &str,
    act: &Act,
) -> Result<(), StoreFault> {
    link.execute(
        "INSERT INTO audit (at, who, origin, act, kind, name, note) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            millis(act.at),
            &*act.who,
            act.origin.as_deref(),
            what,
            kind,
            text(name),
            act.note.as_deref().map(text)
        ],
    )
    .await?;
    Ok(())
}

/// Acts, newest first.
pub(super) async fn list(
    link: &Link,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Audited>, StoreFault> {
    let before = before.and_then(|number| i64::try_from(number).ok()).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit.clamp(1, MOST)).unwrap_or(i64::MAX);
    link.query(
        "SELECT seq, at, who, origin, act, kind, name, note FROM audit \
         WHERE seq < $1 ORDER BY seq DESC LIMIT $2",
        params![before, limit],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Audited {
            number: count(row, 0)?,
            at: moment(row, 1)?,
            who: get(row, 2)?,
            origin: get(row, 3)?,
            act: get(row, 4)?,
            kind: get(row, 5)?,
            name: get(row, 6)?,
            note: get(row, 7)?,
        })
    })
    .collect()
}
