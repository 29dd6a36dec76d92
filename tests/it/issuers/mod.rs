//! Issuers that rotate keys, go down, are slow or send too much: a real gateway, a real TLS server
//! with a private authority, requests over sockets. What is counted is what the issuer was asked.

mod rotation;
mod server;
mod sns;
mod trouble;

use cdsw_gateway::providers::find;
use issuer::{OURS, by_rsa, claims_with};
use serde_json::{Value as Json, json};
use server::{KeyServer, Mode};

use crate::common::{self, Site, World, simulator};
use crate::tokens::issuer;

/// The issuer's host; its name leads nowhere but to the test's server.
const HOST: &str = "issuer.example.com";
/// Amazon's host, likewise.
const SNS: &str = "sns.eu-west-1.amazonaws.com";

const SOURCES: &str = include_str!("sources.yaml");
const ROUTES: &str = include_str!("routes.yaml");

/// A gateway that finds its issuers at this server.
async fn world(server: &KeyServer) -> World {
    world_by(server.transport(&[HOST, SNS])).await
}

/// The same, where issuers are reached so.
async fn world_by(transport: cdsw_gateway::issuers::Transport) -> World {
    let simulator = simulator().await;
    let site = Site::new(&simulator.api_url(), ROUTES);
    let usual = std::fs::read_to_string(site.config()).expect("read");
    site.write_config(&usual.replace("\nsources:\n", &format!("\nsources:\n{SOURCES}")));
    World::reaching(site, simulator, transport).await
}

/// A gateway whose issuer publishes the key `a`, which it has fetched.
async fn with_keys() -> (KeyServer, World) {
    let server = KeyServer::start(&[HOST, SNS], published(&["a"])).await;
    let world = world(&server).await;
    until_asked(&server, 1).await;
    assert_eq!(send(&world, &token(&world, "a")).await.0, 202);
    (server, world)
}

/// The issuer publishes our key under these names.
fn published(names: &[&str]) -> Mode {
    let keys: Vec<Json> = names.iter().map(|name| issuer::jwk(&OURS, name)).collect();
    Mode::Publish(json!({ "keys": keys }).to_string())
}

/// A good token, which names this key.
fn token(world: &World, key: &str) -> String {
    use cdsw_gateway::clock::Clock as _;

    let now = world.clock.now().as_second();
    let claims = claims_with(json!({ "iat": now, "nbf": now, "exp": now + 300 }));
    by_rsa(json!({ "alg": "RS256", "kid": key }), &claims, &OURS)
}

/// Sends a delivery with a token; gives the status and when to come back.
async fn send(world: &World, token: &str) -> (u16, Option<String>) {
    let request = world.client.post(world.hook("ci")).bearer_auth(token).body("{}");
    let answer = request.send().await.expect("an answer");
    let retry =
        answer.headers().get("retry-after").map(|value| value.to_str().expect("text").into());
    (answer.status().as_u16(), retry)
}

/// Waits until the issuer was asked so often.
async fn until_asked(server: &KeyServer, times: usize) {
    while server.asked() < times {
        tokio::task::yield_now().await;
    }
}

/// How many fetches of the host ended so.
fn counted(world: &World, host: &str, outcome: &str) -> u64 {
    let text = world.gateway.metrics().text(&Default::default());
    let line =
        format!("cdsw_gateway_issuer_fetches_total{{host=\"{host}\",outcome=\"{outcome}\"}} ");
    let count = text.lines().find_map(|other| other.strip_prefix(&line));
    count.map_or(0, |count| count.parse().expect("a number"))
}

/// Waits until so many fetches of the host ended so.
async fn until_counted(world: &World, host: &str, outcome: &str, times: u64) {
    while counted(world, host, outcome) < times {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_starts_on_the_claims_of_its_token() {
    assert!(find("jwt").is_some());
    let (_server, world) = with_keys().await;
    assert_eq!(world.runs().await, 1);
    let claims = claims_with(json!({ "repository": "acme/other", "jti": "2",
        "iat": null, "nbf": null, "exp": 4_000_000_000_i64 }));
    let other = by_rsa(json!({ "alg": "RS256", "kid": "a" }), &claims, &OURS);
    assert_eq!(send(&world, &other).await.0, 200, "kept, and no route asks for it");
    assert_eq!(world.runs().await, 1);
}
