//! Applies migrations. Where replicas start together, an advisory lock makes sure that one of them does it.

use super::connection::{Connection, Connections};
use super::values::{get, params};
use crate::store::StoreFault;
use crate::store::migrations::POSTGRES;
use crate::store::tables::Row as _;

/// Number of the advisory lock ("CDSG" in ASCII).
const LOCK: i64 = 0x4344_5347;

/// The tables as they are: their version, and the oldest program version that can use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    version: usize,
    oldest: usize,
}

/// The version of the tables before and after a migration: the number of migrations applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The version before.
    pub from: usize,
    /// The version now.
    pub to: usize,
}

/// Applies all missing migrations.
///
/// # Errors
/// [`StoreFault::Unusable`] where the tables are newer than this program.
pub(super) async fn migrate(pool: &Connections) -> Result<Migrated, StoreFault> {
    migrate_to(pool, POSTGRES.len()).await
}

/// Applies the migrations up to a version. Only tests stop at an older one.
pub(super) async fn migrate_to(pool: &Connections, to: usize) -> Result<Migrated, StoreFault> {
    pool
        .transact(async |connection| {
            connection.query("SELECT pg_advisory_xact_lock($1)::text", params![LOCK]).await?;
            // A migration of large tables may take long.
            connection.plain("SET LOCAL statement_timeout = 0").await?;
            connection.plain(
                "CREATE TABLE IF NOT EXISTS cdsw_gateway_schema ( \
                   one integer PRIMARY KEY CHECK (one = 1), \
                   version integer NOT NULL, \
                   oldest integer NOT NULL)",
            )
            .await?;
            let found = look(connection).await?.unwrap_or(Found { version: 0, oldest: 0 });
            refuse_newer(found)?;
            for (number, migration) in POSTGRES.iter().enumerate().take(to).skip(found.version) {
                connection.plain(migration.sql).await?;
                let (version, oldest) = (number + 1, migration.oldest);
                connection.plain(&format!(
                    "INSERT INTO cdsw_gateway_schema (one, version, oldest) VALUES (1, {version}, {oldest}) \
                     ON CONFLICT (one) DO UPDATE SET version = {version}, oldest = {oldest}"
                ))
                .await?;
            }
            Ok(Migrated { from: found.version, to: found.version.max(to) })
        })
        .await
}

/// Checks that this program can use the tables as they are.
///
/// # Errors
/// [`StoreFault::Unusable`] where they are too old or too new. Its message says what to do.
pub(super) async fn check(connection: &Connection) -> Result<(), StoreFault> {
    let there = connection
        .one("SELECT to_regclass('cdsw_gateway_schema') IS NOT NULL", params![])
        .await?
        .map(|row| get::<bool>(&row, 0))
        .transpose()?
        .unwrap_or(false);
    let found = if there { look(connection).await? } else { None };
    let Some(found) = found else {
        return Err(StoreFault::Unusable(
            "its tables are not there yet; run `cdsw-gateway migrate`, or `serve --migrate`".into(),
        ));
    };
    refuse_newer(found)?;
    if found.version < POSTGRES.len() {
        return Err(StoreFault::Unusable(format!(
            "its tables are of version {}, and this program needs {}; run `cdsw-gateway migrate`, \
             or `serve --migrate`",
            found.version,
            POSTGRES.len()
        )));
    }
    Ok(())
}

fn refuse_newer(found: Found) -> Result<(), StoreFault> {
    if found.version > POSTGRES.len() && found.oldest > POSTGRES.len() {
        return Err(StoreFault::Unusable(format!(
            "its tables are of version {}, which programs older than version {} cannot use, and this \
             one knows {}; run the newer gateway, or restore the backup made before the upgrade",
            found.version,
            found.oldest,
            POSTGRES.len()
        )));
    }
    Ok(())
}

async fn look(connection: &Connection) -> Result<Option<Found>, StoreFault> {
    let row = connection.one("SELECT version, oldest FROM cdsw_gateway_schema", params![]).await?;
    row.map(|row| Ok(Found { version: row.count("version")?, oldest: row.count("oldest")? }))
        .transpose()
}
