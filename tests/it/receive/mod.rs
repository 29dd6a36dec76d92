//! What each request gets: a real gateway, requests over sockets, whole or piece by piece.

mod answers;
mod astray;
mod encodings;
mod heads;
mod health;
mod limits;
mod refused;
mod sizes;
mod slow;
mod trouble;
mod visible;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use cdsw_gateway::store::{DeliveryFilter, DeliverySummary};
use serde_json::Value;

use crate::common::{self, Site, World, simulator};

/// Sources beside the usual ones: one that signs the time, one with a small limit of its own, one
/// that is open to everyone, and one for each limit.
const SOURCES: &str = include_str!("sources.yaml");

/// Starts `retrain` on whatever comes from those sources, and on pushes.
const ROUTES: &str = include_str!("routes.yaml");

/// A world with those sources and routes, and these lines under `server:`.
async fn world(server: &str) -> World {
    let simulator = simulator().await;
    let site = Site::with(&simulator.api_url(), ROUTES, server, "");
    let usual = std::fs::read_to_string(site.config()).expect("read");
    site.write_config(&usual.replace("\nsources:\n", &format!("\nsources:\n{SOURCES}")));
    World::on(site, simulator).await
}

/// What is kept, newest first.
async fn kept(world: &World) -> Vec<DeliverySummary> {
    let filter = DeliveryFilter { limit: 1000, ..DeliveryFilter::default() };
    world.gateway.store().deliveries(filter).await.expect("read")
}

/// Waits until a number among the metrics is this one.
async fn until(world: &World, metric: &str, number: i64) {
    let line = format!("cdsw_gateway_{metric} {number}");
    while !world.gateway.metrics().text(&Default::default()).lines().any(|other| other == line) {
        tokio::task::yield_now().await;
    }
}

/// A connection to which a test writes what it likes.
struct Wire(TcpStream);

impl Wire {
    fn to(world: &World) -> Self {
        Self::at(world.hooks())
    }

    fn at(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("connects");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
        stream.set_write_timeout(Some(Duration::from_secs(30))).expect("set");
        Self(stream)
    }

    /// The head of a request to a source, with these lines beside the host.
    fn head(&mut self, source: &str, lines: &[&str]) {
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        self.write(format!("POST /hooks/{source} HTTP/1.1\r\nhost: g\r\n{lines}\r\n").as_bytes());
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("it is read");
    }

    /// Says that nothing more comes.
    fn end(&self) {
        self.0.shutdown(Shutdown::Write).expect("no more");
    }

    /// The next answer: its status, its head and its body.
    fn answer(&mut self) -> (u16, String, Value) {
        let head = self.head_of_answer();
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().expect("a number"));
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("the whole body");
        let status = head[9..12].parse().expect("a status");
        (status, head, serde_json::from_slice(&body).unwrap_or_default())
    }

    fn head_of_answer(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap_or_else(|error| {
                panic!("no answer: {error}, after {}", String::from_utf8_lossy(&head))
            });
            head.push(byte[0]);
        }
        String::from_utf8(head).expect("text")
    }

    /// Everything that comes until the connection is closed.
    fn rest(mut self) -> String {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("still open"),
            _ => String::from_utf8_lossy(&rest).into_owned(),
        }
    }
}
