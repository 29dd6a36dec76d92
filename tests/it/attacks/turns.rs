//! Strangers who take together more than they may wait for their turn. Who is known, and who comes for the first time,
//! does not wait for them. The order of answers shows it, however slow the machine is.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use super::hostile::{Attack, From, Kind};
use super::{Attacked, CONNECTIONS, honest, honest_from};
use crate::common::{ADMIN_TOKEN, PUSH, github_signature};

/// The address that all hostile connections of one address come from.
const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 66, 66, 66);

/// Strangers have so little that a thousand of them wait for seconds.
const SHARE: &str = "  strangers_share: 1";

/// Sends a delivery of this id, and gives the status of the answer.
async fn deliver(
    attacked: &Attacked,
    client: &reqwest::Client,
    id: &str,
    secret_is_right: bool,
) -> u16 {
    let signature =
        if secret_is_right { github_signature(PUSH.as_bytes()) } else { "sha256=00".to_owned() };
    let request = client
        .post(format!("http://{}/hooks/github", attacked.hooks()))
        .header("x-github-event", "push")
        .header("x-github-delivery", id)
        .header("x-hub-signature-256", signature)
        .body(PUSH);
    request.send().await.unwrap_or_else(|error| panic!("{id}: {error:?}")).status().as_u16()
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

/// Waits until so many requests have had to wait that the queue is long.
async fn queue_is_long(attacked: &Attacked, listener: &str) {
    let long = async {
        while waited(attacked, listener).await < CONNECTIONS as u64 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), long).await.expect("strangers wait");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_sender_and_one_who_comes_for_the_first_time_wait_for_no_stranger() {
    let attacked = Attacked::start(SHARE, 16_384).await;
    let known = honest();
    assert_eq!(deliver(&attacked, &known, "first", true).await, 202);
    let to = attacked.hooks();
    let _attack = Attack::start(Kind::Wrong, From::One, CONNECTIONS, to, "/hooks/github").await;
    queue_is_long(&attacked, "hooks").await;
    let stranger = honest_from(ATTACKER);
    let mut stranger = std::pin::pin!(deliver(&attacked, &stranger, "of a stranger", false));
    let others = async {
        for number in 0..2 {
            assert_eq!(deliver(&attacked, &known, &format!("known-{number}"), true).await, 202);
            let newcomer = honest_from(Ipv4Addr::new(127, 77, 0, number + 1));
            assert_eq!(deliver(&attacked, &newcomer, &format!("new-{number}"), true).await, 202);
        }
    };
    tokio::select! {
        biased;
        status = &mut stranger => panic!("the stranger was answered first: {status}"),
        () = others => {}
    }
    assert_eq!(stranger.await, 401, "it is answered all the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "depends on how fast the queue of strangers drains on a busy machine"]
async fn among_a_thousand_addresses_no_first_delivery_is_refused_and_strangers_get_their_share() {
    let attacked = Attacked::start("", 16_384).await;
    let refused = "cdsw_gateway_deliveries_total{source=\"github\",verdict=\"refused\"}";
    let began = Instant::now();
    for kind in [Kind::Wrong, Kind::WrongAnew, Kind::WrongLarge] {
        let to = attacked.hooks();
        let _attack = Attack::start(kind, From::Many, CONNECTIONS, to, "/hooks/github").await;
        for number in 0..20 {
            let newcomer = honest_from(Ipv4Addr::new(127, 78, kind as u8, number + 1));
            let status = deliver(&attacked, &newcomer, &format!("{kind:?}-{number}"), true).await;
            assert_eq!(status, 202, "{kind:?} {number}");
        }
    }
    let refused = counted(&attacked, refused).await;
    // A twentieth of the processors, at 100 µs each; a second of it beforehand, and of each kind those that came while
    // nothing was owed.
    let processors = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let millis = u64::try_from(began.elapsed().as_millis()).expect("short");
    let most = processors * (500 + millis / 2) + 3 * CONNECTIONS as u64;
    assert!(refused > 0 && refused <= most, "{refused} of {most} in {millis} ms");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "depends on how fast the queue of strangers drains on a busy machine"]
async fn the_right_token_waits_for_no_wrong_one_even_from_one_address() {
    let attacked = Attacked::start(SHARE, 16_384).await;
    let to = attacked.admin();
    let _attack = Attack::start(Kind::Wrong, From::Many, CONNECTIONS, to, "/api/pause").await;
    queue_is_long(&attacked, "admin").await;
    // One of the addresses that the attack comes from.
    let client = honest_from(Ipv4Addr::new(127, 66, 0, 1));
    let url = format!("http://{}/api/status", attacked.admin());
    // While it waits, its connection may be closed for another one.
    let ask = async |token: &'static str| loop {
        if let Ok(answer) = client.get(&url).bearer_auth(token).send().await {
            break answer.status().as_u16();
        }
    };
    let mut wrong = std::pin::pin!(ask("not-the-token"));
    tokio::select! {
        biased;
        status = &mut wrong => panic!("the wrong token was answered first: {status}"),
        right = ask(ADMIN_TOKEN) => assert_eq!(right, 200),
    }
}
