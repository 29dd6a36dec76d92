//! Pauses: what is paused, since when and why.

use super::{Row, unreadable};
use crate::store::rules::pauses::named;
use crate::store::{Pausable, Pause, StoreFault};

/// The columns that name what is paused: all that an ingest process may read.
pub(in crate::store) const NAMES: &str = "kind, name";
/// Its columns.
pub(in crate::store) const COLUMNS: &str = "kind, name, since, who, note, mark";

/// What is paused, read from [`NAMES`].
pub(in crate::store) fn what(row: &impl Row) -> Result<Pausable, StoreFault> {
    let kind = row.text("kind")?;
    named(&kind, row.text("name")?)
        .ok_or_else(|| unreadable("kind", format!("`{kind}` cannot be paused")))
}

/// A pause, read from [`COLUMNS`].
pub(in crate::store) fn pause(row: &impl Row) -> Result<Pause, StoreFault> {
    Ok(Pause {
        what: what(row)?,
        since: row.moment("since")?,
        who: row.text("who")?,
        note: row.maybe_text("note")?,
        mark: row.maybe_bytes("mark")?,
    })
}
