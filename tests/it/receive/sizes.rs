//! Bodies over their limit, and more at once than there is room for.

use std::io::Write as _;

use super::common::PUSH;
use super::{Wire, kept, until, world};

/// Room for one body of 1 MiB.
const TIGHT: &str = "  body_limit: 1MiB\n  bytes_in_flight: 1MiB";

const MEBIBYTE: usize = 1 << 20;

fn chunk(length: usize) -> Vec<u8> {
    [format!("{length:x}\r\n").into_bytes(), vec![b' '; length], b"\r\n".to_vec()].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_may_have_a_limit_of_its_own() {
    let world = world("").await;
    let sized = |source: &str, id: &str, length: usize| {
        let mut body = PUSH.as_bytes().to_vec();
        body.resize(length, b' ');
        let secret = super::common::WEBHOOK_SECRET;
        world.signed(source, "push", id, body, secret)
    };
    assert_eq!(world.send(sized("small", "at the limit", 4096)).await.0, 202);
    let (status, answer) = world.send(sized("small", "over it", 4097)).await;
    assert_eq!(status, 413);
    assert_eq!(answer["error"], "the body is over this source's limit of 4096 bytes");
    assert_eq!(world.send(sized("github", "elsewhere", 4097)).await.0, 202);
    assert_eq!(kept(&world).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunked_body_is_measured_as_it_comes() {
    let world = world("").await;
    for (length, expected) in [(4096, 401), (4097, 413)] {
        let mut wire = Wire::to(&world);
        wire.head("small", &["transfer-encoding: chunked"]);
        wire.write(&chunk(4000));
        wire.write(&chunk(length - 4000));
        wire.write(b"0\r\n\r\n");
        let (status, _, body) = wire.answer();
        assert_eq!(status, expected, "{length}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_over_its_limit_takes_no_room_from_others_while_it_is_read() {
    let world = world(TIGHT).await;
    let (mut announced, mut chunked) = (Wire::to(&world), Wire::to(&world));
    announced.head("github", &[&format!("content-length: {}", 48 * MEBIBYTE)]);
    chunked.head("github", &["transfer-encoding: chunked"]);
    // More than the two ends' buffers hold, so the gateway is far beyond the limit afterwards.
    for _ in 0..32 {
        announced.write(&vec![b' '; MEBIBYTE]);
        chunked.write(&chunk(MEBIBYTE));
    }
    let mut whole_room = PUSH.as_bytes().to_vec();
    whole_room.resize(MEBIBYTE, b' ');
    assert_eq!(world.send(world.github("push", "beside", whole_room)).await.0, 202);
    for _ in 0..16 {
        announced.write(&vec![b' '; MEBIBYTE]);
        chunked.write(&chunk(MEBIBYTE));
    }
    chunked.write(b"0\r\n\r\n");
    for mut wire in [announced, chunked] {
        let (status, _, body) = wire.answer();
        assert_eq!(status, 413);
        assert_eq!(body["error"], "the body is over this source's limit of 1048576 bytes");
    }
    assert_eq!(kept(&world).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_without_end_is_cut_off() {
    let world = world(TIGHT).await;
    let mut wire = Wire::to(&world);
    wire.head("github", &["transfer-encoding: chunked"]);
    let piece = chunk(MEBIBYTE);
    let written = (0..256).take_while(|_| wire.0.write_all(&piece).is_ok()).count();
    assert!((64..256).contains(&written), "{written} MiB were taken");
    until(&world, "requests_in_flight", 0).await;
    assert_eq!(world.send(world.github("push", "after", PUSH)).await.0, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_before_sending_too_much_is_told_at_once() {
    let world = world("").await;
    let mut wire = Wire::to(&world);
    let length = format!("content-length: {}", 30 * MEBIBYTE);
    wire.head("github", &[&length, "expect: 100-continue"]);
    assert_eq!(wire.answer().0, 413, "not one byte of the body was sent");
    let mut wire = Wire::to(&world);
    wire.head("anyone", &["content-length: 2", "expect: 100-continue"]);
    assert!(wire.head_of_answer().starts_with("HTTP/1.1 100 "));
    wire.write(b"{}");
    assert_eq!(wire.answer().0, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunked_body_that_finds_no_room_is_turned_away_and_others_are_not() {
    let world = world(TIGHT).await;
    let mut first = Wire::to(&world);
    first.head("github", &[&format!("content-length: {}", MEBIBYTE - 8191)]);
    first.write(&vec![b' '; MEBIBYTE - 8192]);
    until(&world, "in_flight_bytes", (MEBIBYTE - 8192) as i64).await;
    let mut second = Wire::to(&world);
    second.head("github", &["transfer-encoding: chunked"]);
    second.write(&chunk(8193));
    let (status, head, body) = second.answer();
    assert_eq!(
        (status, body["error"].as_str()),
        (503, Some("too many bytes in flight from one address; try again later"))
    );
    assert!(head.contains("retry-after: 5\r\n"), "{head}");
    assert_eq!(world.send(world.github("push", "fits", PUSH)).await.0, 202);
    drop(first);
    until(&world, "in_flight_bytes", 0).await;
    let mut again = Wire::to(&world);
    again.head("github", &["transfer-encoding: chunked"]);
    again.write(&chunk(8193));
    again.write(b"0\r\n\r\n");
    assert_eq!(again.answer().0, 401, "there is room for it now");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_length_that_is_only_announced_takes_no_room() {
    let world = world(TIGHT).await;
    let silent: Vec<Wire> = (0..20)
        .map(|_| {
            let mut wire = Wire::to(&world);
            wire.head("github", &[&format!("content-length: {MEBIBYTE}")]);
            wire
        })
        .collect();
    until(&world, "requests_in_flight", 20).await;
    until(&world, "in_flight_bytes", 0).await;
    assert_eq!(world.send(world.github("push", "beside", PUSH)).await.0, 202);
    drop(silent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_body_that_is_still_sent_is_stopped_for_a_small_one_of_another_client() {
    let world = world(&format!("{TIGHT}\n  trusted_proxies: [127.0.0.0/8]")).await;
    let mut large = Wire::to(&world);
    large.head("github", &[&format!("content-length: {MEBIBYTE}"), "x-forwarded-for: 203.0.113.1"]);
    large.write(&vec![b' '; MEBIBYTE - 4096]);
    until(&world, "in_flight_bytes", (MEBIBYTE - 4096) as i64).await;
    let small = world.github("push", "beside", PUSH).header("x-forwarded-for", "203.0.113.2");
    let mut room = PUSH.as_bytes().to_vec();
    room.resize(5000, b' ');
    let second = world.github("push", "larger", room).header("x-forwarded-for", "203.0.113.3");
    assert_eq!(world.send(small).await.0, 202);
    assert_eq!(world.send(second).await.0, 202);
    let (status, _, body) = large.answer();
    assert_eq!(
        (status, body["error"].as_str()),
        (503, Some("too many bytes in flight; try again later"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_client_cannot_take_every_place() {
    let world = world("  requests_in_flight: 4\n  trusted_proxies: [127.0.0.0/8]").await;
    let one_more = || {
        let mut wire = Wire::to(&world);
        wire.head("github", &["content-length: 2", "x-forwarded-for: 203.0.113.1"]);
        wire.write(b"{");
        wire
    };
    let _held = [one_more(), one_more()];
    until(&world, "requests_in_flight", 2).await;
    for _ in 0..3 {
        let (status, _, body) = one_more().answer();
        assert_eq!(status, 503);
        assert_eq!(body["error"], "too many requests in flight from one address; try again later");
    }
    let other = world.github("push", "one", PUSH).header("x-forwarded-for", "203.0.113.2");
    assert_eq!(world.send(other).await.0, 202);
}
