//! Things that the cases need: times, ids, deliveries with runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cdsw_gateway::clock::later;
use cdsw_gateway::model::{
    AttemptResult, ContentDigest, DeliveryId, Environment, Outcome, RunId, RunState,
};
use cdsw_gateway::store::{
    Accepted, Act, Asks, Lease, LeaseAsk, NewDelivery, NewRun, NewRunState, Next, NotAsked, Permit,
    Store,
};
use jiff::Timestamp;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// How long a delivery is known whose sender gave it an id.
pub const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// A digest of some content; another one for another text.
pub fn digest(content: &str) -> ContentDigest {
    let mut bytes = [0; ContentDigest::SIZE];
    for (place, byte) in content.bytes().enumerate() {
        bytes[place % ContentDigest::SIZE] ^= byte;
    }
    ContentDigest::from_bytes(bytes)
}

/// The moment at which every case begins.
pub fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().expect("a time")
}

pub fn after(seconds: u64) -> Timestamp {
    later(start(), Duration::from_secs(seconds))
}

fn bits() -> u128 {
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn delivery(key: &str, runs: Vec<NewRun>) -> NewDelivery {
    delivery_at(start(), key, runs)
}

pub fn delivery_at(at: Timestamp, key: &str, runs: Vec<NewRun>) -> NewDelivery {
    NewDelivery {
        claims: None,
        id: DeliveryId::new(at, bits()),
        source: "github".into(),
        provider: "github".into(),
        kind: "push".into(),
        name: Some("push".into()),
        key: key.into(),
        digest: digest(key),
        window: WEEK,
        handshake: false,
        received_at: at,
        remote: Some("192.0.2.7".to_owned()),
        headers: [("x-github-event", "push")].into_iter().collect(),
        query: "a=b".to_owned(),
        body: Bytes::from(format!(r#"{{"key":"{key}"}}"#).repeat(20)),
        explanation: br#"{"routes":[]}"#.to_vec(),
        runs,
    }
}

pub fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().copied().collect()
}

pub fn queued(route: &str, job: &str) -> NewRun {
    run(route, job, NewRunState::Queued(environment(&[("SHA", "abc")])))
}

pub fn run(route: &str, job: &str, state: NewRunState) -> NewRun {
    NewRun {
        latest: None,
        id: RunId::new(start(), bits()),
        route: route.into(),
        job: job.into(),
        part: 0,
        state,
        deadline: after(3600),
    }
}

pub fn ask(now: Timestamp, jobs: &[(&str, usize)]) -> LeaseAsk {
    LeaseAsk {
        now,
        permits: jobs
            .iter()
            .map(|(job, count)| Permit {
                job: (*job).into(),
                count: *count,
                at_once: usize::MAX,
                key: None,
                declared: format!("{job} 0").into(),
                lease: Duration::from_secs(60),
                per_minute: None,
                per_hour: None,
                backlog_per_minute: Some(10),
                trial: None,
                env_max: 64 * 1024,
            })
            .collect(),
        most: 100,
        plan: Arc::new(Refuses::default()),
        version: "1".into(),
    }
}

/// The route of which [`Refuses`] says that it may be in a faulty file.
pub const MAY_BE_IN_A_FAULTY_FILE: &str = "s";

/// A configuration that asks for every run, but those of one route.
#[derive(Clone, Debug, Default)]
pub struct Refuses(pub Option<&'static str>);

impl Asks for Refuses {
    fn asks_for(&self, lease: &Lease) -> Result<(), NotAsked> {
        match self.0 {
            Some(route) if *lease.route != *route => Ok(()),
            Some(MAY_BE_IN_A_FAULTY_FILE) => Err(NotAsked::held_back("its route may be in one")),
            Some(_) => Err(NotAsked::here("there is no such route")),
            _ => Ok(()),
        }
    }
}

pub fn act() -> Act {
    Act { who: "ops".to_owned(), at: after(100), origin: None, note: Some("because".to_owned()) }
}

pub fn result(outcome: Outcome) -> AttemptResult {
    AttemptResult {
        outcome,
        status: Some(200),
        engine_id: (outcome == Outcome::Started).then(|| "engine-1".to_owned()),
        reason: "a reason".to_owned(),
        reply: Some("a reply".to_owned()),
        retry_after: None,
        clock_ahead: None,
        took: Duration::from_millis(12),
        key_refused: false,
    }
}

pub fn started() -> Next {
    Next::Started { engine_id: "engine-1".to_owned() }
}

pub fn held() -> Next {
    Next::Hold { reason: "who knows".to_owned() }
}

pub fn failed() -> Next {
    Next::Fail { reason: "refused".to_owned() }
}

/// Keeps a delivery with one queued run of job `train`, and gives the run's id.
pub async fn one_run(store: &Arc<dyn Store>, key: &str) -> (DeliveryId, RunId) {
    let new = delivery(key, vec![queued("r", "train")]);
    let ids = (new.id, new.runs[0].id);
    assert_eq!(store.accept(new).await, Ok(Accepted::KEPT));
    ids
}

/// Takes the one run that is due.
pub async fn lease_one(store: &Arc<dyn Store>, now: Timestamp) -> Lease {
    let mut leased = store.lease_due(ask(now, &[("train", 1)])).await.expect("leased").leases;
    assert_eq!(leased.len(), 1, "one run is due");
    leased.remove(0)
}

pub async fn state(store: &Arc<dyn Store>, run: RunId) -> RunState {
    store.run(run).await.expect("read").expect("kept").brief.state
}
