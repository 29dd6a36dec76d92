//! What replicas tell each other: that they are alive, which configuration they run, and which circuit
//! breakers are open.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::connection::Connection;
use super::values::{length, millis, params};
use crate::store::StoreFault;
use crate::store::shared::{Declared, OpenCircuit};
use crate::store::statements::{About, Statements as _};
use crate::store::tables::Row as _;

/// A configuration that no replica has declared for this long is deleted. If it returns, it counts as new.
const REMEMBERED: Duration = Duration::from_secs(90 * 24 * 3600);
/// The row of a replica that has not been seen for this long is deleted.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

/// An SQL expression for a column of the configuration in force.
macro_rules! in_force {
    ($column:literal) => {
        concat!(
            "(SELECT ",
            $column,
            " FROM configurations ORDER BY EXISTS \
             (SELECT 1 FROM replicas WHERE replicas.version = configurations.version \
                AND replicas.seen_at > \
                  (extract(epoch FROM clock_timestamp()) * 1000)::bigint - 30000) DESC, \
             number DESC LIMIT 1)"
        )
    };
}

/// An SQL expression for the jobs that the configuration in force allows. That is the newest configuration
/// of the replicas seen within the last 30 s. Where there is no such replica, as after an outage, it is the
/// newest configuration of all. Null only where no configuration is recorded.
pub(super) const ALLOWED: &str = in_force!("jobs");

/// An SQL expression for the version of the configuration in force. Null only where none is recorded.
pub(super) const IN_FORCE: &str = in_force!("version");

/// An SQL expression for how long the claims of a source may last, in milliseconds: the longest window that a
/// configuration of a running replica gives it, and a week at least. `$source` is an expression for the source.
macro_rules! longest_window {
    ($source:literal) => {
        concat!(
            "greatest(604800000, coalesce((SELECT max((configurations.windows::jsonb ->> ",
            $source,
            ")::bigint) FROM configurations WHERE EXISTS (SELECT 1 FROM replicas \
               WHERE replicas.version = configurations.version)), 0))"
        )
    };
}
pub(super) use longest_window;

/// The database's clock, in milliseconds since 1970.
pub(super) const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// Declares that a replica is alive and which configuration it runs. A configuration that is not recorded
/// yet becomes the newest; so does one that a running replica has just loaded (`changed`). Also deletes old
/// rows.
pub(super) async fn declare(
    connection: &Connection,
    replica: Uuid,
    declared: &Declared,
    changed: bool,
) -> Result<(), StoreFault> {
    let number = if changed {
        "nextval(pg_get_serial_sequence('configurations', 'number'))"
    } else {
        "configurations.number"
    };
    let windows = serde_json::to_string(&declared.windows)
        .map_err(|error| StoreFault::Unusable(format!("windows of sources: {error}")))?;
    connection
        .execute(
            &format!(
                "INSERT INTO configurations (version, jobs, windows, seen_at) VALUES ($1, $2, $3, {NOW}) \
             ON CONFLICT (version) DO UPDATE SET number = {number}, jobs = excluded.jobs, \
               windows = excluded.windows, seen_at = excluded.seen_at"
            ),
            params![&*declared.version, declared.jobs.clone(), windows],
        )
        .await?;
    connection
        .execute(
            &format!(
                "INSERT INTO replicas (id, role, version, seen_at) VALUES ($1, $2, $3, {NOW}) \
             ON CONFLICT (id) DO UPDATE SET version = excluded.version, seen_at = excluded.seen_at"
            ),
            params![replica, &*declared.role, &*declared.version],
        )
        .await?;
    connection
        .execute(
            &format!("DELETE FROM replicas WHERE seen_at < {NOW} - {}", FORGOTTEN.as_millis()),
            params![],
        )
        .await?;
    connection
        .execute(
            &format!(
                "DELETE FROM configurations WHERE seen_at < {NOW} - {} AND NOT EXISTS \
             (SELECT 1 FROM replicas WHERE replicas.version = configurations.version)",
                REMEMBERED.as_millis()
            ),
            params![],
        )
        .await?;
    // Rows of workbenches that are no longer configured.
    connection
        .execute(
            &format!(
                "DELETE FROM rests WHERE until < {NOW} - {} AND coalesce(trial_until, 0) < {NOW}",
                FORGOTTEN.as_millis()
            ),
            params![],
        )
        .await?;
    if changed { connection.tell(About::Pauses).await } else { Ok(()) }
}

/// Withdraws the declaration of a replica.
pub(super) async fn leave(connection: &Connection, replica: Uuid) -> Result<(), StoreFault> {
    connection.execute("DELETE FROM replicas WHERE id = $1", params![replica]).await?;
    Ok(())
}

/// Claims the trial of a workbench whose circuit breaker is half-open, from `now` until `until`, both in
/// milliseconds since 1970. False where another replica has claimed it or the breaker is still open.
pub(super) async fn take_trial(
    connection: &Connection,
    workbench: &str,
    now: i64,
    until: i64,
) -> Result<bool, StoreFault> {
    let taken = connection
        .execute(
            "INSERT INTO rests (workbench, until, length, trial_until) VALUES ($1, $2, 0, $3) \
             ON CONFLICT (workbench) DO UPDATE SET trial_until = excluded.trial_until \
             WHERE rests.until <= $2 AND (rests.trial_until IS NULL OR rests.trial_until <= $2)",
            params![workbench, now, until],
        )
        .await?;
    Ok(taken > 0)
}

/// Records that a workbench's circuit breaker has opened. An existing later end is kept.
pub(super) async fn open_circuit(
    connection: &Connection,
    circuit: &OpenCircuit,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let length = length(circuit.length);
    connection
        .execute(
            "INSERT INTO rests (workbench, until, length) VALUES ($1, $2, $3) \
         ON CONFLICT (workbench) DO UPDATE SET until = greatest(rests.until, excluded.until), \
           length = greatest(rests.length, excluded.length), trial_until = NULL",
            params![&*circuit.workbench, millis(now).saturating_add(length), length],
        )
        .await?;
    connection.tell(About::Pauses).await
}

/// Ends the wait of a workbench's open circuit breaker.
pub(super) async fn half_open(connection: &Connection, workbench: &str) -> Result<(), StoreFault> {
    let sql = format!("UPDATE rests SET until = least(until, {NOW}) WHERE workbench = $1");
    connection.execute(&sql, params![workbench]).await?;
    connection.tell(About::Pauses).await
}

/// Records that a workbench's circuit breaker has closed.
pub(super) async fn close_circuit(
    connection: &Connection,
    workbench: &str,
) -> Result<(), StoreFault> {
    connection.execute("DELETE FROM rests WHERE workbench = $1", params![workbench]).await?;
    connection.tell(About::Pauses).await
}

/// Gives back the trial of a workbench, which said nothing about it; another may be made.
pub(super) async fn no_trial(connection: &Connection, workbench: &str) -> Result<(), StoreFault> {
    connection
        .execute("UPDATE rests SET trial_until = NULL WHERE workbench = $1", params![workbench])
        .await?;
    Ok(())
}

/// The open and half-open circuit breakers.
pub(super) async fn open_circuits(connection: &Connection) -> Result<Vec<OpenCircuit>, StoreFault> {
    connection
        .query("SELECT workbench, until, length FROM rests ORDER BY workbench", params![])
        .await?
        .iter()
        .map(|row| {
            Ok(OpenCircuit {
                workbench: row.text("workbench")?.into(),
                until: row.moment("until")?,
                length: Duration::from_millis(row.count("length")?),
            })
        })
        .collect()
}
