//! The API's error answers: `application/problem+json` (RFC 9457) with a stable code. Every error goes
//! through here, including those that axum makes for a body, a query or a path that it cannot read.

use std::time::Duration;

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::code::Code;
use super::views::ProblemView;
use crate::store::StoreFault;

/// The media type of a problem.
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Why the API did not do what a request asked: the code is for tools, the detail for people.
#[derive(Debug)]
pub(crate) struct Problem {
    code: Code,
    detail: String,
    retry_after: Option<Duration>,
}

impl Problem {
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after: None }
    }

    /// The same problem, which is over after this time.
    pub(super) fn until(self, time: Duration) -> Self {
        Self { retry_after: Some(time), ..self }
    }

    /// A `not-found` problem: there is no `what`.
    pub(super) fn no(what: impl std::fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("there is no {what}"))
    }

    /// A `bad-request` problem: the request itself is wrong.
    pub(super) fn bad(why: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, why)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let mut response =
            (status, axum::Json(ProblemView::new(self.code, self.detail))).into_response();
        response.headers_mut().insert(CONTENT_TYPE, PROBLEM_JSON);
        if let Some(time) = self.retry_after {
            let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<StoreFault> for Problem {
    fn from(fault: StoreFault) -> Self {
        let code = match &fault {
            StoreFault::NotFound(_) => Code::NotFound,
            StoreFault::Unlawful { .. } | StoreFault::LeaseLost(_) => Code::StateConflict,
            StoreFault::Unavailable(_) => Code::StoreUnavailable,
            StoreFault::Unusable(_) => Code::StoreUnusable,
        };
        Self::new(code, fault.to_string())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejected: JsonRejection) -> Self {
        let code = match rejected.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
            StatusCode::UNPROCESSABLE_ENTITY => Code::UnexpectedJson,
            _ => Code::UnreadableJson,
        };
        Self::new(code, rejected.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejected: QueryRejection) -> Self {
        Self::new(Code::UnreadableQuery, rejected.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejected: PathRejection) -> Self {
        Self::bad(rejected.body_text())
    }
}

/// A body of JSON, read or written.
pub(super) struct Json<T>(pub(super) T);

impl<S: Send + Sync, T> FromRequest<S> for Json<T>
where
    axum::Json<T>: FromRequest<S, Rejection = JsonRejection>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let axum::Json(value) = axum::Json::from_request(request, state).await?;
        Ok(Self(value))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// A query string.
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T> FromRequestParts<S> for Query<T>
where
    axum::extract::Query<T>: FromRequestParts<S, Rejection = QueryRejection>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Query(value) =
            axum::extract::Query::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

/// A parameter in a path.
pub(super) struct Path<T>(pub(super) T);

impl<S: Send + Sync, T> FromRequestParts<S> for Path<T>
where
    axum::extract::Path<T>: FromRequestParts<S, Rejection = PathRejection>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Path(value) =
            axum::extract::Path::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}
