//! Serves one listener. Both the public and the admin listener use it.
//!
//! What one client can hold is bounded here, before anything is known of it: its connections
//! (`connections`), the time for a request's head, the rate of a body (`paced`) and of the answers that it
//! reads (`stream`), and the descriptors of the process ([`descriptors`]).

mod activity;
mod buckets;
mod connections;
pub mod descriptors;
mod head_timer;
mod heads;
mod listener;
mod pace;
mod paced;
mod passed;
mod peers;
mod slowing;
mod strangers;
mod stream;
mod strict;
mod tally;
mod turns;
mod unix;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::header::{CONNECTION, HeaderValue};
use http_body::Body as _;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

use activity::Activity;
pub use buckets::Buckets;
use connections::{Admission, Connections, Place};
use head_timer::HeadTimer;
use heads::HeadFault;
use listener::Connected;
pub use listener::{Bound, Listener, Remote};
pub use pace::MinRate;
use paced::PacedBody;
pub use paced::TooSlow;
pub use passed::PassedSockets;
pub use peers::{Peer, share_of};
pub use slowing::Slowing;
pub use strangers::{Connection, InTurn, Strangers, Turn};
use stream::Stream;
use tally::Tally;

use crate::observe::{ConnectionEnd, Observer};

/// Largest request head, in bytes. Senders' heads have 1 to 10 kB.
const HEAD: usize = 32 * 1024;
/// Largest piece of a body that is read at once, in bytes.
const READ: usize = 64 * 1024;
/// Back-off after `accept` has failed.
const ACCEPT_BACK_OFF: Duration = Duration::from_millis(50);

/// An extension of an answer: it is sent after this time. Until then its connection counts as waited for.
#[derive(Clone, Copy, Debug)]
pub struct After(pub Duration);

/// An extension of an answer: its request was proved to come from a known sender or person. Their connections
/// are the last ones to give way.
#[derive(Clone, Copy, Debug)]
pub struct Proven;

/// How a listener is served.
#[derive(Clone)]
pub struct ListenerLimits {
    /// What the listener is called in logs and metrics.
    pub listener: &'static str,
    /// Time for a request's head to arrive, from its first byte; on a new connection, from its beginning.
    pub header_timeout: Duration,
    /// Time that a connection may be idle after an answer.
    pub idle_timeout: Duration,
    /// The lowest rate of a request's body.
    pub body_rate: MinRate,
    /// The lowest rate at which a client reads answers that have to wait for it.
    pub write_rate: MinRate,
    /// Connections that are open at once. For more, those that were waited for the longest are closed.
    pub connections: usize,
    /// Connections that one client may have open.
    pub connections_of_one: usize,
    /// Says whether an address is that of a proxy, which brings many clients and has no share.
    pub is_proxy: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// Time that requests in flight have to finish after `stop`.
    pub grace: Duration,
}

/// Serves until `stop` is cancelled, then lets the requests in flight finish within the grace time.
pub async fn serve(
    listener: Listener,
    router: Router,
    limits: ListenerLimits,
    observer: Arc<Observer>,
    stop: CancellationToken,
) {
    // Every sender and proxy speaks HTTP/1.1. Detecting the version of a connection would have no time
    // limit.
    let mut http = http1::Builder::new();
    http
        // A sender that closes its sending side after the request still gets the answer.
        .half_close(true)
        .max_header_size(HEAD)
        .max_buf_size(READ);
    let graceful = GracefulShutdown::new();
    let tasks = TaskTracker::new();
    let accepting = Accepting {
        connections: Connections::new(limits.connections, limits.connections_of_one),
        tally: Arc::new(Tally::new(limits.listener, observer)),
        listener,
        limits,
    };
    while let Some(Accepted { stream, remote, place }) = accepting.next(&stop).await {
        let service = Service {
            router: router.clone(),
            remote,
            body_rate: accepting.limits.body_rate,
            activity: Arc::clone(&place.activity),
            tally: Arc::clone(&accepting.tally),
        };
        let rate = accepting.limits.write_rate;
        let stream = Stream::new(stream, rate, Arc::clone(&place.activity));
        let timer = HeadTimer {
            activity: Arc::clone(&place.activity),
            header_timeout: accepting.limits.header_timeout,
            idle_timeout: accepting.limits.idle_timeout,
        };
        let service = hyper::service::service_fn(move |request| service.answer(request));
        let mut http = http.clone();
        // The timer decides how long; the time that is set here only says that there is one.
        http.timer(timer).header_read_timeout(accepting.limits.header_timeout);
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tasks.spawn(see_through(connection, place, Arc::clone(&accepting.tally)));
    }
    let Accepting { limits, listener, .. } = accepting;
    // On a thread for blocking work, since it may remove a file.
    let closed = tokio::task::spawn_blocking(move || drop(listener));
    tasks.close();
    // A connection's task drops its references, also to the store, only when it ends.
    let ended = async {
        let _ = closed.await;
        graceful.shutdown().await;
        tasks.wait().await;
    };
    tokio::select! {
        () = ended => {}
        () = tokio::time::sleep(limits.grace) => {}
    }
}

/// Drives a connection to its end, or until it has to give way to another one.
async fn see_through(
    connection: impl Future<Output = hyper::Result<()>>,
    place: Place,
    tally: Arc<Tally>,
) {
    let open = tally.connection_open();
    let mut connection = std::pin::pin!(connection);
    let activity = Arc::clone(&place.activity);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = activity.told_to_close() => match activity.is_working() {
            // A request came in since: it is answered, and the answer says that it is the last one.
            true => connection.await,
            false => Ok(()),
        },
    };
    if let Err(error) = ended
        && let Some(end) = end_by(&error, &activity)
    {
        tally.ended(end, 1);
    }
    drop((place, open));
}

/// How a connection ended with this error, where that has to be told: it stalled, or the HTTP library refused what
/// it brought. Other errors only say that the client has gone; its requests were answered and logged.
fn end_by(error: &hyper::Error, activity: &Activity) -> Option<ConnectionEnd> {
    if has_stalled(error) {
        return Some(ConnectionEnd::Stalled);
    }
    if error.is_parse_too_large() {
        return Some(ConnectionEnd::LargeHead);
    }
    error.is_parse().then(|| activity.other_protocol().unwrap_or(ConnectionEnd::BadHead))
}

fn has_stalled(error: &hyper::Error) -> bool {
    use std::error::Error as _;
    let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::TimedOut)
}

/// Hands the requests of one connection to the router.
struct Service {
    router: Router,
    remote: Remote,
    body_rate: MinRate,
    activity: Arc<Activity>,
    tally: Arc<Tally>,
}

impl Service {
    fn answer(
        &self,
        mut request: http::Request<hyper::body::Incoming>,
    ) -> impl Future<Output = Result<http::Response<Body>, std::convert::Infallible>> + use<> {
        let fault = HeadFault::of(&request, self.activity.next_is_framed_twice());
        if let Some(fault) = fault {
            self.tally.ended(fault.end(), 1);
        }
        self.activity.has_a_head();
        request.extensions_mut().insert(self.remote);
        if request.body().is_end_stream() {
            request.extensions_mut().insert(Connection(Arc::clone(&self.activity)));
        }
        let activity = Arc::clone(&self.activity);
        let rate = self.body_rate;
        let request =
            request.map(|body| Body::new(PacedBody::new(body, rate, Arc::clone(&activity))));
        let answer = match fault {
            None => Ok(self.router.clone().call(request)),
            Some(fault) => {
                activity.ends_after_this();
                Err(fault.answer())
            }
        };
        async move {
            let mut answer = match answer {
                Ok(answer) => answer.await?,
                Err(refusal) => refusal,
            };
            let is_proven = answer.extensions().get::<Proven>().is_some();
            activity.answered(is_proven, Instant::now());
            if let Some(After(time)) = answer.extensions_mut().remove() {
                tokio::time::sleep(time).await;
            }
            if let Some(InTurn(strangers, peer)) = answer.extensions_mut().remove() {
                drop(strangers.turn(peer, None).await);
            }
            if activity.is_told_to_close() {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(answer)
        }
    }
}

/// A connection that has a place.
struct Accepted {
    stream: Connected,
    remote: Remote,
    place: Place,
}

struct Accepting {
    listener: Listener,
    limits: ListenerLimits,
    connections: Arc<Connections>,
    tally: Arc<Tally>,
}

impl Accepting {
    /// The next connection that gets a place; none once `stop` is cancelled.
    async fn next(&self, stop: &CancellationToken) -> Option<Accepted> {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return None,
                accepted = self.listener.accept() => accepted,
            };
            let (stream, remote) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    self.tally.not_accepted(&error);
                    tokio::time::sleep(ACCEPT_BACK_OFF).await;
                    continue;
                }
            };
            // On a Unix socket it is the proxy in front.
            let is_proxy = remote.0.is_none_or(|address| (self.limits.is_proxy)(address));
            let peer = remote.0.map_or(Peer::UNKNOWN, Peer::of);
            match self.connections.admit(peer, is_proxy, Instant::now()) {
                Admission::Place(place, closed) => {
                    self.tally.ended(ConnectionEnd::GaveWay, closed);
                    stream.send_at_once();
                    return Some(Accepted { stream, remote, place });
                }
                Admission::None => self.tally.ended(ConnectionEnd::NotTaken, 1),
            }
        }
    }
}
