//! Attempts: each try at starting a run.

use super::{Row, unreadable};
use crate::store::{Attempt, StoreFault};

/// The columns that people see.
pub(in crate::store) const COLUMNS: &str =
    "number, begun_at, outcome, status, reason, reply, took_ms";

/// An attempt, read from [`COLUMNS`].
pub(in crate::store) fn attempt(row: &impl Row) -> Result<Attempt, StoreFault> {
    let outcome = row.maybe_text("outcome")?.map(|word| word.parse()).transpose();
    Ok(Attempt {
        number: row.count("number")?,
        begun_at: row.moment("begun_at")?,
        outcome: outcome.map_err(|error: String| unreadable("outcome", error))?,
        status: row.maybe_count("status")?,
        reason: row.maybe_text("reason")?,
        reply: row.maybe_text("reply")?,
        took_ms: row.maybe_count("took_ms")?,
    })
}
