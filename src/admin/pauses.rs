//! Pausing and resuming: every start, a job, a route, an API key. And the audit log.

use axum::Extension;
use axum::extract::State;
use serde::Deserialize;

use super::Admin;
use super::acts::act;
use super::auth::Who;
use super::problem::{Json, Path, Problem, Query};
use super::views::{AuditEntry, AuditView, NoteAsk, PauseAsk, PausesView, ResumeAsk, Resumed};
use crate::config::JobPlan;
use crate::dispatch::backlog;
use crate::observe::Observation;
use crate::store::Pausable;

/// Rows of the audit log when the request gives no `limit`.
const ROWS: usize = 50;

pub(super) async fn list(State(admin): State<Admin>) -> Result<Json<PausesView>, Problem> {
    Ok(Json(PausesView::new(admin.store.pauses().await?, admin.dispatcher.open_circuits())))
}

pub(super) async fn pause(
    State(admin): State<Admin>,
    Extension(who): Extension<Who>,
    Json(ask): Json<PauseAsk>,
) -> Result<Json<PausesView>, Problem> {
    let what = ask.what.into();
    known(&admin, &what)?;
    let act = act(who, admin.clock.now(), ask.note)?;
    let who = act.who.clone();
    admin.store.pause(what.clone(), None, act).await?;
    admin.observer.tell(Observation::Paused { what: &what, who: &who });
    admin.dispatcher.look_again();
    list(State(admin)).await
}

pub(super) async fn resume(
    State(admin): State<Admin>,
    Extension(who): Extension<Who>,
    Json(ask): Json<ResumeAsk>,
) -> Result<Json<Resumed>, Problem> {
    let now = admin.clock.now();
    let plan = admin.live.plan();
    let what: Pausable = ask.what.into();
    // What the configuration no longer has may still be paused.
    if !admin.store.pauses().await?.iter().any(|pause| pause.what == what) {
        known(&admin, &what)?;
    }
    let jobs = plan.jobs.values().filter(|job| concerns(&what, job));
    let backlogs = jobs.map(backlog).collect();
    let act = act(who, now, ask.note)?;
    let who = act.who.clone();
    let resumed = admin.store.resume(what.clone(), backlogs, act).await?;
    if resumed {
        admin.observer.tell(Observation::Resumed { what: &what, who: &who });
    }
    admin.dispatcher.look_again();
    Ok(Json(Resumed::new(resumed)))
}

/// Ends the wait of a workbench's open circuit breaker: one start is tried now.
pub(super) async fn try_workbench(
    State(admin): State<Admin>,
    Extension(who): Extension<Who>,
    Path(name): Path<String>,
    Json(ask): Json<NoteAsk>,
) -> Result<Json<Resumed>, Problem> {
    let plan = admin.live.plan();
    let Some((name, _)) = plan.workbenches.get_key_value(name.as_str()) else {
        return Err(Problem::no(format_args!("workbench {name}")));
    };
    let act = act(who, admin.clock.now(), ask.note)?;
    let who = act.who.clone();
    let was_open = admin.dispatcher.try_workbench(name).await?;
    if was_open {
        let kind = "workbench".to_owned();
        admin.store.note("resume".to_owned(), kind, name.to_string(), act).await?;
        admin.observer.tell(Observation::BreakerResumed { workbench: name, who: &who });
    }
    Ok(Json(Resumed::new(was_open)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    before: Option<u64>,
    limit: Option<usize>,
}

pub(super) async fn audit(
    State(admin): State<Admin>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditView>, Problem> {
    let acts = admin.store.audit(query.before, query.limit.unwrap_or(ROWS)).await?;
    Ok(Json(AuditView { acts: acts.into_iter().map(AuditEntry::from).collect() }))
}

/// Refuses a name that is not configured: pausing it would have no effect, and nobody would notice the
/// typing error.
fn known(admin: &Admin, what: &Pausable) -> Result<(), Problem> {
    let plan = admin.live.plan();
    let is_known = match what {
        Pausable::All => true,
        Pausable::Job(name) => plan.jobs.contains_key(name.as_str()),
        Pausable::Route(name) => plan.routes.iter().any(|route| *route.name == **name),
        Pausable::Key(name) => name.split_once('/').is_some_and(|(workbench, key)| {
            plan.workbenches.get(workbench).is_some_and(|plan| plan.api_keys.contains_key(key))
        }),
    };
    if is_known {
        return Ok(());
    }
    Err(Problem::no(what))
}

/// Whether resuming this applies the job's `on_resume` to its waiting runs. Resuming a route does not:
/// its runs are started in order, since their job was not paused.
fn concerns(what: &Pausable, job: &JobPlan) -> bool {
    match what {
        Pausable::All => true,
        Pausable::Job(name) => *job.name == **name,
        Pausable::Route(_) => false,
        Pausable::Key(name) => *name == format!("{}/{}", job.workbench.name, job.api_key),
    }
}
