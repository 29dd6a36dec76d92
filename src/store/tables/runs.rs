//! Runs: the unit of the queue.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{Row, Value, Written};
use crate::model::{DeliveryId, Environment, RunId, RunState};
use crate::store::rules::limits::Ready;
use crate::store::rules::new::NewRow;
use crate::store::rules::run::{Against, Moved, RunRow};
use crate::store::{Counts, Lease, RunBrief, StoreFault};

/// Condition for unsent runs, written as in the indexes over them.
pub(in crate::store) const UNSENT: &str = "runs.state IN ('queued', 'waiting')";
/// Condition for runs that may be sent, written as in the index over them. It says `blocked <= 0` instead of
/// `blocked = 0`, since with [`IN_ORDER`] a planner can then only use that index. With outdated statistics it
/// would otherwise read every run in the order of acceptance.
pub(in crate::store) const READY: &str = "runs.state = 'queued' AND runs.blocked <= 0";
/// Sorts those runs by the order of acceptance, in the way that matches the index.
pub(in crate::store) const IN_ORDER: &str = "ORDER BY runs.blocked, runs.seq";

/// Sorts those runs by the reverse order of acceptance, in the way that matches the index.
pub(in crate::store) const LAST_FIRST: &str = "ORDER BY runs.blocked DESC, runs.seq DESC";

/// The columns that the rules read. `$delivery` is an expression for the delivery's id, `$mapped` one for
/// whether there are variables.
macro_rules! facts {
    ($delivery:literal, $mapped:literal) => {
        concat!(
            "runs.seq, runs.id, ",
            $delivery,
            " AS delivery, substr(runs.route, 1, 300) AS route, substr(runs.job, 1, 300) AS job, \
             runs.part, runs.state, substr(runs.reason, 1, 4000) AS reason, ",
            $mapped,
            " AS mapped, runs.attempts, runs.accepted_at, runs.due_at, runs.deadline_at, \
             substr(runs.latest_per, 1, 4000) AS latest_per, coalesce(runs.burst, runs.seq) AS burst, \
             coalesce(runs.burst_at, runs.accepted_at) AS burst_at, runs.stands_for"
        )
    };
}
pub(in crate::store) use facts;

/// What the rules know about a run, read from the columns of [`facts`].
pub(in crate::store) fn row(row: &impl Row) -> Result<RunRow, StoreFault> {
    Ok(RunRow {
        seq: row.integer("seq")?,
        id: RunId::from_bytes(row.id("id")?),
        delivery: DeliveryId::from_bytes(row.id("delivery")?),
        route: row.text("route")?,
        job: row.text("job")?,
        part: row.count("part")?,
        state: row.spelled("state")?,
        reason: row.maybe_text("reason")?,
        mapped: row.flag("mapped")?,
        attempts: row.count("attempts")?,
        accepted_at: row.moment("accepted_at")?,
        due_at: row.moment("due_at")?,
        deadline: row.moment("deadline_at")?,
        latest_per: row.maybe_text("latest_per")?,
        burst: row.integer("burst")?,
        burst_at: row.moment("burst_at")?,
        stands_for: row.integer("stands_for")?,
    })
}

/// The columns of an attempt's lease. `$most` is an expression for the longest text of variables that is
/// read; a longer one is read as null.
macro_rules! lease {
    ($delivery:literal, $most:literal) => {
        concat!(
            "runs.seq, runs.id, ",
            $delivery,
            " AS delivery, substr(runs.route, 1, 300) AS route, substr(runs.job, 1, 300) AS job, \
             CASE WHEN octet_length(runs.environment) <= ",
            $most,
            " THEN runs.environment END AS environment, runs.attempts, runs.accepted_at, \
             runs.changed_at, runs.deadline_at, runs.passed"
        )
    };
}
pub(in crate::store) use lease;

/// A run that may be sent or is in flight, read from the columns of [`lease`].
pub(in crate::store) fn ready(
    row: &impl Row,
    begun_at: Timestamp,
    asked_at: Timestamp,
) -> Result<Ready, StoreFault> {
    let (environment, unreadable) = match row.maybe_text("environment")? {
        None => (
            Environment::default(),
            Some("its variables are longer than its job allows (`env_max`)"),
        ),
        Some(text) => match serde_json::from_str(&text) {
            Ok(environment) => (environment, None),
            Err(_) => (Environment::default(), Some("its variables cannot be read")),
        },
    };
    Ok(Ready {
        seq: row.integer("seq")?,
        passed: row.flag("passed")?,
        changed_at: row.moment("changed_at")?,
        unreadable,
        lease: Lease {
            run: RunId::from_bytes(row.id("id")?),
            delivery: DeliveryId::from_bytes(row.id("delivery")?),
            route: row.text("route")?.into(),
            job: row.text("job")?.into(),
            environment,
            attempt: row.count("attempts")?,
            begun_at,
            asked_at,
            accepted_at: row.moment("accepted_at")?,
            deadline: row.moment("deadline_at")?,
            trial: false,
        },
    })
}

/// The columns of a run as a list shows it.
macro_rules! brief {
    ($delivery:literal) => {
        concat!(
            "runs.id, ",
            $delivery,
            " AS delivery, substr(runs.route, 1, 300) AS route, substr(runs.job, 1, 300) AS job, \
             runs.part, runs.state, substr(runs.reason, 1, 4000) AS reason, runs.engine_id, runs.attempts, runs.accepted_at, runs.changed_at, runs.due_at, \
             runs.deadline_at, runs.stands_for, \
             CASE WHEN runs.state = 'superseded' THEN (SELECT newer.id FROM runs newer \
                 WHERE newer.burst = runs.burst AND newer.state <> 'superseded' \
                 ORDER BY newer.seq DESC LIMIT 1) END AS superseded_by"
        )
    };
}
pub(in crate::store) use brief;

/// A run as a list shows it, read from the columns of [`brief`].
pub(in crate::store) fn in_short(row: &impl Row) -> Result<RunBrief, StoreFault> {
    Ok(RunBrief {
        id: RunId::from_bytes(row.id("id")?),
        delivery: DeliveryId::from_bytes(row.id("delivery")?),
        route: row.text("route")?,
        job: row.text("job")?,
        part: row.count("part")?,
        state: row.spelled("state")?,
        reason: row.maybe_text("reason")?,
        engine_id: row.maybe_text("engine_id")?,
        attempts: row.count("attempts")?,
        accepted_at: row.moment("accepted_at")?,
        changed_at: row.moment("changed_at")?,
        due_at: row.moment("due_at")?,
        deadline: row.moment("deadline_at")?,
        stands_for: row.count("stands_for")?,
        superseded_by: row.maybe_id("superseded_by")?.map(RunId::from_bytes),
    })
}

/// How many runs are in each state that is not final, and when the oldest were accepted.
pub(in crate::store) fn counts(row: &impl Row) -> Result<Counts, StoreFault> {
    Ok(Counts {
        waiting: row.count("waiting")?,
        queued: row.count("queued")?,
        sending: row.count("sending")?,
        held: row.count("held")?,
        oldest_queued_ms: row.maybe_integer("oldest_queued")?,
        oldest_held_ms: row.maybe_integer("oldest_held")?,
    })
}

/// The column of a run's variables. What is longer than any job allows (`env_max`) is not fetched, and is
/// null; JSON may take six bytes for one.
pub(in crate::store) const ENVIRONMENT: &str = "octet_length(runs.environment) > 8388608 AS too_long, \
    CASE WHEN octet_length(runs.environment) <= 8388608 THEN runs.environment END AS environment";

/// A run's variables, read from [`ENVIRONMENT`]; `None` where its mapping failed.
pub(in crate::store) fn environment(row: &impl Row) -> Result<Option<Environment>, StoreFault> {
    if row.maybe_flag("too_long")? == Some(true) {
        return Err(super::unreadable("environment", "it is longer than any job allows"));
    }
    let text = row.maybe_text("environment")?;
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| super::unreadable("environment", error))
}

/// Which runs a use case asks for.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) enum Which<'w> {
    /// The newest run of a delivery for this route and this event.
    Newest(DeliveryId, &'w str, u32),
    /// The failed runs of a delivery.
    Failed(DeliveryId),
    /// All runs of a delivery.
    Of(DeliveryId),
    /// The unsent runs of a route with this `latest_per` text.
    Unsent(&'w str, &'w str),
    /// Runs that have fallen due by now and are still blocked until their time.
    FallenDue(Timestamp),
    /// Unsent runs whose deadline has passed.
    Overdue(Timestamp),
    /// The runs of a job that its brake may hold.
    Brakeable(&'w str),
    /// The runs of a job that may be sent, up to this `seq`.
    ReadyUpTo(&'w str, i64),
    /// The queued runs of a route whose start is blocked in this way.
    Queued(&'w str, Against),
    /// Runs that are blocked by a pause of their route although the route is not paused.
    LeftBehind,
}

/// Runs that have fallen due which one step handles at most.
const DUE_STEP: usize = 1000;
/// Overdue runs, and runs that a brake holds, which one step handles at most.
const STEP: usize = 500;

impl Which<'_> {
    /// The condition and the order in SQL, with the parameters. It is written so that both databases use
    /// the indexes. The parameters appear in the order of their numbers, so that both databases number them
    /// alike.
    pub(in crate::store) fn sql(&self) -> (String, Vec<Value<'_>>) {
        let moment = |moment: &Timestamp| Value::moment(*moment);
        let number = |number: i64| Value::Integer(Some(number));
        match self {
            // The delivery is each database's own first condition.
            Self::Newest(_, route, part) => (
                "runs.route = $1 AND runs.part = $2 ORDER BY runs.seq DESC LIMIT 1".to_owned(),
                vec![Value::text(route), number((*part).into())],
            ),
            Self::Failed(_) => ("runs.state = 'failed' ORDER BY runs.seq".to_owned(), Vec::new()),
            Self::Of(_) => ("true ORDER BY runs.seq".to_owned(), Vec::new()),
            Self::Unsent(route, key) => (
                format!(
                    "runs.route = $1 AND runs.latest_per = $2 AND runs.latest_per IS NOT NULL \
                     AND {UNSENT} ORDER BY runs.seq"
                ),
                vec![Value::text(route), Value::text(key)],
            ),
            Self::FallenDue(now) => (
                format!(
                    "runs.blocked = 1 AND runs.due_at <= $1 ORDER BY runs.due_at LIMIT {DUE_STEP}"
                ),
                vec![moment(now)],
            ),
            Self::Overdue(now) => {
                (format!("{UNSENT} AND runs.deadline_at <= $1 LIMIT {STEP}"), vec![moment(now)])
            }
            Self::Brakeable(job) => (
                format!(
                    "{READY} AND runs.job = $1 AND runs.attempts = 0 AND NOT runs.passed \
                     {IN_ORDER} LIMIT {STEP}"
                ),
                vec![Value::text(job)],
            ),
            Self::ReadyUpTo(job, up_to) => (
                format!("{READY} AND runs.job = $1 AND runs.seq <= $2 {IN_ORDER}"),
                vec![Value::text(job), number(*up_to)],
            ),
            Self::Queued(route, against) => (
                format!(
                    "runs.state = 'queued' AND runs.blocked = {} AND runs.route = $1",
                    against.code()
                ),
                vec![Value::text(route)],
            ),
            Self::LeftBehind => (
                format!(
                    "runs.state = 'queued' AND runs.blocked = {} AND NOT EXISTS \
                       (SELECT 1 FROM pauses WHERE pauses.kind = 'route' AND pauses.name = runs.route) \
                     LIMIT {STEP}",
                    Against::RoutePaused.code()
                ),
                Vec::new(),
            ),
        }
    }

    /// The delivery whose runs they are, where they belong to one.
    pub(in crate::store) fn delivery(&self) -> Option<DeliveryId> {
        match self {
            Self::Newest(delivery, ..) | Self::Failed(delivery) | Self::Of(delivery) => {
                Some(*delivery)
            }
            _ => None,
        }
    }

    /// Whether rows that another transaction has locked are skipped; a later step finds them.
    pub(in crate::store) fn may_be_left_out(&self) -> bool {
        match self {
            Self::FallenDue(_) | Self::Overdue(_) | Self::Brakeable(_) | Self::LeftBehind => true,
            // A pause is looked at again when runs are taken, and a step finds what a resume has left behind.
            Self::Queued(..) => true,
            Self::Newest(..)
            | Self::Failed(_)
            | Self::Of(_)
            | Self::Unsent(..)
            | Self::ReadyUpTo(..) => false,
        }
    }
}

/// The columns of a new run, without its delivery, which each database stores in its own way. The last two
/// say what blocks its start while its route is not paused, and what while it is.
pub(in crate::store) fn new<'r>(row: &'r NewRow<'r>) -> Vec<Written<'r>> {
    vec![
        ("id", Value::Id(*row.id.as_bytes())),
        ("route", Value::text(row.route)),
        ("job", Value::text(row.job)),
        ("part", Value::Integer(Some(row.part.into()))),
        ("state", Value::text(row.state.as_str())),
        ("reason", Value::maybe_text(row.reason)),
        ("environment", Value::maybe_text(row.environment.as_deref())),
        ("accepted_at", Value::moment(row.accepted_at)),
        ("changed_at", Value::moment(row.accepted_at)),
        ("due_at", Value::moment(row.due_at)),
        ("deadline_at", Value::moment(row.deadline)),
        ("latest_per", Value::maybe_text(row.latest_per)),
        ("burst", Value::Integer(row.burst)),
        ("burst_at", Value::Integer(row.burst_at.map(Timestamp::as_millisecond))),
        ("stands_for", Value::Integer(Some(row.stands_for))),
        (BLOCKED, Value::Integer(Some(row.standing.free.code()))),
        (BLOCKED_PAUSED, Value::Integer(Some(row.standing.paused.code()))),
    ]
}

/// The column that says what blocks a start.
pub(in crate::store) const BLOCKED: &str = "blocked";
/// Not a column: the value of [`BLOCKED`] where the run's route is paused.
pub(in crate::store) const BLOCKED_PAUSED: &str = "blocked_paused";

/// The columns that an update of a run writes. Which ones there are depends on the update.
pub(in crate::store) fn moved(row: &Moved) -> Vec<Written<'_>> {
    let borrowed = |text: &'_ Option<String>| text.clone().map(Cow::Owned);
    let mut written = vec![
        ("state", Value::text(row.state.as_str())),
        ("reason", Value::maybe_text(row.reason.as_deref())),
        (BLOCKED, Value::Integer(Some(row.standing.free.code()))),
        (BLOCKED_PAUSED, Value::Integer(Some(row.standing.paused.code()))),
    ];
    if row.expected == RunState::Sending {
        written.push(("lease_until", Value::Integer(None)));
    }
    let mut set =
        |column, value: Option<Value<'static>>| written.extend(value.map(|value| (column, value)));
    set("changed_at", row.changed_at.map(Value::moment));
    set("engine_id", row.engine_id.is_some().then(|| Value::Text(borrowed(&row.engine_id))));
    set("environment", row.environment.is_some().then(|| Value::Text(borrowed(&row.environment))));
    set("due_at", row.due_at.map(Value::moment));
    set("deadline_at", row.deadline.map(Value::moment));
    set("burst", row.burst.map(|burst| Value::Integer(Some(burst))));
    set("burst_at", row.burst_at.map(Value::moment));
    set("stands_for", row.stands_for.map(|count| Value::Integer(Some(count))));
    set("passed", row.passed.map(Value::Flag));
    written
}

/// Each column with the SQL expression for its value. `value` gives the parameter for a position, and `route`
/// is the expression for the run's route. The statement itself checks whether the route is paused, so that a
/// run and a pause cannot miss each other.
pub(in crate::store) fn expressions(
    written: &[Written<'_>],
    value: impl Fn(usize) -> String,
    route: &str,
) -> Vec<(&'static str, String)> {
    let paused = written.iter().position(|(column, _)| *column == BLOCKED_PAUSED);
    let expression = |(place, (column, _)): (usize, &Written<'_>)| match (*column, paused) {
        (BLOCKED_PAUSED, _) => None,
        (BLOCKED, Some(paused)) => Some((
            BLOCKED,
            format!(
                "CASE WHEN EXISTS (SELECT 1 FROM pauses WHERE pauses.kind = 'route' \
                 AND pauses.name = {route}) THEN {} ELSE {} END",
                value(paused),
                value(place)
            ),
        )),
        (column, _) => Some((column, value(place))),
    };
    written.iter().enumerate().filter_map(expression).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::run::{Change, after};

    #[test]
    fn what_sql_calls_unsent_is_what_a_newer_run_may_take_the_place_of() {
        for state in RunState::ALL {
            let may = after(state, &Change::Supersede).is_ok();
            assert_eq!(UNSENT.contains(&format!("'{state}'")), may, "{state}");
        }
    }
}
