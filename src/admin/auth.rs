//! Who may use the API: whoever has one of the configured tokens.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::problem::Problem;
use super::{Admin, Code};
use crate::config::NoSuchToken;
use crate::serving::Remote;

/// Who sent a request.
#[derive(Clone, Debug)]
pub(super) struct Who {
    /// The name of the token that the request came with.
    pub(super) name: String,
    /// The address that it came from.
    pub(super) origin: Option<String>,
}

/// Lets a request through when it carries a configured token; answers 401 otherwise.
pub(super) async fn check(
    State(admin): State<Admin>,
    mut request: Request,
    next: Next,
) -> Response {
    match known(&admin, request.headers()).await {
        Ok(name) => {
            let origin = request.extensions().get::<Remote>();
            let origin = origin.map(|remote| remote.0.ip().to_string());
            request.extensions_mut().insert(Who { name, origin });
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// The name of the configured token that these headers carry. An error where they carry none, where it is
/// unknown, or where no usable token is configured.
pub(super) async fn known(admin: &Admin, headers: &HeaderMap) -> Result<String, Problem> {
    let given = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default()
        .trim();
    match admin.live.admin_token(given.as_bytes()).await {
        Ok(name) => Ok(name.to_string()),
        Err(NoSuchToken::Closed) => Err(Problem::new(
            Code::NoAdminTokens,
            "the API is closed: no usable token is configured; add `admin_tokens:` under `server:`",
        )),
        Err(NoSuchToken::Unknown) => Err(Problem::new(
            Code::Unauthorized,
            "this needs a token of `admin_tokens:`, sent as `Authorization: Bearer TOKEN`",
        )),
    }
}
