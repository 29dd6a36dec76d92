//! The admin listener: health, metrics, and the API that the command line and other tools use. None of it
//! is served on the public listener.
//!
//! Health and metrics need no token, and may have a listener of their own beside this one. Everything under `/api`
//! needs one of the configured admin tokens, and the audit log records the token's name with each act.

mod acts;
mod auth;
mod code;
mod guard;
mod guesses;
mod health;
mod hosts;
mod inventory;
mod jobs;
mod lists;
mod lookups;
mod notes;
mod pauses;
mod problem;
mod secrets;
mod tokens;
pub mod views;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{ACCEPT, CONTENT_TYPE, VARY};
use http::{HeaderMap, Method};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Live;
use crate::dispatch::Dispatcher;
use crate::issuers::Issuers;
use crate::model::Role;
use crate::observe::{MetricsFormat, Observer};
use crate::random::Random;
use crate::receive::{Proofs, Refusals};
use crate::serving::{Slowing, Strangers};
use crate::store::Store;

pub use code::{Code, UnknownCode};
pub use health::LastLook;
use problem::Problem;
pub use tokens::{TokenTrace, TokenTraces, watch as watch_tokens};

/// What the handlers of the admin listener share.
#[derive(Clone)]
pub struct Admin {
    /// The role of this process.
    pub role: Role,
    /// The configuration in force.
    pub live: Arc<Live>,
    /// Deliveries, runs, pauses and the audit log.
    pub store: Arc<dyn Store>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Draws the ids of new runs.
    pub random: Arc<dyn Random>,
    /// Records in the log and the metrics what people do.
    pub observer: Arc<Observer>,
    /// The latest refused requests of each source.
    pub refusals: Arc<Refusals>,
    /// How often each secret has verified a delivery.
    pub proofs: Arc<Proofs>,
    /// The keys that senders publish.
    pub issuers: Arc<Issuers>,
    /// Starts runs. It is woken when a person's command queues one.
    pub dispatcher: Arc<Dispatcher>,
    /// Wrong tokens by address.
    pub guesses: WrongTokens,
    /// Uses and changes of the tokens.
    pub tokens: Arc<TokenTraces>,
    /// Refusals by address.
    pub slowing: Arc<Slowing>,
    /// Requests without a token that are refused.
    pub strangers: Arc<Strangers>,
    /// What was last found when somebody asked for the health.
    pub health: LastLook,
    /// Cancelled once the process was told to stop.
    pub stopping: CancellationToken,
}

/// The wrong admin tokens that each address has sent lately.
#[derive(Clone, Default)]
pub struct WrongTokens(Arc<Mutex<guesses::Guesses>>);

/// The routes of the admin listener.
pub fn router(admin: Admin) -> Router {
    let api = if admin.role.dispatches() { whole() } else { of_ingest() };
    let api = api
        .route("/reload", post(acts::reload))
        .route("/refusals", get(lookups::all_refusals))
        .route("/refusals/{source}", get(lookups::refusals))
        .route("/secrets", get(secrets::secrets))
        .route("/status", get(health::status))
        .route_layer(axum::middleware::from_fn_with_state(admin.clone(), auth::check));
    Router::new()
        .nest("/api", api)
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics))
        .fallback(|| async {
            let what = "there is nothing here; see /livez, /readyz, /metrics and /api";
            Problem::new(Code::NoSuchPath, what)
        })
        .method_not_allowed_fallback(|method: Method| async move {
            Problem::new(Code::MethodNotAllowed, format!("this does not take {method}"))
        })
        .layer(axum::middleware::from_fn_with_state(admin.clone(), guard::guard))
        .with_state(admin)
}

/// The API on deliveries, runs, pauses and the audit log, in a process with role `ingest`. That process
/// faces the internet, so it refuses every such request.
fn of_ingest() -> Router<Admin> {
    Router::new().fallback(|| async {
        let why = "this process only receives (role ingest); ask one that dispatches";
        Problem::new(Code::ForbiddenRole, why)
    })
}

fn whole() -> Router<Admin> {
    Router::new()
        .route("/deliveries", get(lookups::deliveries))
        .route("/deliveries/{id}", get(lookups::delivery))
        .route("/deliveries/{id}/body", get(lookups::body))
        .route("/deliveries/{id}/explain", get(acts::explain))
        .route("/deliveries/{id}/replay", post(acts::replay))
        .route("/deliveries/{id}/erase", post(acts::erase))
        .route("/runs", get(lookups::runs))
        .route("/runs/{id}", get(lookups::run))
        .route("/runs/{id}/release", post(acts::release))
        .route("/runs/{id}/cancel", post(acts::cancel))
        .route("/jobs", get(lists::jobs))
        .route("/routes", get(lists::routes))
        .route("/sources", get(lists::sources))
        .route("/keys", get(lists::keys))
        .route("/workbenches", get(lists::workbenches))
        .route("/pauses", get(pauses::list))
        .route("/pause", post(pauses::pause))
        .route("/resume", post(pauses::resume))
        .route("/workbenches/{name}/resume", post(pauses::try_workbench))
        .route("/audit", get(pauses::audit))
        .route("/doctor", get(health::doctor))
}

/// The routes of the health listener: health, and metrics by choice. Nothing there takes a token.
pub fn health_router(admin: Admin, with_metrics: bool) -> Router {
    let paths = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(health::ready_for_anybody));
    let (paths, there) = match with_metrics {
        true => (paths.route("/metrics", get(metrics)), "/livez, /readyz and /metrics"),
        false => (paths, "/livez and /readyz"),
    };
    paths
        .fallback(move || async move {
            Problem::new(Code::NoSuchPath, format!("there is nothing here; see {there}"))
        })
        .method_not_allowed_fallback(|method: Method| async move {
            Problem::new(Code::MethodNotAllowed, format!("this does not take {method}"))
        })
        .layer(axum::middleware::from_fn_with_state(admin.clone(), guard::guard_health))
        .with_state(admin)
}

async fn metrics(State(admin): State<Admin>, headers: HeaderMap) -> Response {
    // A list may be spread over several lines (RFC 9110, 5.3).
    let accept: Vec<&str> =
        headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok()).collect();
    let format = MetricsFormat::accepted(Some(&accept.join(",")));
    let text = health::metrics(&admin, format).await;
    ([(CONTENT_TYPE, format.media_type()), (VARY, "Accept")], text).into_response()
}
