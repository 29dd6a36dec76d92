//! The checker: what the load was told, the store and the workbench's log, held against each other.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;

use cdsw_gateway::model::{DeliveryId, Outcome, RunId, RunState};
use cdsw_gateway::simulator::Simulator;
use rusqlite::{Connection, Row};

use super::load::Told;

/// What was counted. That it exists is the proof.
pub struct Counts {
    answers: usize,
    repeats: usize,
    refused: BTreeMap<String, u64>,
    deliveries: usize,
    runs: BTreeMap<String, usize>,
    attempts: BTreeMap<String, usize>,
    starts: usize,
    twice: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |counts: &BTreeMap<String, usize>| {
            let words: Vec<_> =
                counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
            words.join(", ")
        };
        writeln!(
            f,
            "answers 2xx   {} ({} to repeats), every one kept",
            self.answers, self.repeats
        )?;
        let others: Vec<_> =
            self.refused.iter().map(|(status, count)| format!("{count} of {status}")).collect();
        writeln!(f, "other answers {}", others.join(", "))?;
        writeln!(f, "deliveries    {}, each kept once, with its run", self.deliveries)?;
        writeln!(f, "runs          {}", list(&self.runs))?;
        writeln!(f, "attempts      {}", list(&self.attempts))?;
        write!(
            f,
            "starts        {}, none twice under hold, {} more than once under retry",
            self.starts, self.twice
        )
    }
}

struct Kept {
    job: String,
    state: RunState,
    delivery: DeliveryId,
    outcomes: Vec<Option<Outcome>>,
}

/// # Panics
/// Where anything is not as promised.
pub fn check(told: &Told, store: &Path, simulator: &Simulator) -> Counts {
    let connection = Connection::open(store).expect("opens");
    let deliveries = deliveries(&connection);
    let runs = runs(&connection);
    every_key_is_kept_once(&deliveries);
    let repeats = every_answer_is_kept(told, &deliveries, &runs);
    let mut of: HashMap<DeliveryId, usize> = HashMap::new();
    for kept in runs.values() {
        *of.entry(kept.delivery).or_default() += 1;
    }
    for (id, key) in &deliveries {
        assert_eq!(of.get(id), Some(&1), "delivery {id} ({key}) has not the one run of its route");
    }
    let mut starts: HashMap<RunId, usize> = HashMap::new();
    for run in simulator.runs() {
        let id = run.environment["GATEWAY_RUN_ID"].parse().expect("an id");
        assert!(runs.contains_key(&id), "the workbench runs {id}, which nobody knows here");
        *starts.entry(id).or_default() += 1;
    }
    for (id, kept) in &runs {
        lawful(*id, kept, starts.get(id).copied().unwrap_or(0));
    }
    let mut counts = Counts {
        answers: told.accepted.len(),
        repeats,
        refused: told.refused.clone(),
        deliveries: deliveries.len(),
        runs: BTreeMap::new(),
        attempts: BTreeMap::new(),
        starts: starts.values().sum(),
        twice: starts.values().filter(|times| **times > 1).count(),
    };
    for kept in runs.values() {
        *counts.runs.entry(kept.state.to_string()).or_default() += 1;
        for outcome in kept.outcomes.iter().flatten() {
            *counts.attempts.entry(outcome.to_string()).or_default() += 1;
        }
    }
    assert!(counts.answers > 0 && counts.starts > 0, "nothing went on, so nothing was proved");
    counts
}

/// A repeat is the delivery that it repeats, also across kills.
fn every_key_is_kept_once(deliveries: &HashMap<DeliveryId, String>) {
    let mut of: HashMap<&str, DeliveryId> = HashMap::new();
    for (id, key) in deliveries {
        if let Some(other) = of.insert(key, *id) {
            panic!("{key} is kept twice: as delivery {id} and as {other}");
        }
    }
}

fn every_answer_is_kept(
    told: &Told,
    deliveries: &HashMap<DeliveryId, String>,
    runs: &HashMap<RunId, Kept>,
) -> usize {
    let mut repeats = 0;
    for answer in &told.accepted {
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        let id: DeliveryId = text(&answer["delivery"]).parse().expect("an id");
        assert!(deliveries.contains_key(&id), "a 2xx named delivery {id}, which is not kept");
        let named = answer["runs"].as_array().expect("a list");
        assert_eq!(named.len(), 1, "{answer}");
        let run: RunId = text(&named[0]["id"]).parse().expect("an id");
        let kept = runs.get(&run).unwrap_or_else(|| panic!("a 2xx named run {run}: not kept"));
        assert_eq!(kept.delivery, id, "run {run} belongs to another delivery than the 2xx said");
        repeats += usize::from(answer["duplicate"] == true);
    }
    repeats
}

/// Whether the run stands where its attempts and the workbench's log say that it should.
fn lawful(id: RunId, kept: &Kept, starts: usize) {
    let hold = kept.job == "retrain";
    let what = format!(
        "run {id} of {} is {} after {:?}, started {starts} times",
        kept.job, kept.state, kept.outcomes
    );
    assert!(!hold || starts <= 1, "{what}");
    assert!(kept.outcomes.iter().all(Option::is_some), "an attempt was never settled: {what}");
    let last = kept.outcomes.last().copied().flatten();
    let rest = kept.outcomes.len().saturating_sub(1);
    match kept.state {
        RunState::Started => {
            assert!(starts >= 1, "{what}");
            assert_eq!(last, Some(Outcome::Started), "{what}");
        }
        RunState::Held => {
            assert!(hold, "{what}");
            assert_eq!(last, Some(Outcome::Unknown), "{what}");
        }
        RunState::Failed => {
            assert!(!hold || starts == 0, "{what}");
            // For good; or not by its deadline, which a step of the clock may have brought.
            assert!(last != Some(Outcome::Started), "{what}");
        }
        other => panic!("it is {other} in the end: {what}"),
    }
    // Under hold, nothing follows what may have started the job.
    let before = &kept.outcomes[..rest];
    let harmless = |outcome: &Option<Outcome>| {
        matches!(outcome, Some(Outcome::NotStartedForNow | Outcome::NotStartedForGood))
    };
    assert!(!hold || before.iter().all(harmless), "{what}");
}

fn deliveries(connection: &Connection) -> HashMap<DeliveryId, String> {
    let mut statement =
        connection.prepare("SELECT id, delivery_key FROM deliveries").expect("prepared");
    let row = |row: &Row<'_>| Ok((DeliveryId::from_bytes(row.get(0)?), row.get(1)?));
    let rows = statement.query_map([], row);
    rows.expect("read").collect::<Result<_, _>>().expect("rows")
}

fn runs(connection: &Connection) -> HashMap<RunId, Kept> {
    let mut statement = connection
        .prepare(
            "SELECT runs.id, job, state, deliveries.id FROM runs \
             JOIN deliveries ON deliveries.seq = runs.delivery",
        )
        .expect("prepared");
    let row = |row: &Row<'_>| {
        let state: String = row.get(2)?;
        let kept = Kept {
            job: row.get(1)?,
            state: state.parse().expect("a state"),
            delivery: DeliveryId::from_bytes(row.get(3)?),
            outcomes: Vec::new(),
        };
        Ok((RunId::from_bytes(row.get(0)?), kept))
    };
    let rows = statement.query_map([], row);
    let mut runs: HashMap<RunId, Kept> =
        rows.expect("read").collect::<Result<_, _>>().expect("rows");
    let mut statement = connection
        .prepare(
            "SELECT runs.id, outcome FROM attempts JOIN runs ON runs.seq = attempts.run \
             ORDER BY runs.seq, number",
        )
        .expect("prepared");
    let row = |row: &Row<'_>| {
        let outcome: Option<String> = row.get(1)?;
        let outcome = outcome.map(|text| text.parse().expect("an outcome"));
        Ok((RunId::from_bytes(row.get(0)?), outcome))
    };
    for row in statement.query_map([], row).expect("read") {
        let (run, outcome) = row.expect("a row");
        runs.get_mut(&run).expect("an attempt of a run").outcomes.push(outcome);
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> DeliveryId {
        DeliveryId::new("2026-03-01T12:00:00Z".parse().expect("a time"), number)
    }

    #[test]
    #[should_panic(expected = "is kept twice")]
    fn a_key_that_is_kept_twice_is_a_fault() {
        let deliveries = [(id(1), "1-1-5"), (id(2), "1-1-6"), (id(3), "1-1-5")];
        every_key_is_kept_once(&deliveries.map(|(id, key)| (id, key.to_owned())).into());
    }
}
