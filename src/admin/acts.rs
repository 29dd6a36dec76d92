//! Commands: explain a kept delivery by the current routes, replay it, release or cancel a run, reload
//! the configuration.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;

use super::auth::Who;
use super::lookups::{delivery_id, find_delivery, run_id, whole};
use super::problem::{Json, Path, Problem};
use super::views::{
    EraseView, ExplainView, KeptRun, NoteAsk, ReleaseAsk, ReleaseWord, ReloadView, ReplayAsk,
    ReplayView, ReplayedView, RunView, WouldRun,
};
use super::{Admin, Code};
use crate::clock::later;
use crate::config::{Plan, came_to};
use crate::dispatch::{Writer, asked};
use crate::judge::{Draft, Judged};
use crate::matching::Words;
use crate::model::{RunState, counted};
use crate::observe::{Observation, RunAt};
use crate::replay::{new_run, rejudge};
use crate::store::{Act, Delivery, Erasure, Release, ReplayRequest, Run, RunBrief};

/// Longest note on an act, in bytes. A longer one is refused.
const NOTE: usize = 500;
/// Longest engine id that a person may give, in bytes.
const ENGINE_ID: usize = 256;

pub(super) async fn explain(
    State(admin): State<Admin>,
    Path(id): Path<String>,
) -> Result<Json<ExplainView>, Problem> {
    let delivery = find_delivery(&admin, &id, whole(&admin)).await?;
    let judged = judge_again(&admin, &delivery)?;
    Ok(Json(ExplainView {
        delivery: delivery.summary.id,
        runs: judged.runs.iter().map(|draft| WouldRun::of(draft, kept(draft, &delivery))).collect(),
        explanation: (&judged.explanation).into(),
    }))
}

pub(super) async fn replay(
    State(admin): State<Admin>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
    Json(ask): Json<ReplayAsk>,
) -> Result<Json<ReplayView>, Problem> {
    let delivery = find_delivery(&admin, &id, whole(&admin)).await?;
    let judged = judge_again(&admin, &delivery)?;
    let now = admin.clock.now();
    let wanted =
        |draft: &&Draft| ask.route.as_deref().is_none_or(|route| *draft.route.name == *route);
    let runs: Vec<_> = judged
        .runs
        .iter()
        .filter(wanted)
        .map(|draft| new_run(draft, now, &*admin.random))
        .collect();
    if let (Some(route), true) = (&ask.route, runs.is_empty()) {
        let why = judged.explanation.routes.iter().find(|explained| *explained.route == **route);
        let words = match why {
            Some(explained) => format!(
                "route {route} does not match this delivery: {}: {}",
                explained.test.as_deref().unwrap_or("?"),
                explained.words.as_ref().unwrap_or(&Words::Fixed(""))
            ),
            None => format!("source {} has no route {route}", delivery.summary.source),
        };
        return Err(Problem::new(Code::NotMatched, words));
    }
    let act = act(who, now, ask.note)?;
    let who = act.who.clone();
    let jobs: HashMap<Arc<str>, Arc<str>> =
        runs.iter().map(|run| (Arc::clone(&run.route), Arc::clone(&run.job))).collect();
    let order = ReplayRequest { delivery: delivery.summary.id, runs, again: ask.again, act };
    let replayed = admin.store.replay(order).await?;
    for run in &replayed.runs {
        admin.observer.tell(Observation::RunReplayed {
            run: run.id,
            delivery: delivery.summary.id,
            route: &run.route,
            job: jobs.get(run.route.as_str()).map_or("", |job| job),
            what: run.what,
            state: run.state,
            who: &who,
        });
    }
    admin.dispatcher.wake();
    let runs = replayed.runs.into_iter().map(ReplayedView::from).collect();
    Ok(Json(ReplayView { delivery: delivery.summary.id, runs }))
}

/// Erases the content of a delivery, and cancels its runs that are not sent yet.
pub(super) async fn erase(
    State(admin): State<Admin>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
    Json(ask): Json<NoteAsk>,
) -> Result<Json<EraseView>, Problem> {
    let delivery = delivery_id(&admin, &id).await?;
    let act = act(who, admin.clock.now(), ask.note)?;
    let who = act.who.clone();
    let Erasure { cancelled, left } = admin.store.erase(delivery, act).await?;
    let count = cancelled.len();
    admin.observer.tell(Observation::DeliveryErased { delivery, cancelled: count, who: &who });
    Ok(Json(EraseView { delivery, cancelled, left }))
}

pub(super) async fn release(
    State(admin): State<Admin>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
    Json(ask): Json<ReleaseAsk>,
) -> Result<Json<RunView>, Problem> {
    let id = run_id(&admin, &id).await?;
    let now = admin.clock.now();
    let release = match (ask.what, ask.engine_id) {
        (ReleaseWord::Retry, None) => {
            let found = admin.store.run(id).await?;
            let run = found.ok_or_else(|| Problem::no(format_args!("run {id}")))?;
            let plan = admin.live.plan();
            let job = plan.jobs.get(run.brief.job.as_str()).ok_or_else(|| {
                let why = format!("job {} is no longer configured", run.brief.job);
                Problem::new(Code::JobNotConfigured, why)
            })?;
            would_be_sent(&admin, &plan, &run)?;
            Release::Retry { deadline: later(now, job.deadline) }
        }
        (ReleaseWord::Started, Some(engine_id)) if usable(&engine_id) => {
            Release::Started { engine_id }
        }
        (ReleaseWord::Started, _) => {
            return Err(Problem::bad(
                "say which engine runs it: engine_id, as the workbench shows it",
            ));
        }
        (ReleaseWord::Fail, None) => Release::Fail,
        (_, Some(_)) => return Err(Problem::bad("an engine_id goes with `started` alone")),
    };
    let word = match &release {
        Release::Retry { .. } => "release --retry",
        Release::Started { .. } => "release --started",
        Release::Fail => "release --fail",
    };
    let act = act(who, now, ask.note)?;
    let who = act.who.clone();
    let run = admin.store.release(id, release, act).await?;
    tell_settled(&admin, &run, word, &who);
    admin.dispatcher.wake();
    Ok(Json(run.into()))
}

/// Refuses to release a held run that would be held again, since the configuration does not ask for it.
fn would_be_sent(admin: &Admin, plan: &Plan, run: &Run) -> Result<(), Problem> {
    let (Some(environment), RunState::Held) = (&run.environment, run.brief.state) else {
        return Ok(());
    };
    let writer = Writer::beside(admin.role);
    asked(plan, writer, &run.brief.route, &run.brief.job, environment)
        .map_err(|why| Problem::new(Code::NotAsked, why.with_advice()))
}

pub(super) async fn cancel(
    State(admin): State<Admin>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
    Json(ask): Json<NoteAsk>,
) -> Result<Json<RunView>, Problem> {
    let id = run_id(&admin, &id).await?;
    let act = act(who, admin.clock.now(), ask.note)?;
    let who = act.who.clone();
    let run = admin.store.cancel(id, act).await?;
    tell_settled(&admin, &run, "cancel", &who);
    Ok(Json(run.into()))
}

fn tell_settled(admin: &Admin, run: &Run, act: &'static str, who: &str) {
    let state = run.brief.state;
    admin.observer.tell(Observation::RunSettled { at: RunAt::of(run), act, state, who });
}

/// Reads the configuration files again, and records the result in the audit log.
pub(super) async fn reload(
    State(admin): State<Admin>,
    Extension(who): Extension<Who>,
    Json(ask): Json<NoteAsk>,
) -> Result<Json<ReloadView>, Problem> {
    let mut act = act(who, admin.clock.now(), ask.note)?;
    let live = Arc::clone(&admin.live);
    let reloaded = tokio::task::spawn_blocking(move || live.reload())
        .await
        .map_err(|stopped| Problem::new(Code::Internal, stopped.to_string()))?;
    let found = admin.live.last_report();
    admin.observer.tell(Observation::reloaded(&reloaded, &found, admin.clock.now()));
    let words = came_to(&reloaded);
    act.note = Some(act.note.map_or(words.clone(), |note| format!("{words}; {note}")));
    let version = admin.live.plan().version.to_string();
    admin.store.note("reload".to_owned(), "configuration".to_owned(), version.clone(), act).await?;
    admin.dispatcher.look_again();
    admin.issuers.look_again();
    if admin.role.dispatches() && reloaded.is_ok() {
        let (files, names) = (admin.live.route_files(), admin.live.route_file_names());
        if let Err(fault) = admin.store.keep_route_files(files, names, admin.clock.now()).await {
            admin.observer.tell(Observation::store_fault("route_files", &fault));
        }
    }
    let change = reloaded.map_err(|report| {
        let words = format!(
            "gateway.yaml has {} and nothing was changed; `cdsw-gateway check` shows them",
            counted(report.faults.len() as u64, "fault")
        );
        Problem::new(Code::ConfigFaulty, words)
    })?;
    Ok(Json(ReloadView { version, outcome: change.to_string() }))
}

fn usable(engine_id: &str) -> bool {
    !engine_id.trim().is_empty()
        && engine_id.len() <= ENGINE_ID
        && !engine_id.chars().any(char::is_control)
}

pub(super) fn act(who: Who, at: jiff::Timestamp, note: Option<String>) -> Result<Act, Problem> {
    if note.as_ref().is_some_and(|note| note.len() > NOTE) {
        return Err(Problem::bad(format!("a note may have {NOTE} bytes at most")));
    }
    Ok(Act { who: who.name, at, origin: who.origin, note })
}

fn judge_again(admin: &Admin, delivery: &Delivery) -> Result<Judged, Problem> {
    rejudge(&admin.live.plan(), delivery).map_err(|why| Problem::new(Code::NotReplayable, why))
}

/// The newest run that the delivery already has for this route and event.
fn kept(draft: &Draft, delivery: &Delivery) -> Option<KeptRun> {
    let of_route = |run: &&RunBrief| run.route == *draft.route.name && run.part == draft.part;
    let runs = delivery.runs.iter().map(|run| &run.brief);
    runs.filter(of_route).max_by_key(|run| (run.accepted_at, run.id)).map(KeptRun::from)
}
