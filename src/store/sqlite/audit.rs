//! The book of acts: every act of a person or token is a row, and no row is ever changed. Triggers
//! see to that.

use rusqlite::{Connection, params};

use super::rows::{self, fault, millis};
use crate::store::{Act, Audited, StoreFault};

/// Most entries that one list gives.
const MOST: usize = 1000;

/// Writes an act, in the transaction of what it did.
pub(super) fn write(
    connection: &Connection,
    what: &str,
    kind: &str,
    name: &str,
    act: &Act,
) -> Result<(), StoreFault> {
    connection
        .prepare_cached(
            "INSERT INTO audit (at, who, origin, act, kind, name, note) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                millis(act.at),
                act.who,
                act.origin,
                what,
                kind,
                name,
                act.note
            ])
        })
        .map(|_| ())
        .map_err(fault)
}

/// Acts, newest first.
pub(super) fn list(
    connection: &Connection,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Audited>, StoreFault> {
    let before = before.and_then(|number| i64::try_from(number).ok()).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit.clamp(1, MOST)).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "SELECT seq, at, who, origin, act, kind, name, note FROM audit \
             WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2",
        )
        .and_then(|mut statement| {
            statement
                .query_map(params![before, limit], |row| {
                    Ok(Audited {
                        number: row.get(0)?,
                        at: rows::moment(row, 1)?,
                        who: row.get(2)?,
                        origin: row.get(3)?,
                        act: row.get(4)?,
                        kind: row.get(5)?,
                        name: row.get(6)?,
                        note: row.get(7)?,
                    })
                })?
                .collect()
        })
        .map_err(fault)
}
