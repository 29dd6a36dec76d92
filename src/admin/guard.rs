//! What every request to the admin listener passes first: the check of its `Host`, and the headers that each
//! answer carries for browsers.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

use http::request::Parts;

use super::auth::{ToKnown, client, known};
use super::problem::Problem;
use super::{Admin, Code, hosts};
use crate::serving::{InTurn, Peer, Proven};

/// No answer may be kept by a cache, shown as another type than it says, or shown inside another page.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
];

/// Refuses a request whose `Host` may be somebody else's name, unless it carries a token: a web page that was
/// led here by DNS rebinding has none. Adds the headers for browsers to every answer.
pub(super) async fn guard(State(admin): State<Admin>, request: Request, next: Next) -> Response {
    let plan = admin.live.plan();
    let (head, body) = request.into_parts();
    let from = client(&admin, &head.extensions, &head.headers);
    let names_us = hosts::are_known(&head.uri, &head.headers, &plan.server.admin_hosts);
    let mut answer = match names_us || has_known_token(&admin, &head).await {
        true => next.run(Request::from_parts(head, body)).await,
        false => unknown_host().into_response(),
    };
    answer.headers_mut().extend(HEADERS);
    match answer.extensions().get::<ToKnown>() {
        Some(ToKnown) => {
            answer.extensions_mut().insert(Proven);
            answer
        }
        None => to_stranger(&admin, from, answer),
    }
}

/// Adds the headers for browsers to every answer of the health listener. Probes ask by address or by any name, and
/// what is shown there is for everybody, so `Host` is not looked at.
pub(super) async fn guard_health(
    State(admin): State<Admin>,
    request: Request,
    next: Next,
) -> Response {
    let from = client(&admin, request.extensions(), request.headers());
    let mut answer = next.run(request).await;
    answer.headers_mut().extend(HEADERS);
    to_stranger(&admin, from, answer)
}

/// An answer to somebody without a token: where it is a refusal, it waits for its turn, and is late after too many.
fn to_stranger(admin: &Admin, from: Option<IpAddr>, mut answer: Response) -> Response {
    let peer = from.map_or(Peer::UNKNOWN, Peer::of);
    if answer.status().is_client_error() {
        answer.extensions_mut().insert(InTurn(Arc::clone(&admin.strangers), peer));
    }
    admin.slowing.slowed(peer, answer)
}

async fn has_known_token(admin: &Admin, head: &Parts) -> bool {
    head.headers.contains_key(AUTHORIZATION)
        && known(admin, &head.extensions, &head.headers).await.is_ok()
}

fn unknown_host() -> Problem {
    Problem::new(
        Code::UnknownHost,
        "the name in `Host` is not known here; ask by address, or add the name to \
         `server.admin_hosts`",
    )
}
