//! What the log and the metrics say of each observation.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    AttemptEnded, Configured, DeliveryKept, DeliveryRefused, Follows, JobLevels, Levels,
    Observation, Observer, RunAt, Verdict,
};
use crate::config::{Change, Report, SecretFault, SecretRef};
use crate::model::{DeliveryId, Outcome, Role, RunId, RunState};
use crate::store::{Pausable, RetentionStep, StoreFault};

const OPERATIONS: &str = include_str!("../../docs/operations.md");

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log lines that `act` writes, parsed as a log collector would.
fn lines(act: impl FnOnce()) -> Vec<Value> {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_target(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, act);
    let text = lines.0.lock().expect("nobody panicked");
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("JSON"))
        .collect()
}

/// Reports at least one observation of each kind.
fn each(mut tell: impl FnMut(Observation<'_>)) {
    let now = Timestamp::UNIX_EPOCH;
    let (run, delivery) = (RunId::new(now, 1), DeliveryId::new(now, 2));
    let at = RunAt { run, delivery, route: "retrain-on-push", job: "retrain" };
    let (source, host, url) = ("github", "keys.example.com", "https://keys.example.com/jwks");
    let (workbench, key, who) = ("main", "alice", "ops");
    let (what, words, reason) = (Pausable::Job("retrain".to_owned()), "in words", "why");
    let (fault, report) = (StoreFault::Unavailable("full".to_owned()), Report::default());
    let secret = SecretRef::Env("KEY".to_owned());
    let secrets = vec![SecretFault { reference: secret, reason: "is not set".to_owned() }];
    let change = Change { from: "a".into(), to: "b".into(), secrets, ..Change::default() };
    let step = RetentionStep { removed: 3, stripped: 2, bytes: 4096, ..RetentionStep::default() };
    let error = io::Error::other("no");
    let address = "127.0.0.1:8080".parse().expect("an address");
    tell(Observation::DeliveryKept(kept(Verdict::Accepted, Some(1))));
    let first = DeliveryId::new(now, 3);
    tell(Observation::SameIdOtherContent { delivery, first, source, key: "72d3162e" });
    tell(Observation::DeliveryRefused(DeliveryRefused {
        source,
        remote: "127.0.0.1",
        status: 401,
        verdict: Verdict::Refused,
        reason: "bad_signature",
        words,
        path: None,
        named_id: Some("72d3162e"),
        named_repository: Some("acme/risk"),
        to_log: Some(0),
    }));
    tell(Observation::DeliveryRefused(DeliveryRefused {
        source: "unknown",
        remote: "127.0.0.1",
        status: 404,
        verdict: Verdict::UnknownAddress,
        reason: "unknown_path",
        words,
        path: Some("/github"),
        named_id: None,
        named_repository: None,
        to_log: Some(3),
    }));
    tell(Observation::SecretOffered { source, what: "it was not kept" });
    tell(Observation::RunNotMapped { at, reason });
    tell(Observation::RunHeld { at, reason });
    tell(Observation::RunRedelivered { run, delivery });
    let state = RunState::Queued;
    let route = at.route;
    let (job, what_done) = (at.job, "queued again");
    for state in [state, RunState::Failed] {
        tell(Observation::RunReplayed { run, delivery, route, job, what: what_done, state, who });
    }
    tell(Observation::RunSettled { at, act: "cancel", state: RunState::Cancelled, who });
    tell(Observation::RunsOverdue { job, runs: 5 });
    tell(Observation::RunsBraked { job: at.job, held: 4 });
    tell(Observation::SecretWithinReach { words: "the API key main/alice" });
    tell(Observation::RunsNotAsked { job: at.job, held: 3 });
    tell(Observation::ClockSetBack { runs: 1 });
    tell(Observation::AttemptEnded(ended(Outcome::Started, Follows::Started)));
    tell(Observation::AttemptUnrecorded {
        run,
        job: at.job,
        attempt: 1,
        outcome: Outcome::Started,
        engine_id: Some("engine"),
    });
    tell(Observation::KeyRefused { workbench, key });
    tell(Observation::KeyChanged { key });
    tell(Observation::TokenChanged { token: "ops" });
    tell(Observation::TokenUnreadable { token: "ops", reason });
    tell(Observation::TokenReadable { token: "ops" });
    tell(Observation::Paused { what: &what, who });
    tell(Observation::Resumed { what: &what, who });
    tell(Observation::BreakerResumed { workbench, who });
    tell(Observation::BreakerOpened { workbench });
    tell(Observation::BreakerHalfOpen { workbench });
    tell(Observation::BreakerClosed { workbench });
    tell(Observation::ConfigurationLoaded { version: "a", report: &report, at: now });
    tell(Observation::ConfigurationReloaded { change: &change, report: &report, at: now });
    tell(Observation::ConfigurationRefused { report: &report });
    tell(Observation::SourceUnusable { source, reason });
    tell(Observation::RouteFileAdopted { file: "routes.d/team.yaml", since: now });
    tell(Observation::SecretDoubtful { reason, hint: "make another" });
    tell(Observation::KeysFetched { url, host, keys: 2, at: now });
    tell(Observation::KeysNotFetched { url, host, reason: "status", words, since: Some(now) });
    tell(Observation::KeysNotFetched { url, host, reason: "status", words, since: None });
    tell(Observation::SubscriptionConfirmed { source, host });
    tell(Observation::SubscriptionNotConfirmed { source, host, reason: "status", words });
    tell(Observation::store_fault("accept", &fault));
    let path = Path::new("gateway.db");
    for corrected in [true, false] {
        tell(Observation::StoreFileExposed { path, mode: 0o644, corrected });
    }
    tell(Observation::DeliveryErased { delivery, cancelled: 1, who });
    tell(Observation::DatabasePassword { reason });
    tell(Observation::Retention { step: &step });
    tell(Observation::StoreOverBound { bytes: 2, bound: 1 });
    let bound = crate::serving::Bound::Tcp(address);
    let hooks = Some(&bound);
    tell(Observation::Ready { role: "all", hooks, admin: &bound, health: hooks, config: "a" });
    tell(Observation::Stopping { at_most: Duration::from_secs(66) });
    tell(Observation::StartsCutOff);
    tell(Observation::Stopped);
    tell(Observation::RequestLogLost { error: &error });
}

fn kept(verdict: Verdict, secret: Option<usize>) -> DeliveryKept<'static> {
    DeliveryKept {
        delivery: DeliveryId::new(Timestamp::UNIX_EPOCH, 2),
        source: "github",
        kind: "push",
        key: "an-id",
        verdict,
        runs: 1,
        size: 7,
        remote: "127.0.0.1",
        secret,
        took: Duration::from_millis(3),
    }
}

fn ended(outcome: Outcome, next: Follows) -> AttemptEnded<'static> {
    AttemptEnded {
        run: RunId::new(Timestamp::UNIX_EPOCH, 1),
        delivery: DeliveryId::new(Timestamp::UNIX_EPOCH, 2),
        route: "retrain-on-push",
        job: "retrain",
        attempt: 1,
        outcome,
        next,
        status: Some(200),
        engine_id: Some("engine"),
        reason: "it runs",
        took: Duration::from_millis(20),
        waited: Duration::from_secs(3),
    }
}

fn counted(observer: &Observer) -> String {
    observer.metrics().text(&Levels::default())
}

#[test]
fn every_observation_writes_a_line_that_the_operators_page_has() {
    let (mut told, mut fields) = (0, BTreeSet::new());
    each(|observation| {
        let lines = lines(|| Observer::new().tell(observation));
        assert!(!lines.is_empty(), "{observation:?} is not in the log");
        told += 1;
        for line in lines {
            let line = line.as_object().expect("an object");
            let message = line["message"].as_str().expect("a message");
            let (level, message) = (line["level"].as_str().expect("a level"), first_words(message));
            let row = format!("| `{message}` | {} |", level.to_lowercase());
            assert!(OPERATIONS.contains(&row), "docs/operations.md has no row {row}");
            fields.extend(line.keys().cloned());
        }
    });
    assert!(told > 30, "{told}");
    let missing: Vec<&String> =
        fields.iter().filter(|name| !OPERATIONS.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/operations.md does not name the fields {missing:?}");
}

/// The part of a message that the page of documentation shows: its beginning, up to a colon, a semicolon
/// or a version.
fn first_words(message: &str) -> &str {
    let end = message.find([':', ';']).unwrap_or(message.len());
    message[..end].split(" a replaced").next().unwrap_or_default()
}

#[test]
fn a_kept_delivery_is_one_line_and_is_counted_with_its_secret() {
    let observer = Observer::new();
    let lines = lines(|| observer.tell(Observation::DeliveryKept(kept(Verdict::Repeat, Some(1)))));
    let [line] = &lines[..] else { panic!("{lines:?}") };
    for (field, value) in [("verdict", "repeat"), ("source", "github"), ("key", "an-id")] {
        assert_eq!(line[field], value);
    }
    assert_eq!((&line["runs"], &line["took_ms"]), (&1.into(), &3.into()));
    let text = counted(&observer);
    for wanted in [
        "cdsw_gateway_deliveries_total{source=\"github\",verdict=\"repeat\"} 1\n",
        "cdsw_gateway_secret_matches_total{source=\"github\",secret=\"1\"} 1\n",
        "cdsw_gateway_accept_seconds_count 1\n",
    ] {
        assert!(text.contains(wanted), "{wanted}{text}");
    }
}

#[test]
fn runs_that_fail_are_counted_by_cause_from_the_start() {
    let observer = Observer::new();
    let count = |cause: &str| {
        let text = counted(&observer);
        let line = format!("cdsw_gateway_runs_failed_total{{cause=\"{cause}\"}} ");
        let count = text.lines().find_map(|other| other.strip_prefix(&line));
        count.map(str::to_owned).expect("a count")
    };
    assert_eq!(["mapping", "attempt", "deadline"].map(count), ["0", "0", "0"]);
    observer.tell(Observation::RunsOverdue { job: "retrain", runs: 5 });
    for (outcome, next) in [
        (Outcome::NotStartedForGood, Follows::Failed),
        (Outcome::NotStartedForNow, Follows::Retry),
        (Outcome::Unknown, Follows::Held),
    ] {
        observer.tell(Observation::AttemptEnded(ended(outcome, next)));
    }
    assert_eq!(["mapping", "attempt", "deadline"].map(count), ["0", "1", "5"]);
}

#[test]
fn a_store_fault_that_was_told_a_moment_ago_is_counted_and_not_logged() {
    let observer = Observer::new();
    let fault = StoreFault::Unavailable("full".to_owned());
    let repeated = Observation::StoreFault { step: "dispatch", fault: &fault, repeated: true };
    assert_eq!(lines(|| observer.tell(repeated)), Vec::<Value>::new());
    assert_eq!(observer.metrics().store_faults(), 1);
}

#[test]
fn a_store_that_refuses_for_a_good_reason_does_not_count_as_out_of_order() {
    let observer = Observer::new();
    let fault = StoreFault::LeaseLost(RunId::new(Timestamp::UNIX_EPOCH, 1));
    assert_eq!(lines(|| observer.tell(Observation::store_fault("dispatch", &fault))).len(), 1);
    assert_eq!(observer.metrics().store_faults(), 0);
}

#[test]
fn a_retention_step_that_finds_nothing_writes_no_line() {
    let step = RetentionStep { bytes: 4096, ..RetentionStep::default() };
    let observer = Observer::new();
    assert!(lines(|| observer.tell(Observation::Retention { step: &step })).is_empty());
    assert!(counted(&observer).contains("cdsw_gateway_store_bytes 4096\n"));
}

#[test]
fn what_is_in_flight_is_taken_off_when_the_request_ends() {
    let observer = Observer::new();
    let mut request = observer.request_in_flight();
    request.add_bytes(4096);
    request.add_bytes(4096);
    let text = counted(&observer);
    assert!(text.contains("cdsw_gateway_requests_in_flight 1\n"), "{text}");
    assert!(text.contains("cdsw_gateway_in_flight_bytes 8192\n"), "{text}");
    drop(request);
    let text = counted(&observer);
    assert!(text.contains("cdsw_gateway_requests_in_flight 0\n"), "{text}");
    assert!(text.contains("cdsw_gateway_in_flight_bytes 0\n"), "{text}");
}

fn configured(role: Role, version: &str) -> Levels {
    let configured = Configured {
        role,
        version: version.into(),
        sources: vec![("github".into(), 2)],
        routes: vec!["retrain-on-push".into()],
        jobs: vec!["retrain".into()],
        workbenches: vec!["main".into()],
        keys: vec!["main/alice".to_owned()],
    };
    Levels { configured: Some(configured), ..Levels::default() }
}

#[test]
fn what_is_configured_has_series_at_0_before_anything_happens_to_it() {
    let text = Observer::new().metrics().text(&configured(Role::All, "a"));
    for wanted in [
        "deliveries_total{source=\"github\",verdict=\"accepted\"} 0",
        "deliveries_total{source=\"github\",verdict=\"not_kept\"} 0",
        "secret_matches_total{source=\"github\",secret=\"1\"} 0",
        "matches_total{route=\"retrain-on-push\"} 0",
        "attempts_total{job=\"retrain\",outcome=\"unknown\"} 0",
        "runs_settled_total{job=\"retrain\",state=\"failed\",cause=\"deadline\"} 0",
        "braked_runs_total{job=\"retrain\"} 0",
        "keys_refused_total{key=\"main/alice\"} 0",
        "circuit_breaker_opened_total{workbench=\"main\"} 0",
        "refusals_total{source=\"github\",reason=\"no_secret\"} 0",
        "connections_ended_total{listener=\"hooks\",end=\"not_taken\"} 0",
        "secret_info{source=\"github\",secret=\"1\"} 1",
        "role_info{role=\"all\"} 1",
        "config_info{config=\"a\"} 1",
    ] {
        assert!(text.contains(&format!("cdsw_gateway_{wanted}\n")), "{wanted}\n{text}");
    }
}

#[test]
fn a_process_has_no_series_of_what_its_role_does_not_do() {
    let text = Observer::new().metrics().text(&configured(Role::Ingest, "a"));
    assert!(text.contains("deliveries_total{"), "{text}");
    assert!(!text.contains("attempts_total{") && !text.contains("braked_runs_total{"), "{text}");
    let text = Observer::new().metrics().text(&configured(Role::Dispatch, "a"));
    assert!(text.contains("attempts_total{"), "{text}");
    assert!(
        !text.contains("deliveries_total{") && !text.contains("secret_matches_total{"),
        "{text}"
    );
}

#[test]
fn only_the_version_in_force_is_shown_as_in_force() {
    let observer = Observer::new();
    let _ = observer.metrics().text(&configured(Role::All, "a"));
    let text = observer.metrics().text(&configured(Role::All, "b"));
    let versions: Vec<&str> =
        text.lines().filter(|line| line.starts_with("cdsw_gateway_config_info{")).collect();
    assert_eq!(versions, ["cdsw_gateway_config_info{config=\"b\"} 1"]);
}

#[test]
fn the_age_of_the_oldest_run_is_shown_for_each_job_and_falls_back_to_0() {
    let observer = Observer::new();
    let now = Timestamp::from_second(100).expect("a time");
    let accepted = Timestamp::from_second(40).expect("a time");
    let job = |open| JobLevels { job: "retrain".into(), open, ..JobLevels::default() };
    let at = |open| Levels { now, jobs: Some(vec![job(open)]), ..Levels::default() };
    let line = |text: String| {
        let start = "cdsw_gateway_job_oldest_run_seconds{job=\"retrain\",state=\"queued\"} ";
        text.lines().find_map(|line| line.strip_prefix(start)).map(str::to_owned)
    };
    let text = observer.metrics().text(&at(vec![(RunState::Queued, 2, accepted)]));
    assert_eq!(line(text).as_deref(), Some("60.0"));
    assert_eq!(line(observer.metrics().text(&at(Vec::new()))).as_deref(), Some("0.0"));
}

#[test]
fn the_delay_of_a_start_counts_from_the_delivery_and_is_that_of_started_runs_alone() {
    let observer = Observer::new();
    for (outcome, next) in
        [(Outcome::NotStartedForNow, Follows::Retry), (Outcome::Started, Follows::Started)]
    {
        observer.tell(Observation::AttemptEnded(ended(outcome, next)));
    }
    let text = counted(&observer);
    assert!(text.contains("cdsw_gateway_start_delay_seconds_count 1\n"), "{text}");
    assert!(text.contains("cdsw_gateway_start_delay_seconds_sum 3.02\n"), "{text}");
}

#[test]
fn runs_that_a_newer_one_took_the_place_of_are_counted_by_job() {
    let observer = Observer::new();
    observer.tell(Observation::RunsSuperseded { job: "retrain", runs: 2 });
    observer.tell(Observation::RunsSuperseded { job: "retrain", runs: 1 });
    let wanted = "runs_settled_total{job=\"retrain\",state=\"superseded\",cause=\"newer\"} 3";
    assert!(counted(&observer).contains(wanted), "{}", counted(&observer));
}
