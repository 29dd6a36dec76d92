//! Lists of what the configuration in force has. Read only.

use axum::extract::State;

use super::Admin;
use super::health::jobs as job_statuses;
use super::inventory::Seen;
use super::jobs::LATELY;
use super::problem::{Json, Problem};
use super::secrets::secrets_of;
use super::views::{
    JobsView, KeysView, LastRefusal, RoutesView, SourceView, SourcesView, WorkbenchesView,
};
use crate::clock::earlier;

/// Entries of the audit log that are searched for refusals of keys.
const AUDITED: usize = 1000;

pub(super) async fn jobs(State(admin): State<Admin>) -> Result<Json<JobsView>, Problem> {
    let (plan, now) = (admin.live.plan(), admin.clock.now());
    let since = earlier(now, LATELY);
    let lately = admin.store.lately(since).await?;
    let statuses = job_statuses(&admin, now).await;
    let seen = Seen { plan: &plan, lately: &lately, since };
    let jobs = seen.jobs(&statuses, |job| admin.dispatcher.waits_for(job, None));
    Ok(Json(JobsView { lately: seen.of_runs(), jobs }))
}

pub(super) async fn routes(State(admin): State<Admin>) -> Result<Json<RoutesView>, Problem> {
    let plan = admin.live.plan();
    let since = earlier(admin.clock.now(), LATELY);
    let lately = admin.store.lately(since).await?;
    let seen = Seen { plan: &plan, lately: &lately, since };
    let routes = seen.routes(|route| admin.dispatcher.waits_for(&route.job, Some(&route.name)));
    Ok(Json(RoutesView { lately: seen.of_runs(), routes }))
}

pub(super) async fn sources(State(admin): State<Admin>) -> Result<Json<SourcesView>, Problem> {
    let plan = admin.live.plan();
    let since = earlier(admin.clock.now(), LATELY);
    let lately = admin.store.lately(since).await?;
    let seen = Seen { plan: &plan, lately: &lately, since };
    let sources = plan.sources.values().map(|source| {
        let received = lately.sources.iter().find(|lately| *lately.source == *source.name);
        let refused = admin.refusals.of(Some(&source.name)).into_iter().next();
        SourceView {
            name: source.name.to_string(),
            provider: source.provider.name().to_owned(),
            path: format!("{}/hooks/{}", plan.server.path_prefix, source.name),
            routes: seen.routes_where(|route| route.sources.contains(&source.name)),
            deliveries: received.map_or(0, |received| received.deliveries),
            last_delivery: received.map(|received| received.last),
            last_refusal: refused.map(|refused| LastRefusal {
                at: refused.at,
                status: refused.status,
                reason: refused.reason.to_owned(),
            }),
            secrets: secrets_of(&admin, source),
        }
    });
    Ok(Json(SourcesView {
        lately: seen.of_deliveries(),
        process_since: admin.proofs.began(),
        sources: sources.collect(),
    }))
}

pub(super) async fn keys(State(admin): State<Admin>) -> Result<Json<KeysView>, Problem> {
    let plan = admin.live.plan();
    let since = earlier(admin.clock.now(), LATELY);
    let lately = admin.store.lately(since).await?;
    let pauses = admin.store.pauses().await?;
    let audit = admin.store.audit(None, AUDITED).await?;
    let seen = Seen { plan: &plan, lately: &lately, since };
    Ok(Json(KeysView { lately: seen.of_runs(), keys: seen.keys(&pauses, &audit) }))
}

pub(super) async fn workbenches(
    State(admin): State<Admin>,
) -> Result<Json<WorkbenchesView>, Problem> {
    let plan = admin.live.plan();
    let since = earlier(admin.clock.now(), LATELY);
    let lately = admin.store.lately(since).await?;
    let pauses = admin.store.pauses().await?;
    let seen = Seen { plan: &plan, lately: &lately, since };
    let workbenches = seen.workbenches(&pauses, &admin.dispatcher.open_circuits());
    Ok(Json(WorkbenchesView { lately: seen.of_runs(), workbenches }))
}
