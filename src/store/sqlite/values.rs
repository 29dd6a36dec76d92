//! Converts between Rust and SQLite: rows, parameters and errors.

use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, Params, Row, ToSql};

use crate::store::StoreFault;
use crate::store::tables::{self as table, Value};

/// Milliseconds since 1970, as stored.
pub(super) fn millis(moment: Timestamp) -> i64 {
    moment.as_millisecond()
}

impl table::Row for Row<'_> {
    fn maybe_text(&self, column: &str) -> Result<Option<String>, StoreFault> {
        self.get(column).map_err(fault)
    }

    fn maybe_integer(&self, column: &str) -> Result<Option<i64>, StoreFault> {
        self.get(column).map_err(fault)
    }

    fn flag(&self, column: &str) -> Result<bool, StoreFault> {
        self.get(column).map_err(fault)
    }

    fn maybe_flag(&self, column: &str) -> Result<Option<bool>, StoreFault> {
        self.get(column).map_err(fault)
    }

    fn maybe_id(&self, column: &str) -> Result<Option<[u8; 16]>, StoreFault> {
        self.get(column).map_err(fault)
    }

    fn maybe_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        self.get(column).map_err(fault)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Integer(Some(number)) => ValueRef::Integer(*number),
            Self::Text(None) | Self::Integer(None) => ValueRef::Null,
            Self::Flag(flag) => ValueRef::Integer(i64::from(*flag)),
            Self::Id(id) => ValueRef::Blob(id),
        }))
    }
}

/// Runs a statement and gives how many rows it changed. The prepared statement is cached.
pub(super) fn execute(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<usize, StoreFault> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(params))
        .map_err(fault)
}

/// Runs a statement and gives its rows, each converted by `read`. The prepared statement is cached.
pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, StoreFault>,
) -> Result<Vec<T>, StoreFault> {
    let mut statement = connection.prepare_cached(sql).map_err(fault)?;
    let mut rows = statement.query(params).map_err(fault)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(fault)? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// Runs a statement that gives at most one row, and gives that row converted by `read`.
pub(super) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, StoreFault>,
) -> Result<Option<T>, StoreFault> {
    let mut statement = connection.prepare_cached(sql).map_err(fault)?;
    let mut rows = statement.query(params).map_err(fault)?;
    rows.next().map_err(fault)?.map(read).transpose()
}

/// What to do about a file that is damaged.
const DAMAGED: &str = "stop the gateway, keep a copy of the file, and restore it from a backup or run \
                       `sqlite3 FILE .recover`";

/// Whether the fault says that the file is damaged.
pub(super) fn is_damage(fault: &StoreFault) -> bool {
    matches!(fault, StoreFault::Unusable(why) if why.ends_with(DAMAGED))
}

/// Converts an error of SQLite. Its messages name tables and causes but never values, so they may be shown.
pub(super) fn fault(error: rusqlite::Error) -> StoreFault {
    let damaged = matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    );
    match &error {
        _ if damaged => StoreFault::Unusable(format!("{error}; {DAMAGED}")),
        _ if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
            StoreFault::Unavailable(format!(
                "{error}; make room on its disk, and work continues by itself (retention.keep and \
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
                 gateway's user, and work continues by itself"
            ))
        }
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..) => {
            StoreFault::Unusable(format!("a kept row cannot be read: {error}"))
        }
        _ => StoreFault::Unavailable(error.to_string()),
    }
}
