//! Serves one listener, with a time limit on request heads, a bound on connections and a graceful
//! shutdown. Both the public and the admin listener use it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

/// Largest request head, in bytes.
const HEAD: usize = 64 * 1024;
/// Back-off after `accept` has failed, for example because the process is out of file descriptors.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// The address of the peer, as an extension of each request.
#[derive(Clone, Copy, Debug)]
pub struct Remote(pub SocketAddr);

/// How a listener is served.
#[derive(Clone, Copy, Debug)]
pub struct ListenerLimits {
    /// Time for a request's head to arrive. An idle connection has the same time to send its next head.
    pub header_timeout: Duration,
    /// Connections that are open at once; more wait in the system's queue.
    pub connections: usize,
    /// Time that requests in flight have to finish after `stop`.
    pub grace: Duration,
}

/// Serves until `stop` is cancelled, then lets the requests in flight finish within the grace time.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ListenerLimits,
    stop: CancellationToken,
) {
    // Every sender and proxy speaks HTTP/1.1. Detecting the version of a connection would have no time
    // limit.
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        // A sender that closes its sending side after the request still gets the answer.
        .half_close(true)
        .max_buf_size(HEAD);
    let graceful = GracefulShutdown::new();
    let connections = TaskTracker::new();
    let room = Arc::new(Semaphore::new(limits.connections));
    loop {
        let Some((stream, remote, permit)) = next(&listener, &room, &stop).await else { break };
        let router = router.clone();
        let service =
            hyper::service::service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(Remote(remote));
                router.clone().call(request)
            });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let watched = graceful.watch(connection);
        connections.spawn(async move {
            // An error here only says how the connection ended; its requests were answered and logged.
            let _ = watched.await;
            drop(permit);
        });
    }
    drop(listener);
    connections.close();
    // A connection's task drops its references, also to the store, only when it ends.
    let ended = async {
        graceful.shutdown().await;
        connections.wait().await;
    };
    tokio::select! {
        () = ended => {}
        () = tokio::time::sleep(limits.grace) => {}
    }
}

async fn next(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return None,
            accepted = async {
                let permit = Arc::clone(room).acquire_owned().await;
                listener.accept().await.map(|(stream, remote)| (stream, remote, permit))
            } => accepted,
        };
        match accepted {
            Ok((stream, remote, Ok(permit))) => {
                let _ = stream.set_nodelay(true);
                return Some((stream, remote, permit));
            }
            Ok((_, _, Err(_))) => return None,
            Err(_) => tokio::time::sleep(ACCEPT_REST).await,
        }
    }
}
