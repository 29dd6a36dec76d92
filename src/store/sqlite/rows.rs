//! Between Rust values and SQLite's: times, ids, faults.

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{ErrorCode, Row};

use crate::model::{DeliveryId, RunId};
use crate::store::StoreFault;

/// Milliseconds since 1970, as stored.
pub(super) fn millis(moment: Timestamp) -> i64 {
    moment.as_millisecond()
}

/// The moment stored in this column.
pub(super) fn moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let millis: i64 = row.get(column)?;
    Timestamp::from_millisecond(millis).map_err(|error| unreadable(column, error))
}

/// The delivery named in this column.
pub(super) fn delivery_id(row: &Row<'_>, column: usize) -> rusqlite::Result<DeliveryId> {
    row.get(column).map(DeliveryId::from_bytes)
}

/// The run named in this column.
pub(super) fn run_id(row: &Row<'_>, column: usize) -> rusqlite::Result<RunId> {
    row.get(column).map(RunId::from_bytes)
}

/// The text in this column, read as what it spells.
pub(super) fn spelled<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|error: T::Err| unreadable(column, error.to_string()))
}

/// The JSON in this column.
pub(super) fn json<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| unreadable(column, error))
}

pub(super) fn unreadable(
    column: usize,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}

/// What to do about a file that is damaged.
const DAMAGED: &str = "stop the gateway, keep a copy of the file, and restore it from a backup or run \
                       `sqlite3 FILE .recover`";

/// Whether this tells of a damaged file.
pub(super) fn is_damage(fault: &StoreFault) -> bool {
    matches!(fault, StoreFault::Unusable(why) if why.ends_with(DAMAGED))
}

/// What an error of SQLite means for the caller. SQLite's messages name tables and causes, never
/// values.
pub(super) fn fault(error: rusqlite::Error) -> StoreFault {
    let damaged = matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    );
    match &error {
        _ if damaged => StoreFault::Unusable(format!("{error}; {DAMAGED}")),
        _ if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
            StoreFault::Unavailable(format!(
                "{error}; make room on its disk, and work goes on by itself (retention.keep and \
                 retention.max_size bound what is kept)"
            ))
        }
        _ if matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::ReadOnly | ErrorCode::SystemIoFailure | ErrorCode::CannotOpen)
        ) =>
        {
            StoreFault::Unavailable(format!(
                "{error}; its disk refuses: see the system's log, make it writable for the \
                 gateway's user, and work goes on by itself"
            ))
        }
        rusqlite::Error::FromSqlConversionFailure(..) => StoreFault::Unusable(error.to_string()),
        _ => StoreFault::Unavailable(error.to_string()),
    }
}
