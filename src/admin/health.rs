//! Readiness, the status with notes for people, and the gauges of the metrics.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, StatusCode};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Admin;
use super::auth::known;
use super::problem::Json;
use super::views::{Readiness, Status};
use crate::clock::earlier;
use crate::config::SourcePlan;
use crate::observe::Levels;
use crate::store::Pausable;

/// Longest wait of a probe for secrets that are not in memory.
const SECRETS: Duration = Duration::from_secs(1);

/// How old the look at the store may be that somebody without a token is answered with. Probes come every
/// few seconds; whoever asks in a loop costs four commits a second.
const FRESH: Duration = Duration::from_millis(250);

/// Answers 200 when a delivery could be kept now, 503 when not. Anybody may reach the listener, so names
/// and reasons are shown only for a known token. An unknown token counts as none: a probe with a token
/// that was rotated must not take the process out of service.
///
/// A look at the store is a commit. So those who have no token share one: it is [`FRESH`] at most.
pub(super) async fn ready(
    State(admin): State<Admin>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    let code = |ready| if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    if has_known_token(&admin, &extensions, &headers).await {
        let status = look(&admin).await;
        return (code(status.ready), Json(status)).into_response();
    }
    let mut last = admin.health.0.readiness.lock().await;
    let readiness = match last.take() {
        Some((at, readiness)) if at.elapsed() < FRESH => (at, readiness),
        _ => {
            let readiness = Readiness::from(&look(&admin).await);
            (Instant::now(), readiness)
        }
    };
    let answer = (code(readiness.1.ready), Json(&readiness.1)).into_response();
    *last = Some(readiness);
    answer
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
}

/// The text of the metrics. Its gauges of the store are [`FRESH`] at most.
pub(super) async fn metrics(admin: &Admin) -> String {
    let mut last = admin.health.0.levels.lock().await;
    let levels = match *last {
        Some(at) if at.elapsed() < FRESH => Levels::default(),
        _ => levels(admin).await,
    };
    if levels.counts.is_some() {
        *last = Some(Instant::now());
    }
    drop(last);
    admin.observer.metrics().text(&levels)
}

pub(super) async fn status(State(admin): State<Admin>) -> Json<Status> {
    Json(look(&admin).await)
}

async fn look(admin: &Admin) -> Status {
    let now = admin.clock.now();
    let mut notes = Vec::new();
    let kept = admin.store.probe(now).await;
    if let Err(fault) = &kept {
        notes.push(fault.to_string());
    }
    let counts = admin.store.counts().await.unwrap_or_default();
    if counts.held > 0 {
        notes.push(format!(
            "{} runs are held and wait for a person (runs list --state held)",
            counts.held
        ));
    }
    let held_too_long = held_too_long(admin).await;
    if held_too_long > 0 {
        notes.push(format!("{held_too_long} runs have been held for too long (server.hold_alert)"));
    }
    // An ingest process starts no runs, and its database user may not read every column of the pauses.
    let pauses = match admin.role.dispatches() {
        true => admin.store.pauses().await.unwrap_or_default(),
        false => Vec::new(),
    };
    for pause in pauses {
        notes.push(match &pause.what {
            Pausable::Key(name) => format!(
                "API key {name} has been paused since {}: {}; its runs wait until the key changes \
                 (keys resume {name})",
                pause.since,
                pause.note.as_deref().unwrap_or("paused")
            ),
            what => format!("{what} has been paused since {} by {}", pause.since, pause.who),
        });
    }
    for resting in admin.dispatcher.open_circuits() {
        notes.push(match resting.until {
            Some(until) => format!(
                "starts on workbench {} kept failing, so its circuit breaker is open until {until}; \
                 deliveries are kept",
                resting.workbench
            ),
            None => format!(
                "the circuit breaker of workbench {} is half-open: one start at a time is tried",
                resting.workbench
            ),
        });
    }
    notes.extend(deaf_sources(admin).await);
    let config_faults = admin.live.faults();
    if config_faults > 0 {
        notes.push(format!(
            "the configuration files have {config_faults} faults and are not all in force (see the \
             log, or `cdsw-gateway check`)"
        ));
    }
    let tolerated = admin.live.tolerated();
    if tolerated > 0 {
        notes.push(format!(
            "the configuration has {tolerated} settings that only this version accepts; \
             `cdsw-gateway check` refuses them and says what to change"
        ));
    }
    Status {
        ready: kept.is_ok(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config: admin.live.plan().version.to_string(),
        config_faults,
        now,
        notes,
        queued: counts.queued,
        sending: counts.sending,
        held: counts.held,
        held_too_long,
    }
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

/// The gauges of runs, pauses and circuit breakers, read when somebody asks for the metrics.
async fn levels(admin: &Admin) -> Levels {
    let counts = admin.store.counts().await.ok();
    let levels = Levels { now: admin.clock.now(), counts, ..Levels::default() };
    if !admin.role.dispatches() {
        return levels;
    }
    let open = admin.dispatcher.open_circuits();
    let is_open = |name: &str| open.iter().any(|resting| resting.workbench == name);
    let plan = admin.live.plan();
    Levels {
        held_too_long: Some(held_too_long(admin).await),
        paused: Some(admin.store.pauses().await.unwrap_or_default().len()),
        breakers: plan.workbenches.keys().map(|name| (Arc::clone(name), is_open(name))).collect(),
        ..levels
    }
}
