//! Acts: what people did with a run.

use super::Row;
use crate::store::{Act, StoreFault};

/// The columns that people see.
pub(in crate::store) const COLUMNS: &str = "act, who, at, note";

/// The name of an act and the act itself, read from [`COLUMNS`].
pub(in crate::store) fn act(row: &impl Row) -> Result<(String, Act), StoreFault> {
    let act = Act {
        who: row.text("who")?,
        at: row.moment("at")?,
        origin: None,
        note: row.maybe_text("note")?,
    };
    Ok((row.text("act")?, act))
}
