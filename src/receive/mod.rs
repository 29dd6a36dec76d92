//! The public listener, `POST /hooks/{source}`: it takes raw bytes, stores the delivery with its runs, and
//! answers.
//!
//! It holds no API key and opens no connection to a workbench. It never answers 2xx before the store has
//! committed. It never tells a sender why authentication failed: only the log says so.

mod answer;
mod body;
mod budget;
mod client;
mod greetings;
mod judging;
mod keep;
mod leaks;
mod learn;
mod limits;
mod lines;
mod proofs;
mod published;
mod rate;
mod refusals;
mod spoken;
mod steps;
mod unverified;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use bytes::Bytes;
use http::Method;
use http::header::EXPECT;
use http::request::Parts as Head;
use serde::Deserialize;

use crate::clock::Clock;
use crate::config::{Live, ServerPlan};
use crate::content;
use crate::issuers::Issuers;
use crate::observe::{DeliveryRefused, Observation, Observer};
use crate::random::Random;
use crate::serving::{Connection, Peer, Proven, Remote, Slowing, Strangers, Turn};
use crate::store::Store;

use answer::Answer;
#[doc(hidden)]
pub use client::{behind as client_behind, client as client_address};
pub use greetings::Greetings;
pub use judging::JudgingPlaces;
pub use leaks::Finders;
use limits::{Limits, Room};
use lines::Lines;
pub use proofs::{Proofs, Used};
pub use rate::Rates;
pub use refusals::{Refusals, Refused};
use steps::Arrived;
use unverified::Named;

/// Everything that the receiver depends on.
pub struct Receiver {
    /// The configuration in force.
    pub live: Arc<Live>,
    /// Stores deliveries and their runs.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bits for the ids of deliveries and runs.
    pub random: Arc<dyn Random>,
    /// The keys that senders publish.
    pub issuers: Arc<Issuers>,
    /// Writes log lines and metrics of what happens.
    pub observer: Arc<Observer>,
    /// The last refusals of each source.
    pub refusals: Arc<Refusals>,
    /// Which secrets proved deliveries.
    pub proofs: Arc<Proofs>,
    /// What each source has used of its rate.
    pub rates: Arc<Rates>,
    /// Find the secrets of sources in their requests.
    pub finders: Finders,
    /// Which unsigned greetings are stored.
    pub greetings: Greetings,
    /// Limits how many requests are judged at once on threads for blocking work.
    pub judging: Arc<JudgingPlaces>,
    /// Called when a run was queued or waits for its time: wakes the dispatcher.
    pub on_new_runs: Arc<dyn Fn() + Send + Sync>,
}

struct Receiving {
    receiver: Receiver,
    limits: Limits,
    slowing: Slowing,
    strangers: Arc<Strangers>,
    /// Bounds the log lines on unknown addresses.
    lines: Lines,
}

/// The path by which a balancer asks whether this listener answers.
const HEALTH: &str = "/healthz";

/// The public router: it serves webhooks, and one path for the health checks of balancers.
pub fn router(receiver: Receiver) -> Router {
    let limits = Limits::new(&receiver.live.plan().server, Arc::clone(&receiver.observer));
    let prefix = receiver.live.plan().server.path_prefix.clone();
    let (slowing, lines) = (Slowing::default(), Lines::default());
    let share = receiver.live.plan().server.strangers_share;
    let strangers = Strangers::new("hooks", share, Arc::clone(&receiver.observer));
    // A proxy may leave its prefix on, or take it off.
    let prefixes =
        if prefix.is_empty() { vec![String::new()] } else { vec![String::new(), prefix] };
    prefixes
        .into_iter()
        .fold(Router::new(), |router, prefix| {
            router
                .route(&format!("{prefix}/hooks/{{source}}"), any(receive))
                .route(&format!("{prefix}/hooks/{{source}}/"), any(receive))
                .route(&format!("{prefix}/hooks/{{source}}/{{*rest}}"), any(receive))
        })
        .route(HEALTH, get(health))
        .fallback(nowhere)
        .with_state(Arc::new(Receiving { receiver, limits, slowing, strangers, lines }))
}

/// The label of requests that ask for no source that is configured.
const NO_SOURCE: &str = "unknown";

/// The parts of a request's path.
#[derive(Debug, Deserialize)]
struct At {
    source: String,
    /// The path after the source's name. Some senders can put a secret nowhere else.
    #[serde(default)]
    rest: String,
}

/// Says that the listener answers, and nothing else: it does not ask the store, since anybody may send this as
/// often as he likes. The admin listener's `/readyz` does.
async fn health(State(receiving): State<Arc<Receiving>>, request: Request) -> &'static str {
    let head = request.into_parts().0;
    let _turn = receiving.turn(&head, receiving.client_of(&head)).await;
    receiving.receiver.observer.tell(Observation::HealthAsked);
    "ok\n"
}

async fn nowhere(State(receiving): State<Arc<Receiving>>, request: Request) -> Response {
    let head = request.into_parts().0;
    let from = receiving.client_of(&head);
    let _turn = receiving.turn(&head, from).await;
    receiving.note("", &head, &Bytes::new(), &written(from), &Answer::UnknownPath);
    receiving.slowing.slowed(peer_of(from), Answer::UnknownPath.into_response())
}

async fn receive(
    State(receiving): State<Arc<Receiving>>,
    Path(at): Path<At>,
    request: Request,
) -> Response {
    let began = Instant::now();
    let (head, body) = request.into_parts();
    let head = Arc::new(head);
    let from = receiving.client_of(&head);
    let mut seen = Bytes::new();
    let answer = receiving.answer(&at, &head, body, &mut seen, from, began).await;
    let remote = written(from);
    receiving.note(&at.source, &head, &seen, &remote, &answer);
    drop(seen);
    let is_proven = answer.is_proven() && !receiving.is_open(&at.source);
    let mut answer = answer.into_response();
    if is_proven {
        answer.extensions_mut().insert(Proven);
    }
    receiving.slowing.slowed(peer_of(from), answer)
}

fn peer_of(address: Option<IpAddr>) -> Peer {
    address.map_or(Peer::UNKNOWN, Peer::of)
}

/// The address as logs, refusals and kept deliveries show it; empty where it is not known.
fn written(address: Option<IpAddr>) -> String {
    address.map_or_else(String::new, |address| address.to_string())
}

/// The forwarding header that was ignored, if the request has one and its peer is not a trusted proxy.
fn unbelieved(head: &Head, server: &ServerPlan) -> Option<&'static str> {
    let Remote(remote) = *head.extensions.get::<Remote>()?;
    client::unbelieved(remote, &head.headers, &server.trusted_proxies)
}

impl Receiving {
    /// Whether anybody may send to this source.
    fn is_open(&self, source: &str) -> bool {
        let plan = self.receiver.live.plan();
        plan.sources.get(source).is_none_or(|source| source.unauthenticated)
    }

    /// The client's address; none where the address of the peer is not known.
    fn client_of(&self, head: &Head) -> Option<IpAddr> {
        let Remote(remote) = *head.extensions.get::<Remote>()?;
        let plan = self.receiver.live.plan();
        let server = &plan.server;
        client::behind(remote, &head.headers, server.proxy_header, &server.trusted_proxies)
    }

    async fn answer(
        &self,
        at: &At,
        head: &Arc<Head>,
        body: Body,
        seen: &mut Bytes,
        from: Option<IpAddr>,
        began: Instant,
    ) -> Answer {
        let plan = self.receiver.live.plan();
        let source = plan.sources.get(at.source.as_str()).cloned();
        // Before anything of the body is read. What anybody may send to is no reason to wait.
        let mut turn = match source.as_ref().is_some_and(|source| source.unauthenticated) {
            true => None,
            false => self.turn(head, from).await,
        };
        let Some(source) = source else { return Answer::UnknownSource };
        if !source.may_send(from) {
            return Answer::WrongAddress { unbelieved: unbelieved(head, &plan.server) };
        }
        let limit = source.body_limit.unwrap_or(plan.server.body_limit);
        let arrived = |body, room| Arrived {
            plan: Arc::clone(&plan),
            source: Arc::clone(&source),
            head: Arc::clone(head),
            rest: at.rest.clone(),
            body,
            limit,
            room,
            finder: Arc::default(),
            remote: written(from),
            began,
        };
        if head.method != Method::POST {
            // Only greetings use other methods, and those have no body.
            return self.receiver.take_in(arrived(Bytes::new(), None)).await;
        }
        let mut admitted = match self.limits.admit(peer_of(from), &head.headers, limit, &mut turn) {
            Ok(admitted) => admitted,
            Err(answer) => {
                // A sender that asks first (`Expect`) gets the answer at once and sends no body.
                let is_sending = !head.headers.contains_key(EXPECT);
                if is_sending && matches!(answer, Answer::TooLarge { .. }) {
                    body::discard(body, plan.server.body_timeout, turn.as_mut()).await;
                }
                return answer;
            }
        };
        let body = match body::read(body, &mut admitted, limit, plan.server.body_timeout).await {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        seen.clone_from(&body);
        if let Err(answer) = admitted.begin_work() {
            return answer;
        }
        // What it holds is given back once nothing works on it any more.
        let room = Room::new(admitted);
        let answer = self.receiver.take_in(arrived(body, Some(room.clone()))).await;
        if answer.is_proven() && !source.unauthenticated {
            room.is_authentic();
        }
        if matches!(answer, Answer::NotKept) {
            room.costs_nothing(); // it was proved; the store failed
        }
        answer
    }

    /// Waits for the turn of a stranger's request; none where the client has had a delivery accepted.
    async fn turn(&self, head: &Head, from: Option<IpAddr>) -> Option<Turn> {
        let peer = peer_of(from);
        // Who this is matters once strangers owe something. Until then it is not looked up.
        if !self.strangers.owe_anything() {
            return Some(self.strangers.turn_at_once(peer));
        }
        if self.limits.knows(peer) {
            return None;
        }
        Some(self.strangers.turn(peer, head.extensions.get::<Connection>()).await)
    }

    /// Logs and counts a request that was not kept, and remembers it. Kept deliveries are logged where their ids
    /// are known.
    fn note(&self, source: &str, head: &Head, body: &Bytes, remote: &str, answer: &Answer) {
        let Some(mut words) = answer.words() else { return };
        let (receiver, headers) = (&self.receiver, &head.headers);
        if let (Answer::Refused(_), Some(coding)) = (answer, content::named_encoding(headers)) {
            words.push_str(&format!(
                "; the body has `Content-Encoding: {coding}`, and the bytes are checked as they were sent"
            ));
        }
        let (plan, now) = (receiver.live.plan(), receiver.clock.now());
        let source = plan.sources.get(source).filter(|_| !matches!(answer, Answer::UnknownPath));
        let path = source.is_none().then(|| {
            unverified::shown_path(head.uri.path(), |name| plan.sources.contains_key(name))
        });
        let named = source.map(|source| {
            let finder = receiver.finders.known(&source.name);
            unverified::named(source, headers, body, &finder)
        });
        let Named { delivery_id, repository } = named.unwrap_or_default();
        let to_log = if source.is_some() { Some(0) } else { self.lines.next(now) };
        receiver.observer.tell(Observation::DeliveryRefused(DeliveryRefused {
            source: source.map_or(NO_SOURCE, |source| &source.name),
            remote,
            status: answer.status().as_u16(),
            verdict: answer.verdict(),
            reason: answer.reason(),
            words: &words,
            path: path.as_deref(),
            named_id: delivery_id.as_deref(),
            named_repository: repository.as_deref(),
            to_log,
        }));
        receiver.refusals.add(Refused {
            at: now,
            source: source.map(|source| source.name.to_string()),
            path,
            remote: remote.to_owned(),
            status: answer.status().as_u16(),
            reason: answer.reason(),
            words,
            delivery_id,
            repository,
            headers: headers.keys().map(ToString::to_string).collect(),
        });
    }
}
