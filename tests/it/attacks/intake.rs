//! A thousand hostile connections of each kind, and deliveries from elsewhere.

use super::hostile::{Attack, From, Kind};
use super::{Attacked, CONNECTIONS, MEMORY, honest};
use crate::common::{PUSH, github_signature};

/// Sends deliveries while an attack goes on, the last of them a large one. Each is answered 202.
async fn deliver(attacked: &Attacked, client: &reqwest::Client, label: &str) {
    let filled = PUSH.replacen('{', &format!("{{\"fill\": \"{}\", ", "x".repeat(2 << 20)), 1);
    for number in 0..=10 {
        let body = if number < 10 { PUSH.to_owned() } else { filled.clone() };
        let sent = client
            .post(format!("http://{}/hooks/github", attacked.hooks()))
            .header("x-github-event", "push")
            .header("x-github-delivery", format!("{label}-{number}"))
            .header("x-hub-signature-256", github_signature(body.as_bytes()))
            .body(body)
            .send()
            .await;
        let answer = sent.unwrap_or_else(|error| panic!("{label}: delivery {number}: {error:?}"));
        let status = answer.status().as_u16();
        assert_eq!(status, 202, "{label}: {}", answer.text().await.unwrap_or_default());
    }
}

async fn every_kind(attacked: &Attacked, from: From) {
    let client = honest();
    for kind in Kind::ALL {
        let to = attacked.hooks();
        let attack = Attack::start(kind, from, CONNECTIONS, to, "/hooks/github").await;
        deliver(attacked, &client, &format!("{kind:?}-{from:?}")).await;
        drop(attack);
    }
    let memory = attacked.memory();
    assert!(memory < MEMORY, "{memory} kB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_hostile_connections_of_any_kind_cost_no_delivery() {
    let attacked = Attacked::start("", 16_384).await;
    every_kind(&attacked, From::One).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_do_they_where_the_process_may_open_few_files() {
    let attacked = Attacked::start("", 1024).await;
    every_kind(&attacked, From::Many).await;
    let log = attacked.site.path("gateway.db");
    assert!(log.exists(), "the store is where it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_whose_lines_end_with_a_bare_line_feed_is_answered_400_by_both_listeners() {
    use std::io::{Read as _, Write as _};
    let world = crate::common::World::start(crate::common::ON_PUSH).await;
    let admin = world.gateway.admin().tcp().expect("an address");
    for address in [world.hooks(), admin] {
        for head in [
            "GET /livez HTTP/1.1\nhost: localhost\r\n\r\n",
            "GET /livez HTTP/1.1\r\nhost: localhost\nx: y\r\n\r\n",
            "GET /livez HTTP/1.1\r\nhost: localhost\r\n\n",
            "POST /x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\n\r\n\nGET /livez HTTP/1.1\nhost: localhost\r\n\r\n",
        ] {
            let mut stream = std::net::TcpStream::connect(address).expect("it connects");
            stream.write_all(head.as_bytes()).expect("written");
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer);
            // The last one is behind another request, whose answer ends the connection.
            let ends = answer.contains("HTTP/1.1 400") || answer.contains("connection: close");
            assert!(ends, "{head:?}: {answer}");
            assert!(!answer.contains("HTTP/1.1 200"), "{head:?}: {answer}");
        }
    }
}
