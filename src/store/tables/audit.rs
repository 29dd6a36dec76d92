//! The audit log: one row for every act of a person or token. Triggers in both databases make sure that no
//! row is ever changed. Texts are cut where no program of ours makes them longer, since other processes may
//! write rows too.

use super::Row;
use crate::store::{Audited, StoreFault};

/// Its columns.
pub(in crate::store) const COLUMNS: &str = "seq, at, substr(who, 1, 300) AS who, \
    substr(origin, 1, 300) AS origin, substr(act, 1, 300) AS act, substr(kind, 1, 300) AS kind, \
    substr(name, 1, 4000) AS name, substr(note, 1, 4000) AS note";
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
