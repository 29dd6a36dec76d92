//! Reads and writes runs for the rules.

use rusqlite::{Connection, Params, params_from_iter};

use super::values::{all, execute, one};
use crate::model::{DeliveryId, RunId};
use crate::store::StoreFault;
use crate::store::rules::new::NewRow;
use crate::store::rules::run::{Moved, RunRow};
use crate::store::tables::runs::{self as table, Which};
use crate::store::tables::{Value, Written};

const FACTS: &str = table::facts!(
    "(SELECT id FROM deliveries WHERE deliveries.seq = runs.delivery)",
    "runs.environment IS NOT NULL"
);

pub(super) fn one_run(connection: &Connection, id: RunId) -> Result<Option<RunRow>, StoreFault> {
    let sql = format!("SELECT {FACTS} FROM runs WHERE runs.id = ?1");
    one(connection, &sql, [id.as_bytes()], |row| table::row(row))
}

pub(super) fn some(connection: &Connection, which: &Which<'_>) -> Result<Vec<RunRow>, StoreFault> {
    let values = params_from_iter(parameters(which));
    all(connection, &statement(which), values, |row| table::row(row))
}

/// SQLite numbers named parameters in the order of the text, in which the delivery comes first.
fn parameters<'w>(which: &'w Which<'_>) -> impl Iterator<Item = Value<'w>> {
    let delivery = which.delivery().map(|delivery| Value::Id(*delivery.as_bytes()));
    delivery.into_iter().chain(which.sql().1)
}

fn statement(which: &Which<'_>) -> String {
    let (condition, _) = which.sql();
    let of = match which.delivery() {
        Some(_) => "runs.delivery = (SELECT seq FROM deliveries WHERE id = $delivery) AND ",
        None => "",
    };
    format!("SELECT {FACTS} FROM runs WHERE {of}{condition}")
}

/// Writes a new run of a kept delivery.
pub(super) fn insert(
    connection: &Connection,
    delivery: DeliveryId,
    row: &NewRow<'_>,
) -> Result<(), StoreFault> {
    let written = table::new(row);
    let route = written.iter().position(|(column, _)| *column == "route").unwrap_or_default();
    // The delivery is the first parameter.
    let value = |place: usize| format!("?{}", place + 2);
    let (columns, values): (Vec<&str>, Vec<String>) =
        table::expressions(&written, value, &value(route)).into_iter().unzip();
    let sql = format!(
        "INSERT INTO runs (delivery, {}) VALUES ((SELECT seq FROM deliveries WHERE id = ?1), {})",
        columns.join(", "),
        values.join(", ")
    );
    execute(connection, &sql, after([Value::Id(*delivery.as_bytes())], written)).map(drop)
}

/// Updates a run.
pub(super) fn write(connection: &Connection, seq: i64, row: &Moved) -> Result<(), StoreFault> {
    let written = table::moved(row);
    let set: Vec<String> =
        table::expressions(&written, |place| format!("?{}", place + 3), "runs.route")
            .into_iter()
            .map(|(column, value)| format!("{column} = {value}"))
            .collect();
    let sql = format!("UPDATE runs SET {} WHERE seq = ?1 AND state = ?2", set.join(", "));
    let found = [Value::Integer(Some(seq)), Value::text(row.expected.as_str())];
    match execute(connection, &sql, after(found, written))? {
        0 => Err(StoreFault::Unusable(format!("a run is {} no more", row.expected))),
        _ => Ok(()),
    }
}

/// The parameters: first these values, then those that are written.
fn after<'v>(first: impl IntoIterator<Item = Value<'v>>, written: Vec<Written<'v>>) -> impl Params {
    params_from_iter(first.into_iter().chain(written.into_iter().map(|(_, value)| value)))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rusqlite::params_from_iter;

    use super::*;
    use crate::store::rules::run::Against;
    use crate::store::sqlite::open::plan_of;

    #[test]
    fn no_use_case_reads_the_whole_table() {
        let (now, delivery) = (Timestamp::UNIX_EPOCH, DeliveryId::from_bytes([0; 16]));
        let all = [
            Which::Newest(delivery, "r", 0),
            Which::Failed(delivery),
            Which::Of(delivery),
            Which::Unsent("r", "k"),
            Which::FallenDue(now),
            Which::Overdue(now),
            Which::Brakeable("j"),
            Which::ReadyUpTo("j", 1),
            Which::Queued("r", Against::Nothing),
            Which::LeftBehind,
        ];
        for which in all {
            let plan = plan_of(&statement(&which), params_from_iter(parameters(&which)));
            assert!(
                plan.iter().all(|step| !step.starts_with("SCAN runs") || step.contains("INDEX")),
                "{which:?}: {plan:?}"
            );
        }
    }
}
