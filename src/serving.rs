//! Serves one listener: a time limit on heads, a bound on connections, and an orderly end. Used by
//! the public side and the admin side alike.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

/// Most bytes of a request's head.
const HEAD: usize = 64 * 1024;
/// Rest after the system has refused a connection (out of file descriptors).
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// The address of the other end, as an extension of each request.
#[derive(Clone, Copy, Debug)]
pub struct Remote(pub SocketAddr);

/// How a listener is served.
#[derive(Clone, Copy, Debug)]
pub struct ListenerLimits {
    /// Time for a request's head to arrive, and for an idle connection to send the next.
    pub header_timeout: Duration,
    /// Connections at once; more wait in the system's queue.
    pub connections: usize,
    /// Time that requests in flight have to end after the stop.
    pub grace: Duration,
}

/// Serves until told to stop, then lets what is in flight end within the grace time.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ListenerLimits,
    stop: CancellationToken,
) {
    // HTTP/1.1 is what every sender and proxy speaks. Waiting to see which version a connection
    // speaks would have no time limit.
    let mut http = auto::Builder::new(TokioExecutor::new()).http1_only();
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        // A sender that has said all it has to say still hears the answer.
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
        let connection = http.serve_connection(TokioIo::new(stream), service).into_owned();
        let watched = graceful.watch(connection);
        connections.spawn(async move {
            // How a connection ends is the client's affair; requests are answered and logged above.
            let _ = watched.await;
            drop(permit);
        });
    }
    drop(listener);
    connections.close();
    // What a connection holds, the store among it, is let go of only when its task has ended.
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
