//! Converts between Rust and PostgreSQL: parameters with their types, rows and errors.

use jiff::Timestamp;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Column, Row};
use uuid::Uuid;

use crate::error_chain::with_causes;
use crate::store::StoreFault;
use crate::store::tables::{self as table, Value, unreadable};

/// A value and the type that it is sent as. The type is always given, so that a statement need not be
/// prepared by name, which a pooler may not allow.
pub(super) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// A Rust type that is sent as one PostgreSQL type.
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
    ($($value:expr),* $(,)?) => { &[$($crate::store::postgres::values::param(&$value)),*] };
}
pub(super) use params;

/// Milliseconds since 1970, as stored.
pub(super) fn millis(moment: Timestamp) -> i64 {
    moment.as_millisecond()
}

/// A duration in milliseconds, as stored.
pub(super) fn length(of: std::time::Duration) -> i64 {
    i64::try_from(of.as_millis()).unwrap_or(i64::MAX)
}

/// An id, as stored.
pub(super) fn uuid(bytes: &[u8; 16]) -> Uuid {
    Uuid::from_bytes(*bytes)
}

/// Text that PostgreSQL can store: it cannot store U+0000, which payloads may contain, so that is replaced
/// by U+2400.
pub(super) fn text(from: &str) -> String {
    from.replace('\0', "\u{2400}")
}

/// A column's value by its position, for statements with few columns.
pub(super) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, StoreFault> {
    row.try_get(column).map_err(|error| StoreFault::Unusable(error.to_string()))
}

/// A column's value, by its name.
fn named<'a, T: FromSql<'a>>(row: &'a Row, column: &str) -> Result<T, StoreFault> {
    row.try_get(column).map_err(|error| unreadable(column, with_causes(&error)))
}

impl table::Row for Row {
    fn maybe_text(&self, column: &str) -> Result<Option<String>, StoreFault> {
        named(self, column)
    }

    fn maybe_integer(&self, column: &str) -> Result<Option<i64>, StoreFault> {
        let kind = self.columns().iter().find(|one| one.name() == column).map(Column::type_);
        match kind {
            Some(&Type::INT2) => Ok(named::<Option<i16>>(self, column)?.map(i64::from)),
            Some(&Type::INT4) => Ok(named::<Option<i32>>(self, column)?.map(i64::from)),
            _ => named(self, column),
        }
    }

    fn flag(&self, column: &str) -> Result<bool, StoreFault> {
        named(self, column)
    }

    fn maybe_flag(&self, column: &str) -> Result<Option<bool>, StoreFault> {
        named(self, column)
    }

    fn maybe_id(&self, column: &str) -> Result<Option<[u8; 16]>, StoreFault> {
        Ok(named::<Option<Uuid>>(self, column)?.map(Uuid::into_bytes))
    }

    fn maybe_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        named(self, column)
    }
}

/// Values of one column, of many rows.
pub(super) enum Array {
    Text(Vec<Option<String>>),
    Integer(Vec<Option<i64>>),
    Flag(Vec<bool>),
    Id(Vec<Uuid>),
}

impl Array {
    /// An empty array for values of this type.
    fn of(value: &Value<'_>) -> Self {
        match value {
            Value::Text(_) => Self::Text(Vec::new()),
            Value::Integer(_) => Self::Integer(Vec::new()),
            Value::Flag(_) => Self::Flag(Vec::new()),
            Value::Id(_) => Self::Id(Vec::new()),
        }
    }

    /// Appends a value. All values of a column have the same type.
    fn push(&mut self, value: &Value<'_>) {
        match (self, value) {
            (Self::Text(all), Value::Text(one)) => all.push(one.as_deref().map(text)),
            (Self::Integer(all), Value::Integer(one)) => all.push(*one),
            (Self::Flag(all), Value::Flag(one)) => all.push(*one),
            (Self::Id(all), Value::Id(one)) => all.push(uuid(one)),
            _ => debug_assert!(false, "a column has values of one kind"),
        }
    }

    /// Its type, as SQL writes it.
    pub(super) fn sql_type(&self) -> &'static str {
        match self {
            Self::Text(_) => "text[]",
            Self::Integer(_) => "bigint[]",
            Self::Flag(_) => "bool[]",
            Self::Id(_) => "uuid[]",
        }
    }

    /// The array as one parameter.
    pub(super) fn param(&self) -> Param<'_> {
        match self {
            Self::Text(all) => param(all),
            Self::Integer(all) => param(all),
            Self::Flag(all) => param(all),
            Self::Id(all) => param(all),
        }
    }
}

/// One array per column, from rows that have the same columns.
pub(super) fn arrays<'r, 'v: 'r>(rows: impl IntoIterator<Item = &'r [Value<'v>]>) -> Vec<Array> {
    let mut arrays: Vec<Array> = Vec::new();
    for row in rows {
        if arrays.is_empty() {
            arrays = row.iter().map(Array::of).collect();
        }
        for (array, value) in arrays.iter_mut().zip(row) {
            array.push(value);
        }
    }
    arrays
}

/// A single value as a parameter.
pub(super) enum Single {
    Text(Option<String>),
    Integer(Option<i64>),
    Flag(bool),
    Id(Uuid),
}

impl Single {
    pub(super) fn of(value: &Value<'_>) -> Self {
        match value {
            Value::Text(one) => Self::Text(one.as_deref().map(text)),
            Value::Integer(one) => Self::Integer(*one),
            Value::Flag(one) => Self::Flag(*one),
            Value::Id(one) => Self::Id(uuid(one)),
        }
    }

    pub(super) fn param(&self) -> Param<'_> {
        match self {
            Self::Text(one) => param(one),
            Self::Integer(one) => param(one),
            Self::Flag(one) => param(one),
            Self::Id(one) => param(one),
        }
    }
}

/// Converts an error of PostgreSQL. Its short message names tables and causes; the details, which can contain
/// values, are left out.
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
            "{message}; make room on the database's disk, and work continues by itself"
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

/// Whether the statement failed because of the data in it, and not because of the database.
pub(super) fn is_about_the_data(error: &tokio_postgres::Error) -> bool {
    // Classes 21 to 23: what was written does not fit. 54: it is too large.
    error.code().is_some_and(|code| {
        ["21", "22", "23", "54"].iter().any(|class| code.code().starts_with(class))
    })
}
