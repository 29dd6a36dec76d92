//! Opens the file: sets what makes a commit durable, and applies the migrations.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::values::fault;
use crate::store::StoreFault;
use crate::store::migrations::SQLITE;

/// Marks the file as this program's ("CDSG" in ASCII).
const APPLICATION_ID: i32 = 0x4344_5347;

/// Page cache of the writing connection, in KiB.
const CACHE_KIB: i64 = 12 * 1024;

/// Opens a connection with the settings that every connection needs.
pub(super) fn connect(path: &Path) -> Result<Connection, StoreFault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.set_prepared_statement_cache_capacity(64);
        // Larger pages hold a typical compressed payload without overflow pages.
        connection.pragma_update(None, "page_size", 8192)?;
        // Lets retention give freed pages back to the file system in small steps.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // FULL: a commit returns after the log is flushed. This is the promise behind each 2xx.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // What is deleted is overwritten, so that nothing of it stays in free pages.
        connection.pragma_update(None, "secure_delete", "ON")?;
        // Commits do not copy the log into the file; see `checkpoint`.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        connection.pragma_update(None, "busy_timeout", 1_000)?;
        // Query plans do not depend on the bound values.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(connection)
    };
    open().map_err(|error| naming(path, fault(error)))
}

/// Gives the writing connection a larger page cache, in which all pages of a full batch fit. With the default
/// of 2 MiB, every commit returned pages to the system and allocated them again, which cost as much as
/// writing them.
pub(super) fn remember_more(connection: &Connection, path: &Path) -> Result<(), StoreFault> {
    connection
        .pragma_update(None, "cache_size", -CACHE_KIB)
        .map_err(|error| naming(path, fault(error)))
}

/// Makes a connection unable to change anything.
pub(super) fn read_only(connection: &Connection, path: &Path) -> Result<(), StoreFault> {
    connection.pragma_update(None, "query_only", true).map_err(|error| naming(path, fault(error)))
}

/// The version of the tables, where a gateway would bring them up to date; `None` where they are up to date.
/// Changes nothing.
///
/// # Errors
/// [`StoreFault::Unusable`] where the file is not this program's, is newer, or is damaged.
pub(super) fn version_of(
    connection: &Connection,
    path: &Path,
) -> Result<Option<usize>, StoreFault> {
    let found = known(connection).map_err(|fault| naming(path, fault))?;
    Ok(Some(found).filter(|version| *version < SQLITE.len()))
}

/// The version of the tables of a file that this program can use.
fn known(connection: &Connection) -> Result<usize, StoreFault> {
    let application: i32 = pragma(connection, "application_id")?;
    let version: usize = pragma(connection, "user_version")?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(fault)?;
    if application != APPLICATION_ID && tables > 0 {
        return Err(StoreFault::Unusable(
            "it is a database of another program; name another file in `store:`".to_owned(),
        ));
    }
    if version > SQLITE.len() {
        return Err(StoreFault::Unusable(format!(
            "its tables are of version {version}, newer than the {} that this program knows; run the \
             newer gateway, or restore the backup made before the upgrade",
            SQLITE.len()
        )));
    }
    Ok(version)
}

/// Applies the missing migrations, each in a transaction of its own.
pub(super) fn migrate(connection: &Connection, path: &Path) -> Result<(), StoreFault> {
    let run = || -> Result<(), StoreFault> {
        let version = known(connection)?;
        // A migration may replace a table. The rows that refer to it must not be deleted with the old table.
        connection.pragma_update(None, "foreign_keys", false).map_err(fault)?;
        for (done, migration) in SQLITE.iter().enumerate().skip(version) {
            let next = done + 1;
            connection
                .execute_batch(&format!(
                    "BEGIN IMMEDIATE; {migration}; PRAGMA application_id = {APPLICATION_ID}; \
                     PRAGMA user_version = {next}; COMMIT;"
                ))
                .map_err(fault)?;
        }
        connection.pragma_update(None, "foreign_keys", true).map_err(fault)
    };
    run().map_err(|error| naming(path, error))
}

/// Makes the leases of the previous process expire now. This process has the file lock, so the previous one
/// has ended and will not settle them.
pub(super) fn end_leases(connection: &Connection, path: &Path) -> Result<(), StoreFault> {
    connection
        .execute("UPDATE runs SET lease_until = 0 WHERE state = 'sending'", [])
        .map(|_| ())
        .map_err(|error| naming(path, fault(error)))
}

fn pragma<T: rusqlite::types::FromSql>(
    connection: &Connection,
    name: &str,
) -> Result<T, StoreFault> {
    connection.pragma_query_value(None, name, |row| row.get(0)).map_err(fault)
}

/// The fault with the file's path in front of its message.
pub(super) fn naming(path: &Path, fault: StoreFault) -> StoreFault {
    match fault {
        StoreFault::Unavailable(why) => {
            StoreFault::Unavailable(format!("{}: {why}", path.display()))
        }
        StoreFault::Unusable(why) => StoreFault::Unusable(format!("{}: {why}", path.display())),
        other => other,
    }
}

/// The query plan of a statement on new, empty tables.
#[cfg(test)]
pub(super) fn plan_of(sql: &str, params: impl rusqlite::Params) -> Vec<String> {
    let place = tempfile::tempdir().expect("a directory");
    let path = place.path().join("gateway.db");
    let connection = connect(&path).expect("opens");
    migrate(&connection, &path).expect("migrated");
    let mut explain =
        connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a lawful statement");
    let steps = explain.query_map(params, |row| row.get(3)).expect("explained");
    steps.collect::<Result<_, _>>().expect("read")
}
