//! Who may use the API: whoever has one of the configured tokens.

use std::net::IpAddr;
use std::sync::PoisonError;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap};

use super::problem::Problem;
use super::{Admin, Code};
use crate::config::NoSuchToken;
use crate::model::Role;
use crate::observe::Observation;
use crate::receive::client_behind;
use crate::serving::{Peer, Remote};

/// Who sent a request.
#[derive(Clone, Debug)]
pub(super) struct Who {
    /// The name of the token that the request came with.
    pub(super) name: String,
    /// The address that it came from.
    pub(super) origin: Option<String>,
}

/// An extension of an answer: who asked is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToKnown;

/// Lets a request through when it carries a configured token; answers 401 otherwise.
pub(super) async fn check(
    State(admin): State<Admin>,
    mut request: Request,
    next: Next,
) -> Response {
    match known(&admin, request.extensions(), request.headers()).await {
        Ok(name) => {
            let origin = client(&admin, request.extensions(), request.headers());
            let origin = origin.map(|address| address.to_string());
            request.extensions_mut().insert(Who { name, origin });
            let mut answer = next.run(request).await;
            answer.extensions_mut().insert(ToKnown);
            answer
        }
        Err(problem) => problem.into_response(),
    }
}

/// The name of the configured token that these headers carry.
///
/// # Errors
/// The problem to answer with: there is no token, it is unknown, its address has sent too many wrong ones, or
/// no usable token is configured.
pub(super) async fn known(
    admin: &Admin,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Result<String, Problem> {
    let given = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default()
        .trim();
    let from = client(admin, extensions, headers);
    let section = if admin.role == Role::Ingest { "ingest_tokens" } else { "admin_tokens" };
    match admin.live.admin_token(given.as_bytes(), admin.role).await {
        Ok(name) => {
            admin.tokens.used(&name, admin.clock.now());
            Ok(name.to_string())
        }
        Err(NoSuchToken::Closed) => Err(Problem::new(Code::NoAdminTokens, closed(admin, section))),
        Err(NoSuchToken::Unknown) => {
            if !given.is_empty() {
                admin.guessed(from)?;
            }
            Err(Problem::new(
                Code::Unauthorized,
                format!(
                    "this needs a token of `{section}:`, sent as `Authorization: Bearer TOKEN`"
                ),
            ))
        }
    }
}

/// Why no token is accepted, and what to do. Which token cannot be read is told to nobody without one.
fn closed(admin: &Admin, section: &str) -> String {
    let plan = admin.live.plan();
    let tokens = match admin.role {
        Role::Ingest => &plan.server.ingest_tokens,
        _ => &plan.server.admin_tokens,
    };
    match tokens.is_empty() {
        true => format!(
            "the API is closed: no usable token is configured; add `{section}:` under `server:`"
        ),
        false => format!(
            "the API is closed: no token of `{section}:` can be read, or each is empty; `cdsw-gateway doctor` \
             on the gateway's machine says why"
        ),
    }
}

/// The address of the client, behind trusted proxies.
pub(super) fn client(
    admin: &Admin,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Option<IpAddr> {
    let Remote(remote) = *extensions.get::<Remote>()?;
    let plan = admin.live.plan();
    let server = &plan.server;
    client_behind(remote, headers, server.proxy_header, &server.trusted_proxies)
}

impl Admin {
    /// Counts a token that is not configured, and tells the observer.
    ///
    /// # Errors
    /// The problem to answer with, where too many came from this address.
    fn guessed(&self, from: Option<IpAddr>) -> Result<(), Problem> {
        let peer = from.map_or(Peer::UNKNOWN, Peer::of);
        let now = self.clock.now();
        // A panic elsewhere leaves the counts whole.
        let (wait, to_log) =
            self.guesses.0.lock().unwrap_or_else(PoisonError::into_inner).wrong(peer, now);
        let origin = from.map_or_else(String::new, |address| address.to_string());
        self.observer.tell(Observation::WrongToken { origin: &origin, to_log });
        if wait.is_zero() {
            return Ok(());
        }
        let why = "too many wrong tokens came from this address";
        Err(Problem::new(Code::TooManyWrongTokens, why).until(wait))
    }
}
