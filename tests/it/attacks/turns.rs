//! Strangers who take together more than they may wait for their turn. Who is known does not wait for them, and who
//! comes for the first time is not refused. The counter of those that had to wait shows it, however slow the machine is.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use super::hostile::{Attack, From, Kind, connect};
use super::{Attacked, CONNECTIONS, honest, honest_from};
use crate::common::{ADMIN_TOKEN, PUSH, github_signature};

/// Strangers have so little that hundreds of them wait for seconds.
const SHARE: &str = "  strangers_share: 1";

/// Sends a delivery of this id, and gives the status of the answer; none where there was no answer.
async fn deliver(to: SocketAddr, client: &reqwest::Client, id: &str) -> Option<u16> {
    let request = client
        .post(format!("http://{to}/hooks/github"))
        .header("x-github-event", "push")
        .header("x-github-delivery", id)
        .header("x-hub-signature-256", github_signature(PUSH.as_bytes()))
        .body(PUSH);
    request.send().await.ok().map(|answer| answer.status().as_u16())
}

/// The value of a counter.
async fn counted(attacked: &Attacked, line: &str) -> u64 {
    let url = format!("http://{}/metrics", attacked.admin());
    // Where the attack is on this listener, a connection that has proved nothing may be closed for another one.
    let text = loop {
        let Ok(answer) = honest().get(&url).bearer_auth(ADMIN_TOKEN).send().await else { continue };
        if let Ok(text) = answer.text().await {
            break text;
        }
    };
    let found = text.lines().find_map(|of| of.strip_prefix(line)?.trim().parse().ok());
    found.unwrap_or(0)
}

async fn waited(attacked: &Attacked, listener: &str) -> u64 {
    let line = format!("cdsw_gateway_strangers_waited_total{{listener=\"{listener}\"}}");
    counted(attacked, &line).await
}

/// So many requests of strangers wait at once that it takes strangers' share of the processors a while.
const WAITING: u32 = 400;
/// How often it is tried to see something while strangers wait: on a busy machine they may have had their turn before.
const TRIES: u8 = 20;

/// Sends a request from this address and waits for its answer, or until its connection is closed for another one.
async fn of_a_stranger(address: Ipv4Addr, to: SocketAddr, head: &str) {
    let Ok(mut stream) = connect(address, to).await else { return };
    let request = format!("{head}\r\nhost: {to}\r\nconnection: close\r\n\r\n");
    if stream.write_all(request.as_bytes()).await.is_ok() {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
}

/// Sends requests of strangers, each from an address of its own, and looks at `act` while some of them wait: it must
/// not wait itself. In a try that sees this, nobody's wait was counted while `act` ran; where `act` waits, each try
/// sees one more.
async fn waits_for_no_stranger(
    attacked: &Attacked,
    (listener, to): (&str, SocketAddr),
    head: &'static str,
    act: impl AsyncFn(u8),
) {
    for number in 0..TRIES {
        let before = waited(attacked, listener).await;
        let mut strangers = JoinSet::new();
        for other in 0..WAITING {
            let [.., high, low] = other.to_be_bytes();
            let address = Ipv4Addr::new(127, 80 + number, high, low);
            strangers.spawn(of_a_stranger(address, to, head));
        }
        // Nearly all of them have come: each was answered or waits, some both.
        let seen = loop {
            let seen = waited(attacked, listener).await;
            while strangers.try_join_next().is_some() {}
            if seen - before >= strangers.len() as u64 {
                break seen;
            }
        };
        act(number).await;
        let now = waited(attacked, listener).await;
        while strangers.try_join_next().is_some() {}
        let some_wait = !strangers.is_empty();
        while strangers.join_next().await.is_some() {}
        if some_wait && now == seen {
            return;
        }
    }
    panic!("it waited with the strangers, each time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_sender_waits_for_no_stranger() {
    let attacked = Attacked::start(SHARE, 16_384).await;
    let known = honest();
    assert_eq!(deliver(attacked.hooks(), &known, "first").await, Some(202));
    let to = attacked.hooks();
    let wrong = "POST /hooks/github HTTP/1.1\r\ncontent-length: 0\r\nx-github-event: push\r\n\
                 x-hub-signature-256: sha256=00";
    let act = async |number| {
        let id = format!("known-{number}");
        assert_eq!(deliver(to, &known, &id).await, Some(202), "{id}");
    };
    waits_for_no_stranger(&attacked, ("hooks", to), wrong, act).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_token_waits_for_no_wrong_one() {
    let attacked = Attacked::start(SHARE, 16_384).await;
    let url = format!("http://{}/api/status", attacked.admin());
    let wrong = "GET /api/status HTTP/1.1\r\nauthorization: Bearer not-the-token";
    let client = honest();
    let act = async |_| {
        let answer = client.get(&url).bearer_auth(ADMIN_TOKEN).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
    };
    waits_for_no_stranger(&attacked, ("admin", attacked.admin()), wrong, act).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn among_a_thousand_addresses_no_first_delivery_is_refused() {
    let attacked = Attacked::start("", 16_384).await;
    for kind in [Kind::Wrong, Kind::WrongAnew, Kind::WrongLarge] {
        let to = attacked.hooks();
        let _attack = Attack::start(kind, From::Many, CONNECTIONS, to, "/hooks/github").await;
        for number in 0..20 {
            let newcomer = honest_from(Ipv4Addr::new(127, 78, kind as u8, number + 1));
            let status = deliver(to, &newcomer, &format!("{kind:?}-{number}")).await;
            assert_eq!(status, Some(202), "{kind:?} {number}");
        }
    }
}
