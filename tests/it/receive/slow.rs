//! Senders that take their time hold up nobody but themselves.

use super::common::PUSH;
use super::{Wire, kept, until, world};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_does_not_end_gives_its_room_back() {
    let server = "  requests_in_flight: 1\n  body_timeout: 200ms";
    let world = world(server).await;
    let mut slow = Wire::to(&world);
    slow.head("github", &["content-length: 100000"]);
    slow.write(b"{");
    until(&world, "requests_in_flight", 1).await;
    until(&world, "in_flight_bytes", 4096).await;
    let (status, _, body) = slow.answer();
    assert_eq!(status, 408);
    assert_eq!(body["error"], "the body did not arrive within the time allowed");
    until(&world, "requests_in_flight", 0).await;
    until(&world, "in_flight_bytes", 0).await;
    assert_eq!(slow.rest(), "", "and it is closed");
    assert_eq!(world.send(world.github("push", "after", PUSH)).await.0, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_over_its_limit_that_does_not_end_is_told_the_limit() {
    let world = world("  body_timeout: 200ms").await;
    let (mut announced, mut chunked) = (Wire::to(&world), Wire::to(&world));
    announced.head("small", &["content-length: 100000"]);
    announced.write(b"{");
    chunked.head("small", &["transfer-encoding: chunked"]);
    chunked.write(format!("{:x}\r\n{}", 100_000, " ".repeat(5000)).as_bytes());
    for mut wire in [announced, chunked] {
        assert_eq!(wire.answer().0, 413);
        assert_eq!(wire.rest(), "", "and it is closed");
    }
    assert!(kept(&world).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_does_not_end_holds_no_place() {
    let server = "  requests_in_flight: 1\n  header_timeout: 200ms";
    let world = world(server).await;
    let headless: Vec<Wire> =
        ["", "P", "PRI * HTTP/2.0\r\n", "POST /hooks/github HTTP/1.1\r\nhost: g\r\nx-a:"]
            .into_iter()
            .map(|begun| {
                let mut wire = Wire::to(&world);
                wire.write(begun.as_bytes());
                wire
            })
            .collect();
    assert_eq!(world.send(world.github("push", "beside", PUSH)).await.0, 202);
    for wire in headless {
        let rest = wire.rest();
        assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 4"), "{rest}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_stays_open_after_an_answer_for_the_idle_time_and_a_new_one_does_not() {
    let world = world("  header_timeout: 100ms\n  idle_timeout: 2s").await;
    let idle = std::time::Duration::from_secs(2);
    let mut served = Wire::to(&world);
    served.write(b"GET /healthz HTTP/1.1\r\nhost: g\r\n\r\n");
    assert_eq!(served.answer().0, 200);
    let (silent, began) = (Wire::to(&world), std::time::Instant::now());
    assert_eq!(silent.rest(), "");
    assert!(began.elapsed() < idle, "a connection that brings nothing is closed early");
    assert_eq!(served.rest(), "");
    assert!(
        began.elapsed() >= idle - std::time::Duration::from_millis(200),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_begins_after_an_answer_has_the_time_of_a_head_and_no_more() {
    let world = world("  header_timeout: 200ms\n  idle_timeout: 1h").await;
    let mut wire = Wire::to(&world);
    for _ in 0..3 {
        wire.write(b"GET /healthz HTTP/1.1\r\nhost: g\r\n\r\n");
        assert_eq!(wire.answer().0, 200);
    }
    wire.write(b"GET /heal");
    let rest = wire.rest();
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 4"), "{rest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_comes_too_slowly_is_not_waited_for_until_its_time_is_over() {
    let world = world("  body_min_rate: 1MiB\n  body_timeout: 1h").await;
    let mut slow = Wire::to(&world);
    slow.head("github", &["content-length: 100000"]);
    slow.write(&[b' '; 50_000]);
    let (status, _, body) = slow.answer();
    assert_eq!(status, 408);
    assert_eq!(body["error"], "the body did not arrive within the time allowed");
    assert_eq!(slow.rest(), "", "and it is closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_no_answers_is_disconnected() {
    let world = world("  write_timeout: 200ms").await;
    let mut deaf = Wire::at(world.gateway.admin().tcp().expect("an address"));
    let requests = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100);
    // The answers fill what the system holds; then the gateway cannot write, and reads no more.
    while std::io::Write::write_all(&mut deaf.0, requests.as_bytes()).is_ok() {}
    let text = world.gateway.metrics().text(&Default::default());
    let line = "cdsw_gateway_connections_ended_total{listener=\"admin\",end=\"stalled\"} 1";
    assert!(text.contains(line), "{text}");
    assert_eq!(world.send(world.github("push", "after", PUSH)).await.0, 202);
}
