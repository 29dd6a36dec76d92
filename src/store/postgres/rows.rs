//! Between Rust values and PostgreSQL's: parameters with their types, times, ids, faults.

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use crate::error_chain::with_causes;
use crate::model::{DeliveryId, RunId};
use crate::store::StoreFault;

/// A value and the type that it is sent as. Types are always said, so that a statement need not be
/// prepared by name, which a pooler may not allow.
pub(super) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// A Rust type that goes with one type of PostgreSQL.
pub(super) trait Typed: ToSql + Sync {
    /// That type.
    const TYPE: Type;
}

macro_rules! typed {
    ($($rust:ty => $one:ident, $many:ident;)+) => {$(
        impl Typed for $rust { const TYPE: Type = Type::$one; }
        impl Typed for Option<$rust> { const TYPE: Type = Type::$one; }
        impl Typed for Vec<$rust> { const TYPE: Type = Type::$many; }
        impl Typed for Vec<Option<$rust>> { const TYPE: Type = Type::$many; }
    )+};
}

typed! {
    i64 => INT8, INT8_ARRAY;
    i32 => INT4, INT4_ARRAY;
    i16 => INT2, INT2_ARRAY;
    bool => BOOL, BOOL_ARRAY;
    Uuid => UUID, UUID_ARRAY;
    String => TEXT, TEXT_ARRAY;
    &str => TEXT, TEXT_ARRAY;
    &[u8] => BYTEA, BYTEA_ARRAY;
}

/// A parameter.
pub(super) fn param<T: Typed>(value: &T) -> Param<'_> {
    (value, T::TYPE)
}

/// The parameters of a statement, in order.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::store::postgres::rows::param(&$value)),*] };
}
pub(super) use params;

/// Milliseconds since 1970, as stored.
pub(super) fn millis(moment: Timestamp) -> i64 {
    moment.as_millisecond()
}

/// A length of time in milliseconds.
pub(super) fn length(of: std::time::Duration) -> i64 {
    i64::try_from(of.as_millis()).unwrap_or(i64::MAX)
}

/// An id, as stored.
pub(super) fn uuid(bytes: &[u8; 16]) -> Uuid {
    Uuid::from_bytes(*bytes)
}

/// Text that PostgreSQL can keep: it has no room for the character U+0000, which payloads may hold.
pub(super) fn text(from: &str) -> String {
    from.replace('\0', "\u{2400}")
}

/// A column's value.
pub(super) fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a Row,
    column: usize,
) -> Result<T, StoreFault> {
    row.try_get(column).map_err(|error| StoreFault::Unusable(error.to_string()))
}

/// The moment stored in this column.
pub(super) fn moment(row: &Row, column: usize) -> Result<Timestamp, StoreFault> {
    Timestamp::from_millisecond(get(row, column)?).map_err(|error| unreadable(column, &error))
}

/// The delivery named in this column.
pub(super) fn delivery_id(row: &Row, column: usize) -> Result<DeliveryId, StoreFault> {
    get::<Uuid>(row, column).map(|id| DeliveryId::from_bytes(id.into_bytes()))
}

/// The run named in this column.
pub(super) fn run_id(row: &Row, column: usize) -> Result<RunId, StoreFault> {
    get::<Uuid>(row, column).map(|id| RunId::from_bytes(id.into_bytes()))
}

/// A number that is never negative.
pub(super) fn count<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<T, StoreFault> {
    let number: i64 = get(row, column)?;
    T::try_from(number).map_err(|_| unreadable(column, &"a number out of range"))
}

/// A small number that is never negative.
pub(super) fn small<T: TryFrom<i32>>(row: &Row, column: usize) -> Result<T, StoreFault> {
    let number: i32 = get(row, column)?;
    T::try_from(number).map_err(|_| unreadable(column, &"a number out of range"))
}

/// The text in this column, read as what it spells.
pub(super) fn spelled<T>(row: &Row, column: usize) -> Result<T, StoreFault>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    let text: &str = get(row, column)?;
    text.parse().map_err(|error: T::Err| unreadable(column, &error))
}

/// The JSON in this column.
pub(super) fn json<T: serde::de::DeserializeOwned>(
    row: &Row,
    column: usize,
) -> Result<T, StoreFault> {
    serde_json::from_str(get(row, column)?).map_err(|error| unreadable(column, &error))
}

fn unreadable(column: usize, error: &dyn std::fmt::Display) -> StoreFault {
    StoreFault::Unusable(format!("a kept row cannot be read (column {column}): {error}"))
}

/// What an error of PostgreSQL means for the caller. Its short message names tables and causes; the
/// details, which can hold values, are left out.
pub(super) fn fault(error: &tokio_postgres::Error) -> StoreFault {
    let Some(told) = error.as_db_error() else {
        return StoreFault::Unavailable(format!(
            "the connection to the database broke: {}",
            with_causes(error)
        ));
    };
    let message = told.message();
    let code = told.code();
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        StoreFault::Unusable(format!(
            "{message}; grant this program's user what deploy/postgres/roles.sql grants"
        ))
    } else if *code == SqlState::UNDEFINED_TABLE || *code == SqlState::UNDEFINED_COLUMN {
        StoreFault::Unusable(format!("{message}; run `cdsw-gateway migrate`"))
    } else if *code == SqlState::DISK_FULL {
        StoreFault::Unavailable(format!(
            "{message}; make room on the database's disk, and work goes on by itself"
        ))
    } else if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED {
        StoreFault::Unusable(format!("{message}; the database's files are damaged"))
    } else if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        StoreFault::Unavailable(format!(
            "{message}: this is a standby; name the primary too, as in \
             postgres://user@one,two/db?target_session_attrs=read-write"
        ))
    } else if [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION]
        .contains(code)
    {
        StoreFault::Unavailable(format!(
            "{message}; see `postgres.password` and the database's pg_hba.conf"
        ))
    } else {
        StoreFault::Unavailable(message.to_owned())
    }
}

/// Whether the statement met its fate because of what it holds, and not because of the database.
pub(super) fn is_about_the_data(error: &tokio_postgres::Error) -> bool {
    // Classes 21 to 23: what was written does not fit. 54: it is too large.
    error.code().is_some_and(|code| {
        ["21", "22", "23", "54"].iter().any(|class| code.code().starts_with(class))
    })
}
