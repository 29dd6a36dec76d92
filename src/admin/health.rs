//! Readiness, the status with notes for people, and the gauges of the metrics.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, StatusCode};
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Admin;
use super::auth::known;
use super::jobs::{LATELY, statuses};
use super::notes::{Facts, notes};
use super::problem::Json;
use super::views::{DoctorView, JobStatus, Readiness, Status};
use crate::checkup::checkup;
use crate::clock::earlier;
use crate::config::{Plan, SourcePlan};
use crate::model::Role;
use crate::observe::{Configured, JobLevels, Levels, MetricsFormat};
use crate::process::Usage;

/// Longest wait of a probe for secrets that are not in memory.
const SECRETS: Duration = Duration::from_secs(1);

/// How old the look at the store may be that somebody without a token is answered with. Probes come every
/// few seconds; whoever asks in a loop costs four commits a second.
const FRESH: Duration = Duration::from_millis(250);

/// Answers 200 when a delivery could be kept now, 503 when not or when the process stops. Anybody may reach the
/// listener, so names and reasons are shown only for a known token. An unknown token counts as none: a probe with a
/// token that was rotated must not take the process out of service.
///
/// A look at the store is a commit. So those who have no token share one: it is [`FRESH`] at most.
pub(super) async fn ready(
    State(admin): State<Admin>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    if has_known_token(&admin, &extensions, &headers).await {
        let status = look(&admin).await;
        return (code(status.ready), Json(status)).into_response();
    }
    ready_for_anybody(State(admin)).await
}

/// The answer to those who have no token, whatever they send.
pub(super) async fn ready_for_anybody(State(admin): State<Admin>) -> Response {
    let mut last = admin.health.0.readiness.lock().await;
    let readiness = match last.take() {
        Some((at, readiness)) if at.elapsed() < FRESH => (at, readiness),
        _ => {
            let readiness = Readiness::from(&look(&admin).await);
            (Instant::now(), readiness)
        }
    };
    let now = match admin.stopping.is_cancelled() {
        true => Readiness { ready: false, stopping: true, ..readiness.1 },
        false => readiness.1,
    };
    *last = Some(readiness);
    (code(now.ready), Json(now)).into_response()
}

fn code(ready: bool) -> StatusCode {
    if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// Whether the headers carry a known token. It waits at most `SECRETS`, since a token may come from a
/// program that hangs.
async fn has_known_token(admin: &Admin, extensions: &Extensions, headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION)
        && tokio::time::timeout(SECRETS, known(admin, extensions, headers))
            .await
            .is_ok_and(|known| known.is_ok())
}

/// What was last found for those who have no token.
#[derive(Clone, Default)]
pub struct LastLook(Arc<Looks>);

#[derive(Default)]
struct Looks {
    readiness: Mutex<Option<(Instant, Readiness)>>,
    levels: Mutex<Option<Instant>>,
    doctor: Mutex<()>,
}

/// The text of the metrics. Its gauges of the store are [`FRESH`] at most.
pub(super) async fn metrics(admin: &Admin, format: MetricsFormat) -> String {
    let mut last = admin.health.0.levels.lock().await;
    let levels = match *last {
        Some(at) if at.elapsed() < FRESH => Levels::default(),
        _ => levels(admin).await,
    };
    if levels.counts.is_some() {
        *last = Some(Instant::now());
    }
    drop(last);
    admin.observer.metrics().in_format(&levels, format)
}

pub(super) async fn status(State(admin): State<Admin>) -> Json<Status> {
    Json(look(&admin).await)
}

/// Checks what the configuration in force depends on. One request at a time: each asks every workbench.
pub(super) async fn doctor(State(admin): State<Admin>) -> Json<DoctorView> {
    let _one = admin.health.0.doctor.lock().await;
    let findings = checkup(&admin.live).await;
    let good = findings.iter().all(|finding| finding.good);
    Json(DoctorView { good, findings })
}

async fn look(admin: &Admin) -> Status {
    let now = admin.clock.now();
    let kept = admin.store.probe(now).await;
    let dispatches = admin.role.dispatches();
    // An ingest process starts no runs, and its database user may not read every column of the pauses.
    let (pauses, jobs) = match dispatches {
        true => (admin.store.pauses().await.unwrap_or_default(), jobs(admin, now).await),
        false => (Vec::new(), Vec::new()),
    };
    let counts = admin.store.counts().await.unwrap_or_default();
    let stopping = admin.stopping.is_cancelled();
    let facts = Facts {
        now,
        stopping,
        store: kept.as_ref().err(),
        counts,
        held_too_long: held_too_long(admin).await,
        pauses: &pauses,
        breakers: &admin.dispatcher.open_circuits(),
        jobs: &jobs,
        plan: &admin.live.plan(),
        clocks_ahead: &admin.dispatcher.clocks_ahead(),
        without_keys: &admin.issuers.without_keys(),
        deaf: deaf_sources(admin).await,
        no_token: no_token(admin).await,
        config_faults: admin.live.faults(),
        tolerated: admin.live.tolerated(),
    };
    Status {
        ready: kept.is_ok() && !stopping,
        stopping,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config: facts.plan.version.to_string(),
        config_faults: facts.config_faults,
        now,
        notes: notes(&facts),
        queued: counts.queued,
        sending: counts.sending,
        held: counts.held,
        held_too_long: facts.held_too_long,
        failed_lately: jobs.iter().map(|job| job.failed_lately).sum(),
        jobs: jobs.into_iter().filter(JobStatus::has_something).collect(),
    }
}

/// The jobs with their runs; a job that the configuration no longer has is last.
pub(super) async fn jobs(admin: &Admin, now: Timestamp) -> Vec<JobStatus> {
    let plan = admin.live.plan();
    let queue = admin.store.queue().await.unwrap_or_default();
    let failures = admin.store.failed_since(earlier(now, LATELY)).await.unwrap_or_default();
    let mut jobs = statuses(&plan, &queue, &failures, now);
    for job in &mut jobs {
        let known = plan.jobs.get(job.job.as_str());
        job.waits_for = known.and_then(|job| admin.dispatcher.waits_for(job, None));
        if let (Some(end), Some(known)) = (job.expected_end, known) {
            let late = admin.store.late(Arc::clone(&known.name), end).await;
            job.expected_late = late.unwrap_or_default();
        }
    }
    jobs
}

/// A note where admin tokens are configured, and none of them can be used: the API is closed.
async fn no_token(admin: &Admin) -> Option<String> {
    let plan = admin.live.plan();
    let tokens = &plan.server.admin_tokens;
    if tokens.is_empty() || admin.role == Role::Ingest {
        return None;
    }
    let mut why = Vec::new();
    for (name, reference) in tokens {
        let read = tokio::time::timeout(SECRETS, admin.live.secrets().resolve(reference)).await;
        match read {
            Ok(Ok(_)) => return None,
            Ok(Err(fault)) => why.push(format!("{name}: {fault}")),
            Err(_) => why.push(format!("{name}: it takes its time")),
        }
    }
    Some(format!("no admin token can be read, so the API is closed: {}", why.join("; ")))
}

/// A note for each source that can receive nothing because its secrets cannot be read, or not in time. It
/// waits at most `SECRETS`, since a secret may come from a program that hangs.
async fn deaf_sources(admin: &Admin) -> Vec<String> {
    let plan = admin.live.plan();
    let open = |source: &&Arc<SourcePlan>| source.unauthenticated || source.options.learn_secret;
    let sources = plan.sources.values().filter(|source| !open(source));
    let mut silent: BTreeSet<Arc<str>> =
        sources.clone().map(|source| source.name.clone()).collect();
    let mut looking = JoinSet::new();
    for source in sources {
        let (live, source) = (Arc::clone(&admin.live), Arc::clone(source));
        looking.spawn(async move { (live.source_secrets(&source).await.err(), source) });
    }
    let mut deaf = Vec::new();
    let looked = async {
        while let Some(Ok((fault, source))) = looking.join_next().await {
            silent.remove(&source.name);
            let note = |fault| format!("source {} can receive nothing: {fault}", source.name);
            deaf.extend(fault.map(note));
        }
    };
    // Sources whose secrets were not read in time remain in `silent`.
    let _ = tokio::time::timeout(SECRETS, looked).await;
    let late = |name| format!("source {name} can receive nothing yet: its secrets take their time");
    deaf.extend(silent.into_iter().map(late));
    deaf.sort();
    deaf
}

async fn held_too_long(admin: &Admin) -> u64 {
    let before = earlier(admin.clock.now(), admin.live.plan().server.hold_alert);
    admin.store.held_since(before).await.unwrap_or_default()
}

/// The gauges of runs, pauses, circuit breakers and clocks, read when somebody asks for the metrics.
async fn levels(admin: &Admin) -> Levels {
    let now = admin.clock.now();
    let counts = admin.store.counts().await.ok();
    let process = tokio::task::spawn_blocking(Usage::now).await.ok();
    let issuers_without_keys = Some(admin.issuers.without_keys().len());
    let plan = admin.live.plan();
    let configured = Some(configured(&plan, admin.role));
    let levels =
        Levels { now, configured, counts, process, issuers_without_keys, ..Levels::default() };
    if !admin.role.dispatches() {
        return levels;
    }
    let open = admin.dispatcher.open_circuits();
    let is_open = |name: &str| open.iter().any(|resting| resting.workbench == name);
    let pauses = admin.store.pauses().await.unwrap_or_default();
    let pauses = pauses.iter().map(|pause| (pause.what.kind(), pause.what.name().to_owned()));
    let known = |job: &JobStatus| plan.jobs.contains_key(job.job.as_str());
    Levels {
        held_too_long: Some(held_too_long(admin).await),
        paused: Some(pauses.collect()),
        breakers: plan.workbenches.keys().map(|name| (Arc::clone(name), is_open(name))).collect(),
        clocks_ahead: admin.dispatcher.clocks_ahead().into_iter().collect(),
        jobs: Some(
            jobs(admin, now).await.iter().filter(|job| known(job)).map(JobLevels::from).collect(),
        ),
        ..levels
    }
}

/// The names that have series at 0 before anything has happened to them.
fn configured(plan: &Plan, role: Role) -> Configured {
    let secrets = |source: &Arc<SourcePlan>| (Arc::clone(&source.name), source.secrets.len());
    let keys = plan.workbenches.iter().flat_map(|(workbench, known)| {
        known.api_keys.keys().map(move |key| format!("{workbench}/{key}"))
    });
    Configured {
        role,
        version: Arc::clone(&plan.version),
        sources: plan.sources.values().map(secrets).collect(),
        routes: plan.routes.iter().map(|route| Arc::clone(&route.name)).collect(),
        jobs: plan.jobs.keys().cloned().collect(),
        workbenches: plan.workbenches.keys().cloned().collect(),
        keys: keys.collect(),
    }
}
