//! The control API: it shows requests and runs, and sets faults. It has no authentication, so it belongs
//! on loopback.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

use super::faults::FaultRule;
use super::log::LogEntry;
use super::port::Port;
use super::seed::Seed;
use super::world::{RunRecord, World};

/// What was done, or why it was not.
type Done = Result<StatusCode, (StatusCode, Json<Value>)>;

/// Its routes.
pub(super) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/requests", get(requests))
        .route("/runs", get(runs))
        .route("/faults", get(faults).post(add_faults).delete(clear_faults))
        .route("/seed", post(seed))
        .route("/release", post(release))
        .route("/listening", post(listening))
        .route("/reset", post(reset))
        .with_state(world)
}

/// Serves until told to stop, and then drops requests in flight.
pub(super) async fn serve(port: Port, router: Router, tasks: TaskTracker, stop: CancellationToken) {
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            stream = port.accept() => stream,
        };
        let (router, stop) = (router.clone(), stop.clone());
        tasks.spawn(async move {
            let service = hyper::service::service_fn(move |request| router.clone().call(request));
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                () = stop.cancelled() => {}
                // An error on a connection is of no interest here: the client sees it.
                _ = connection => {}
            }
        });
    }
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

async fn faults(State(world): State<Arc<World>>) -> Json<Vec<FaultRule>> {
    Json(world.faults())
}

/// Adds one rule or a list of rules. Where one is faulty, none is added.
async fn add_faults(State(world): State<Arc<World>>, Json(rules): Json<Value>) -> Done {
    let rules = if rules.is_array() { rules } else { Value::Array(vec![rules]) };
    let rules: Vec<FaultRule> =
        serde_json::from_value(rules).map_err(|error| refused(&error.to_string()))?;
    if let Some(problem) = rules.iter().find_map(FaultRule::problem) {
        return Err(refused(&problem));
    }
    rules.into_iter().for_each(|rule| world.add_fault(rule));
    Ok(StatusCode::NO_CONTENT)
}

async fn clear_faults(State(world): State<Arc<World>>) -> StatusCode {
    world.clear_faults();
    StatusCode::NO_CONTENT
}

async fn seed(State(world): State<Arc<World>>, Json(seed): Json<Value>) -> Done {
    let seed: Seed = serde_json::from_value(seed).map_err(|error| refused(&error.to_string()))?;
    world.seed(seed);
    Ok(StatusCode::NO_CONTENT)
}

async fn release(State(world): State<Arc<World>>) -> StatusCode {
    world.release();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listening {
    open: bool,
}

/// Closes or opens the job API's port, and answers once that is done.
async fn listening(State(world): State<Arc<World>>, Json(wanted): Json<Listening>) -> StatusCode {
    world.listen(wanted.open).await;
    StatusCode::NO_CONTENT
}

async fn reset(State(world): State<Arc<World>>) -> StatusCode {
    world.reset();
    StatusCode::NO_CONTENT
}

fn refused(why: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::BAD_REQUEST, Json(serde_json::json!({ "message": why })))
}
