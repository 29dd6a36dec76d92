//! The simulator behaves as the vendor's page says, and applies the faults that it is told. The tests use
//! real sockets: with the client that the gateway uses, and with bare ones for requests that it would
//! never send.

mod control;
mod faults;
mod rules;
mod wire;

use reqwest::{Client, Response};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::model::Target;

const KEY: &str = "uysgxtj7jzkps96njextnxxmq05usp0b";
/// What the vendor's page has for that key.
const AUTHORIZATION: &str = "Basic dXlzZ3h0ajdqemtwczk2bmpleHRueHhtcTA1dXNwMGI6";
const JOB: &str = "alice/risk-analysis/208";
const PATH: &str = "alice/risk-analysis/jobs/208";

fn options() -> SimulatorOptions {
    SimulatorOptions::single(KEY, job(208))
}

/// A job of the usual project.
fn job(number: u64) -> Target {
    Target::V1 { owner: "alice".to_owned(), project: "risk-analysis".to_owned(), number }
}

async fn simulator() -> Simulator {
    Simulator::start(options()).await.expect("starts on loopback")
}

/// A simulator with one fault, which happens once.
async fn with(fault: Fault) -> Simulator {
    let simulator = simulator().await;
    simulator.add_fault(FaultRule::once(fault));
    simulator
}

fn client() -> Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .gzip(true)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client")
}

fn start_url(simulator: &Simulator, path: &str) -> String {
    format!("{}/api/v1/projects/{path}/start", simulator.api_url())
}

async fn start_with(
    simulator: &Simulator,
    key: &str,
    path: &str,
    body: &str,
) -> reqwest::Result<Response> {
    client()
        .post(start_url(simulator, path))
        .basic_auth(key, Some(""))
        .header("content-type", "application/json")
        .body(body.to_owned())
        .send()
        .await
}

async fn start(simulator: &Simulator) -> reqwest::Result<Response> {
    start_with(simulator, KEY, PATH, "{}").await
}

/// The status of an answer to this start.
async fn status(simulator: &Simulator, key: &str, path: &str, body: &str) -> u16 {
    start_with(simulator, key, path, body).await.expect("an answer").status().as_u16()
}

/// The error of a start that got no answer, with all its causes.
async fn failure(simulator: &Simulator) -> (reqwest::Error, String) {
    let error = start(simulator).await.expect_err("no answer");
    let told = format!("{error:?}");
    (error, told)
}

/// The bytes of a start request, with further lines in its head.
fn raw_start(lines: &str, body: &str) -> String {
    format!(
        "POST /api/v1/projects/{PATH}/start HTTP/1.1\r\nHost: workbench\r\n\
         Authorization: {AUTHORIZATION}\r\nContent-Type: application/json\r\n{lines}\r\n{body}"
    )
}

async fn connect(simulator: &Simulator) -> TcpStream {
    TcpStream::connect(simulator.api_addr()).await.expect("connects")
}

/// Everything that is answered to these bytes until the other side closes.
async fn answers(simulator: &Simulator, bytes: &[u8]) -> String {
    let mut stream = connect(simulator).await;
    stream.write_all(bytes).await.expect("written");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("text, and an orderly end");
    text
}

/// Reads until the text holds this.
async fn read_until(stream: &mut TcpStream, mark: &str) -> String {
    let mut text = String::new();
    while !text.contains(mark) {
        let mut bytes = [0; 512];
        let length = stream.read(&mut bytes).await.expect("read");
        assert!(length > 0, "the end came before {mark}: {text}");
        text.push_str(std::str::from_utf8(&bytes[..length]).expect("text"));
    }
    text
}
