//! Reads and writes runs for the rules, many rows per statement.

use uuid::Uuid;

use super::connection::Connection;
use super::values::{Array, Param, Single, arrays, uuid};
use crate::model::{DeliveryId, RunId};
use crate::store::StoreFault;
use crate::store::rules::new::NewRow;
use crate::store::rules::run::{Moved, RunRow};
use crate::store::tables::Value;
use crate::store::tables::runs::{self as table, Which};

const FACTS: &str = table::facts!("runs.delivery", "runs.mapped");

/// Rows that one statement writes at most.
const AT_ONCE: usize = 2000;

pub(super) async fn one_run(
    connection: &Connection,
    id: RunId,
) -> Result<Option<RunRow>, StoreFault> {
    let sql = format!("SELECT {FACTS} FROM runs WHERE runs.id = $1 FOR UPDATE");
    let found = connection.one(&sql, super::values::params![uuid(id.as_bytes())]).await?;
    found.map(|row| table::row(&row)).transpose()
}

pub(super) async fn some(
    connection: &Connection,
    which: &Which<'_>,
) -> Result<Vec<RunRow>, StoreFault> {
    let (condition, mut values) = which.sql();
    let of = match which.delivery() {
        Some(delivery) => {
            values.push(Value::Id(*delivery.as_bytes()));
            format!("runs.delivery = ${} AND ", values.len())
        }
        None => String::new(),
    };
    let left_out = if which.may_be_left_out() { " SKIP LOCKED" } else { "" };
    let sql = format!("SELECT {FACTS} FROM runs WHERE {of}{condition} FOR UPDATE{left_out}");
    let values: Vec<Single> = values.iter().map(Single::of).collect();
    let params: Vec<Param<'_>> = values.iter().map(Single::param).collect();
    connection.query(&sql, &params).await?.iter().map(table::row).collect()
}

/// New runs, as one array parameter per column.
pub(super) struct NewRuns {
    arrays: Vec<Array>,
    names: Vec<&'static str>,
    expressions: Vec<(&'static str, String)>,
}

impl NewRuns {
    /// From these rows, each with the id of its delivery.
    pub(super) fn of(rows: &[(Uuid, NewRow<'_>)]) -> Self {
        let (mut names, mut expressions) = (Vec::new(), Vec::new());
        let mut values: Vec<Vec<Value<'_>>> = Vec::with_capacity(rows.len());
        for (delivery, row) in rows {
            let mut written = table::new(row);
            written.push(("delivery", Value::Id(delivery.into_bytes())));
            if names.is_empty() {
                names = written.iter().map(|(name, _)| *name).collect();
                let value = |place: usize| format!("run.{}", names[place]);
                expressions = table::expressions(&written, value, "run.route");
            }
            values.push(written.into_iter().map(|(_, value)| value).collect());
        }
        Self { arrays: arrays(values.iter().map(Vec::as_slice)), names, expressions }
    }

    /// The `INSERT` statement for the runs for which the condition holds. Its parameters come after `before`
    /// others.
    pub(super) fn insert(&self, before: usize, condition: &str) -> String {
        let (columns, values): (Vec<&str>, Vec<&str>) =
            self.expressions.iter().map(|(column, value)| (*column, &**value)).unzip();
        format!(
            "INSERT INTO runs ({}) SELECT {} FROM unnest({}) WITH ORDINALITY AS run ({}, place) \
             {condition} ORDER BY run.place",
            columns.join(", "),
            values.join(", "),
            types(&self.arrays, before),
            self.names.join(", "),
        )
    }

    /// Its parameters.
    pub(super) fn params(&self) -> impl Iterator<Item = Param<'_>> {
        self.arrays.iter().map(Array::param)
    }
}

fn types(arrays: &[Array], before: usize) -> String {
    let types: Vec<String> = arrays
        .iter()
        .enumerate()
        .map(|(place, array)| format!("${}::{}", before + place + 1, array.sql_type()))
        .collect();
    types.join(", ")
}

/// Writes a new run of a kept delivery.
pub(super) async fn insert(
    connection: &Connection,
    delivery: DeliveryId,
    row: NewRow<'_>,
) -> Result<(), StoreFault> {
    let new = NewRuns::of(&[(uuid(delivery.as_bytes()), row)]);
    let params: Vec<Param<'_>> = new.params().collect();
    connection.execute(&new.insert(0, ""), &params).await?;
    Ok(())
}

/// Updates runs, with one statement for all neighbours that write the same columns.
pub(super) async fn write(
    connection: &Connection,
    rows: &[(i64, Moved)],
) -> Result<(), StoreFault> {
    let mut rest = rows;
    while let Some((_, first)) = rest.first() {
        let names = |row: &Moved| -> Vec<&str> {
            table::moved(row).into_iter().map(|(name, _)| name).collect()
        };
        let of_first = names(first);
        let alike = rest.iter().take(AT_ONCE).take_while(|(_, row)| names(row) == of_first).count();
        let (some, others) = rest.split_at(alike.max(1));
        write_alike(connection, some).await?;
        rest = others;
    }
    Ok(())
}

async fn write_alike(connection: &Connection, rows: &[(i64, Moved)]) -> Result<(), StoreFault> {
    let Some((_, first)) = rows.first() else { return Ok(()) };
    let written = table::moved(first);
    let set: Vec<String> =
        table::expressions(&written, |place| format!("moved.{}", written[place].0), "runs.route")
            .into_iter()
            .map(|(column, value)| format!("{column} = {value}"))
            .collect();
    let values: Vec<Vec<Value<'_>>> = rows
        .iter()
        .map(|(seq, row)| {
            let found = [Value::Integer(Some(*seq)), Value::text(row.expected.as_str())];
            found.into_iter().chain(table::moved(row).into_iter().map(|(_, value)| value)).collect()
        })
        .collect();
    let arrays = arrays(values.iter().map(Vec::as_slice));
    let names: Vec<&str> = written.iter().map(|(name, _)| *name).collect();
    let sql = format!(
        "UPDATE runs SET {} FROM unnest({}) AS moved (seq, expected, {}) \
         WHERE runs.seq = moved.seq AND runs.state = moved.expected",
        set.join(", "),
        types(&arrays, 0),
        names.join(", "),
    );
    let params: Vec<Param<'_>> = arrays.iter().map(Array::param).collect();
    if connection.execute(&sql, &params).await? != rows.len() {
        // Cannot happen, since the rows are locked.
        return Err(StoreFault::Unavailable("a run was changed by somebody else".to_owned()));
    }
    Ok(())
}
