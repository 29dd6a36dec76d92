//! The audit log: one row for every act of a person or token. Triggers in both databases make sure that no
//! row is ever changed.

use super::Row;
use crate::store::{Audited, StoreFault};

/// Its columns.
pub(in crate::store) const COLUMNS: &str = "seq, at, who, origin, act, kind, name, note";
/// Most entries that one list gives.
pub(in crate::store) const MOST: usize = 1000;

/// An entry, read from [`COLUMNS`].
pub(in crate::store) fn entry(row: &impl Row) -> Result<Audited, StoreFault> {
    Ok(Audited {
        number: row.count("seq")?,
        at: row.moment("at")?,
        who: row.text("who")?,
        origin: row.maybe_text("origin")?,
        act: row.text("act")?,
        kind: row.text("kind")?,
        name: row.text("name")?,
        note: row.maybe_text("note")?,
    })
}
