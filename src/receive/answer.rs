//! The answers that requests get. A sender is told what it needs in order to correct its request. Only the
//! log says why a signature was not accepted.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::rate::whole_seconds;
use crate::authenticate::Refusal;
use crate::content::{ContentFault, KNOWN_CODINGS};
use crate::event::{DecodeFault, Handshake, Reply};
use crate::model::{DeliveryId, RunId, RunState, length};
use crate::observe::Verdict;
use crate::store::{Accepted, NewRun, NewRunState};

/// Seconds in the `Retry-After` of every 503: the gateway is overloaded, or cannot store the delivery now.
const RETRY_SECONDS: &str = "5";

/// A run as answers list it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Brief {
    pub(super) id: RunId,
    pub(super) route: String,
    pub(super) job: String,
    pub(super) state: RunState,
    /// Why it is in this state, for answers in chat. Tools get it from the admin API.
    #[serde(skip)]
    pub(super) reason: Option<String>,
}

/// Every answer that a request can get.
#[derive(Debug)]
pub(super) enum Answer {
    /// A new delivery is stored.
    Kept {
        delivery: DeliveryId,
        runs: Vec<Brief>,
    },
    /// The delivery was stored before.
    Repeat {
        delivery: DeliveryId,
        /// The runs of the stored delivery.
        runs: Vec<Brief>,
        /// Whether this repeat put at least one of them into the queue again.
        requeued: bool,
    },
    /// A greeting, answered in the form that its sender wants.
    Greeted {
        delivery: DeliveryId,
        reply: Reply,
    },
    /// A greeting like one that was stored a moment ago. It is answered and counted, but not stored.
    GreetedAgain(Reply),
    /// A greeting whose sender takes any 2xx.
    Acknowledged {
        delivery: DeliveryId,
    },
    /// A stored delivery, answered in the form that its sender wants.
    Spoken {
        kept: Box<Answer>,
        reply: Reply,
    },
    /// Authentication failed.
    Refused(Refusal),
    /// The body cannot be parsed.
    Unreadable(DecodeFault),
    /// The body has an encoding or a charset that cannot be read.
    NotPlain(ContentFault),
    /// From an address that may not send to this source.
    WrongAddress {
        /// The forwarding header that was ignored, since the peer is not a trusted proxy.
        unbelieved: Option<&'static str>,
    },
    /// Over the source's rate; the next delivery is accepted after this time.
    TooMany(Duration),
    UnknownSource,
    UnknownPath,
    WrongMethod,
    TooLarge {
        /// In bytes.
        limit: u64,
    },
    /// The body did not arrive in time.
    TooSlow,
    /// The connection ended before the body did.
    CutOff,
    /// Too many requests or bytes are in flight.
    Overloaded(&'static str),
    /// The source's secret cannot be read.
    NoSecret(String),
    /// The keys that the sender publishes are not available now.
    NoKeys,
    /// The store failed.
    NotKept,
    /// An error of the gateway itself.
    Fault(String),
}

/// New runs as answers list them.
pub(super) fn briefs(runs: &[NewRun]) -> Vec<Brief> {
    runs.iter()
        .map(|run| Brief {
            id: run.id,
            route: run.route.to_string(),
            job: run.job.to_string(),
            state: match run.state {
                NewRunState::Queued(_) => match &run.latest {
                    Some(latest) if !latest.wait.is_zero() => RunState::Waiting,
                    _ => RunState::Queued,
                },
                NewRunState::Held(..) => RunState::Held,
                NewRunState::Failed(_) => RunState::Failed,
            },
            reason: match &run.state {
                NewRunState::Queued(_) => None,
                NewRunState::Held(_, reason) | NewRunState::Failed(reason) => Some(reason.clone()),
            },
        })
        .collect()
}

impl Answer {
    /// The answer to a delivery that the store has accepted.
    pub(super) fn of(
        accepted: Accepted,
        delivery: DeliveryId,
        runs: Vec<Brief>,
        handshake: Option<Handshake>,
        proven_back: Option<Reply>,
    ) -> Self {
        let greeted = |delivery, handshake| match (handshake, proven_back) {
            (Handshake::Answer(reply), _) | (Handshake::ProveBack(_), Some(reply)) => {
                Self::Greeted { delivery, reply }
            }
            (Handshake::Acknowledge | Handshake::ProveBack(_) | Handshake::Visit(_), _) => {
                Self::Acknowledged { delivery }
            }
        };
        match (accepted, handshake) {
            (Accepted::Kept { .. } | Accepted::Another { .. }, Some(handshake)) => {
                greeted(delivery, handshake)
            }
            (Accepted::Repeat { delivery, .. }, Some(handshake)) => greeted(delivery, handshake),
            (Accepted::Kept { .. } | Accepted::Another { .. }, None) => {
                Self::Kept { delivery, runs }
            }
            (Accepted::Repeat { delivery, runs, requeued }, None) => Self::Repeat {
                delivery,
                runs: runs
                    .into_iter()
                    .map(|run| Brief {
                        id: run.id,
                        route: run.route,
                        job: run.job,
                        state: run.state,
                        reason: run.reason,
                    })
                    .collect(),
                requeued: !requeued.is_empty(),
            },
        }
    }

    /// Whether a run was queued, so that the dispatcher should wake up.
    pub(super) fn queued_something(&self) -> bool {
        match self {
            Self::Kept { runs, .. } => {
                runs.iter().any(|run| matches!(run.state, RunState::Queued | RunState::Waiting))
            }
            Self::Repeat { requeued, .. } => *requeued,
            Self::Spoken { kept, .. } => kept.queued_something(),
            _ => false,
        }
    }

    /// Whether it is the answer to a delivery that was proved. A greeting may be anybody's.
    pub(super) fn is_proven(&self) -> bool {
        matches!(self, Self::Kept { .. } | Self::Repeat { .. } | Self::Spoken { .. })
    }

    /// The stored delivery that it names, if any.
    pub(super) fn delivery(&self) -> Option<DeliveryId> {
        match self {
            Self::Kept { delivery, .. }
            | Self::Repeat { delivery, .. }
            | Self::Greeted { delivery, .. }
            | Self::Acknowledged { delivery } => Some(*delivery),
            Self::Spoken { kept, .. } => kept.delivery(),
            _ => None,
        }
    }

    /// How many runs it lists.
    pub(super) fn runs(&self) -> usize {
        match self {
            Self::Kept { runs, .. } | Self::Repeat { runs, .. } => runs.len(),
            Self::Spoken { kept, .. } => kept.runs(),
            _ => 0,
        }
    }

    /// The runs that were stored with a new delivery; none for a repeat.
    pub(super) fn new_runs(&self) -> &[Brief] {
        match self {
            Self::Kept { runs, .. } => runs,
            Self::Spoken { kept, .. } => kept.new_runs(),
            _ => &[],
        }
    }

    /// The outcome of the request, for log lines and metrics.
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Kept { runs, .. } if runs.is_empty() => Verdict::Unmatched,
            Self::Kept { .. } => Verdict::Accepted,
            Self::Repeat { .. } => Verdict::Repeat,
            Self::Spoken { kept, .. } => kept.verdict(),
            Self::Greeted { .. } | Self::GreetedAgain(_) | Self::Acknowledged { .. } => {
                Verdict::Handshake
            }
            Self::Refused(_) | Self::WrongAddress { .. } => Verdict::Refused,
            Self::UnknownSource | Self::UnknownPath => Verdict::UnknownAddress,
            Self::TooMany(_) => Verdict::Limited,
            Self::Overloaded(_) => Verdict::Overloaded,
            Self::NotKept | Self::NoSecret(_) | Self::NoKeys | Self::Fault(_) => Verdict::NotKept,
            _ => Verdict::Unreadable,
        }
    }

    /// A label for metrics: why the request was not kept. `none` where it was.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.reason(),
            Self::Unreadable(_) => "unreadable",
            Self::NotPlain(ContentFault::TooLarge { .. } | ContentFault::Swollen { .. }) => {
                "too_large"
            }
            Self::NotPlain(_) => "encoding",
            Self::WrongAddress { .. } => "wrong_address",
            Self::TooMany(_) => "rate",
            Self::UnknownSource => "unknown_source",
            Self::UnknownPath => "unknown_path",
            Self::WrongMethod => "method",
            Self::TooLarge { .. } => "too_large",
            Self::TooSlow => "too_slow",
            Self::CutOff => "cut_off",
            Self::Overloaded(_) => "overloaded",
            Self::NoSecret(_) => "no_secret",
            Self::NoKeys => "no_keys",
            Self::NotKept => "store",
            Self::Fault(_) => "fault",
            Self::Kept { .. }
            | Self::Repeat { .. }
            | Self::Greeted { .. }
            | Self::GreetedAgain(_)
            | Self::Spoken { .. }
            | Self::Acknowledged { .. } => "none",
        }
    }

    /// A sentence for the log: why the request was not kept. `None` where it was.
    pub(super) fn words(&self) -> Option<String> {
        Some(match self {
            Self::Kept { .. }
            | Self::Repeat { .. }
            | Self::Greeted { .. }
            | Self::GreetedAgain(_)
            | Self::Spoken { .. }
            | Self::Acknowledged { .. } => return None,
            Self::Refused(refusal) => refusal.to_string(),
            Self::Unreadable(fault) => fault.to_string(),
            Self::NotPlain(fault) => fault.to_string(),
            Self::WrongAddress { unbelieved: None } => {
                "the address is not in the source's allow_from".to_owned()
            }
            Self::WrongAddress { unbelieved: Some(header) } => format!(
                "the address is not in the source's allow_from; header `{header}` was not \
                 believed, since the peer is not in `server.trusted_proxies`"
            ),
            Self::TooMany(wait) => {
                format!("over the source's rate; the next is taken in {}", length(*wait))
            }
            Self::NoSecret(why) => format!("the source's secret cannot be read: {why}"),
            Self::NoKeys => {
                "the keys that the sender publishes could not be had, or were asked for \
                             a moment ago; the log says why"
                    .to_owned()
            }
            Self::Fault(why) => format!("the request could not be worked on: {why}"),
            other => other.told(),
        })
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Kept { runs, .. } if !runs.is_empty() => StatusCode::ACCEPTED,
            Self::Greeted { reply, .. }
            | Self::GreetedAgain(reply)
            | Self::Spoken { reply, .. } => reply.status,
            Self::Kept { .. } | Self::Repeat { .. } | Self::Acknowledged { .. } => StatusCode::OK,
            Self::Refused(_) => StatusCode::UNAUTHORIZED,
            Self::Unreadable(DecodeFault::Format(_)) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unreadable(_) | Self::CutOff => StatusCode::BAD_REQUEST,
            Self::NotPlain(fault) => fault.status(),
            Self::WrongAddress { .. } => StatusCode::FORBIDDEN,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::UnknownSource | Self::UnknownPath => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Overloaded(_)
            | Self::NoSecret(_)
            | Self::NoKeys
            | Self::NotKept
            | Self::Fault(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The error message that the sender gets.
    fn told(&self) -> String {
        match self {
            Self::Refused(_) => "the request is not authentic".to_owned(),
            Self::Unreadable(fault) => fault.to_string(),
            Self::NotPlain(fault) => fault.to_string(),
            Self::WrongAddress { .. } => "this address may not send here".to_owned(),
            Self::TooMany(_) => "too many deliveries of this source; try again later".to_owned(),
            Self::UnknownSource => "there is no source of this name".to_owned(),
            Self::UnknownPath => "there is nothing here; webhooks go to /hooks/{source}".to_owned(),
            Self::WrongMethod => "webhooks are sent with POST".to_owned(),
            Self::TooLarge { limit } => {
                format!("the body is over this source's limit of {limit} bytes")
            }
            Self::TooSlow => "the body did not arrive within the time allowed".to_owned(),
            Self::CutOff => "the body ended before its announced length".to_owned(),
            Self::Overloaded(what) => format!("{what}; try again later"),
            Self::NoKeys => {
                "the sender's published keys cannot be fetched now; try again later".to_owned()
            }
            Self::NoSecret(_) => {
                "the source's secret cannot be read now; try again later".to_owned()
            }
            _ => "the delivery cannot be kept now; try again later".to_owned(),
        }
    }
}

#[derive(Serialize)]
struct KeptBody<'a> {
    delivery: DeliveryId,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    duplicate: bool,
    runs: &'a [Brief],
}

#[derive(Serialize)]
struct ErrorBody {
    error: String,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = match &self {
            Self::Kept { delivery, runs } => {
                json(status, &KeptBody { delivery: *delivery, duplicate: false, runs })
            }
            Self::Repeat { delivery, runs, .. } => {
                json(status, &KeptBody { delivery: *delivery, duplicate: true, runs })
            }
            Self::Acknowledged { delivery } => {
                json(status, &KeptBody { delivery: *delivery, duplicate: false, runs: &[] })
            }
            Self::Greeted { reply, .. }
            | Self::GreetedAgain(reply)
            | Self::Spoken { reply, .. } => own_form(reply),
            refused => json(status, &ErrorBody { error: refused.told() }),
        };
        let headers = response.headers_mut();
        if let Self::NotPlain(ContentFault::Coding(_) | ContentFault::TooManyCodings { .. }) = self
        {
            let known = HeaderValue::from_str(&KNOWN_CODINGS.join(", "));
            headers.extend(known.map(|known| (ACCEPT_ENCODING, known)));
        }
        if let Self::TooMany(wait) = self {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
        }
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }
}

fn own_form(reply: &Reply) -> Response {
    let mut response = (reply.status, reply.body.clone()).into_response();
    response.headers_mut().remove(CONTENT_TYPE);
    response.headers_mut().extend(reply.headers.iter().cloned());
    response
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    (status, axum::Json(body)).into_response()
}
