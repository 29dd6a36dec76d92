//! The control API: what was asked, what was started, and what is to go wrong next.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;

use super::faults::FaultRule;
use super::world::{LogEntry, RunRecord, SimulatedJob, SimulatedProject, SimulatedUser, World};

/// Its routes.
pub(super) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/requests", get(requests))
        .route("/runs", get(runs))
        .route("/faults", post(add_faults).delete(clear_faults))
        .route("/seed", post(seed))
        .route("/release", post(release))
        .route("/reset", post(reset))
        .with_state(world)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn requests(
    State(world): State<Arc<World>>,
    Query(query): Query<After>,
) -> Json<Vec<LogEntry>> {
    Json(world.requests_after(query.after))
}

async fn runs(State(world): State<Arc<World>>) -> Json<Vec<RunRecord>> {
    Json(world.runs())
}

async fn add_faults(
    State(world): State<Arc<World>>,
    Json(rules): Json<Vec<FaultRule>>,
) -> StatusCode {
    for rule in rules {
        world.add_fault(rule);
    }
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(world): State<Arc<World>>) -> StatusCode {
    world.clear_faults();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    #[serde(default)]
    users: Vec<SeedUser>,
    #[serde(default)]
    projects: Vec<SimulatedProject>,
    #[serde(default)]
    jobs: Vec<SimulatedJob>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedUser {
    name: String,
    key: String,
}

async fn seed(State(world): State<Arc<World>>, Json(seed): Json<Seed>) -> StatusCode {
    let users = seed.users.iter().map(|user| SimulatedUser::new(&user.name, &user.key)).collect();
    world.seed(users, seed.projects, seed.jobs);
    StatusCode::NO_CONTENT
}

async fn release(State(world): State<Arc<World>>) -> StatusCode {
    world.release();
    StatusCode::NO_CONTENT
}

async fn reset(State(world): State<Arc<World>>) -> StatusCode {
    world.reset();
    StatusCode::NO_CONTENT
}
