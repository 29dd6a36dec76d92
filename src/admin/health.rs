//! Is it alive, is it ready, and what should a person look at?

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::Admin;
use super::views::Status;

/// 200 when a delivery could be kept now, 503 when not; the body says why.
pub(super) async fn ready(State(admin): State<Admin>) -> Response {
    let status = look(&admin).await;
    let code = if status.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, axum::Json(status)).into_response()
}

pub(super) async fn status(State(admin): State<Admin>) -> axum::Json<Status> {
    axum::Json(look(&admin).await)
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
    for paused in admin.dispatcher.paused_keys() {
        notes.push(format!(
            "workbench {} refuses API key {} since {}; its runs wait until the key changes",
            paused.workbench, paused.key, paused.since
        ));
    }
    let config_faults = admin.live.faults();
    if config_faults > 0 {
        notes.push(format!(
            "the configuration files have {config_faults} faults and are not all in force (see the \
             log, or `cdsw-gateway check`)"
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
    }
}
