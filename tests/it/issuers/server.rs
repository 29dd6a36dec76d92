//! A server with TLS of a private authority, which can be any host on this machine: it publishes what
//! it is told to, counts what it is asked, and misbehaves on demand.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cdsw_gateway::issuers::Transport;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::common::tls::{Shown, valid};

/// What the server does when it is asked.
#[derive(Clone)]
pub enum Mode {
    /// Answers with this body.
    Publish(String),
    /// Answers with this status, and a place to go instead.
    Status(u16),
    /// Takes the request and says nothing, until the mode changes.
    Silent,
    /// Begins an answer of 100 MB.
    Huge,
    /// The same, without saying how long it is.
    Endless,
    /// Closes the connection.
    Down,
}

pub struct KeyServer {
    address: SocketAddr,
    root: Vec<u8>,
    shared: Arc<Shared>,
}

struct Shared {
    mode: Mutex<Mode>,
    changed: Notify,
    asked: AtomicUsize,
    written: AtomicUsize,
    paths: Mutex<Vec<String>>,
}

impl KeyServer {
    /// A server that has the certificates of these hosts.
    pub async fn start(hosts: &[&str], mode: Mode) -> Self {
        let Shown { config, root, .. } = valid(hosts);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            mode: Mutex::new(mode),
            changed: Notify::new(),
            asked: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            paths: Mutex::default(),
        });
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let of_server = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&of_server)));
            }
        });
        Self { address, root, shared }
    }

    /// A way to reach it under these names, in which a fetch may take half a second.
    pub fn transport(&self, hosts: &[&str]) -> Transport {
        Transport {
            connect_timeout: Duration::from_millis(500),
            timeout: Duration::from_millis(500),
            resolve: hosts.iter().map(|host| ((*host).to_owned(), self.address)).collect(),
            roots: vec![self.root.clone()],
        }
    }

    pub fn is_now(&self, mode: Mode) {
        *self.shared.mode.lock().expect("not poisoned") = mode;
        self.shared.changed.notify_waiters();
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }

    /// How many bytes of bodies it got rid of.
    pub fn written(&self) -> usize {
        self.shared.written.load(Ordering::SeqCst)
    }

    /// What it was asked for.
    pub fn paths(&self) -> Vec<String> {
        self.shared.paths.lock().expect("not poisoned").clone()
    }
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    shared.paths.lock().expect("not poisoned").push(path);
    shared.asked.fetch_add(1, Ordering::SeqCst);
    let mode = shared.mode.lock().expect("not poisoned").clone();
    // A client that has had enough closes the connection.
    let _ = answer(&mut stream, mode, &shared).await;
    let _ = stream.shutdown().await;
}

async fn answer(
    stream: &mut TlsStream<TcpStream>,
    mode: Mode,
    shared: &Shared,
) -> std::io::Result<()> {
    let mut write = async |text: &str| stream.write_all(text.as_bytes()).await;
    match mode {
        Mode::Publish(body) => {
            write(&format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await
        }
        Mode::Status(status) => {
            write(&format!("HTTP/1.1 {status} X\r\nlocation: /jwks\r\ncontent-length: 0\r\n\r\n"))
                .await
        }
        Mode::Silent => {
            shared.changed.notified().await;
            Ok(())
        }
        Mode::Huge | Mode::Endless => {
            let length = match mode {
                Mode::Huge => "content-length: 100000000\r\n",
                _ => "connection: close\r\n",
            };
            write(&format!("HTTP/1.1 200 OK\r\n{length}\r\n{{\"keys\": [")).await?;
            let piece = " ".repeat(10_000);
            for _ in 0..10_000 {
                write(&piece).await?;
                shared.written.fetch_add(piece.len(), Ordering::SeqCst);
            }
            Ok(())
        }
        Mode::Down => Ok(()),
    }
}
