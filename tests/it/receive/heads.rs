//! Heads of requests that are not what HTTP/1.1 asks for, on both listeners: refused, counted and logged.

use super::common::{PUSH, World, github_signature};
use super::{Wire, kept, until, world};

/// A signed push with these lines in its head, written as it is.
fn request(lines: &str, body: &str) -> String {
    let signature = github_signature(PUSH.as_bytes());
    format!(
        "POST /hooks/github HTTP/1.1\r\nx-github-event: push\r\nx-github-delivery: one\r\n\
         x-hub-signature-256: {signature}\r\n{lines}\r\n{body}"
    )
}

fn chunked() -> String {
    format!("{:x}\r\n{PUSH}\r\n0\r\n\r\n", PUSH.len())
}

/// The status of the answer, after which the connection is closed.
fn only_answer(world: &World, request: &str) -> u16 {
    let mut wire = Wire::to(world);
    wire.write(request.as_bytes());
    let (status, head, _) = wire.answer();
    assert!(head.contains("connection: close"), "{head}");
    assert_eq!(wire.rest(), "", "nothing follows");
    status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_names_one_host_and_frames_its_body_in_one_way() {
    let world = world("").await;
    let length = format!("content-length: {}\r\n", PUSH.len());
    let coded = "transfer-encoding: chunked\r\n";
    for (lines, body, status) in [
        (length.clone(), PUSH.to_owned(), 400),
        (format!("host: a\r\nhost: a\r\n{length}"), PUSH.to_owned(), 400),
        (format!("host: a\r\n{coded}{length}"), chunked(), 400),
        (format!("host: a\r\n{length}{coded}"), chunked(), 400),
        ("host: a\r\ntransfer-encoding: gzip, chunked\r\n".to_owned(), chunked(), 501),
    ] {
        assert_eq!(only_answer(&world, &request(&lines, &body)), status, "{lines}");
    }
    assert!(kept(&world).await.is_empty());
    let name = "connections_ended_total{listener=\"hooks\",end=";
    until(&world, &format!("{name}\"bad_head\"}}"), 2).await;
    until(&world, &format!("{name}\"bad_framing\"}}"), 3).await;
    // What is as it should be is taken, also from a client of HTTP/1.0, which names no host.
    let mut wire = Wire::to(&world);
    wire.write(request(&format!("host: a\r\n{coded}"), &chunked()).as_bytes());
    assert_eq!(wire.answer().0, 202);
    let old = request(&length, PUSH).replace("HTTP/1.1", "HTTP/1.0");
    let mut wire = Wire::to(&world);
    wire.write(old.as_bytes());
    assert_eq!(wire.answer().0, 200, "a repeat");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_admin_listener_is_as_strict() {
    let world = world("").await;
    for (lines, status) in [("", 400), ("host: a\r\nhost: a\r\n", 400)] {
        let mut wire = Wire::at(world.gateway.admin().tcp().expect("an address"));
        wire.write(format!("GET /livez HTTP/1.1\r\n{lines}\r\n").as_bytes());
        assert_eq!(wire.answer().0, status);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_http_layer_refuses_is_counted_by_its_cause() {
    let world = world("").await;
    let many: String = (0..101).map(|number| format!("x-{number}: y\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(64 * 1024));
    for (bytes, end) in [
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n\r\n".to_vec(), "proxy_protocol"),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec(), "proxy_protocol"),
        (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03".to_vec(), "tls"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), "http2"),
        (request(&format!("host: a\r\n{many}"), "").into_bytes(), "large_head"),
        (request(&format!("host: a\r\n{long}"), "").into_bytes(), "large_head"),
        (b"POST /hooks/github HTTP/1.1\r\nhost a\r\n\r\n".to_vec(), "bad_head"),
    ] {
        let metric = format!("connections_ended_total{{listener=\"hooks\",end=\"{end}\"}}");
        let before = number(&world, &metric);
        let mut wire = Wire::to(&world);
        wire.write(&bytes);
        wire.rest();
        until(&world, &metric, before + 1).await;
    }
}

fn number(world: &World, metric: &str) -> i64 {
    let name = format!("cdsw_gateway_{metric} ");
    let text = world.gateway.metrics().text(&Default::default());
    let line = text.lines().find_map(|line| line.strip_prefix(&*name).map(str::to_owned));
    line.map_or(0, |number| number.parse().expect("a number"))
}
