//! Bad input gets a clear error and loses nothing: what each wrong request is told, over sockets.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::common::{GITLAB_TOKEN, ON_PUSH, PUSH, World, github_signature};

/// A request written byte by byte, and whatever comes back.
fn raw(world: &World, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(world.hooks()).expect("connects");
    stream.write_all(request).expect("written");
    stream.shutdown(std::net::Shutdown::Write).expect("no more");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// A signed push with these header lines in place of the usual ones.
fn with_headers(lines: &[&[u8]]) -> Vec<u8> {
    let mut request =
        b"POST /hooks/github HTTP/1.1\r\nhost: gateway\r\nx-github-event: push\r\n".to_vec();
    for line in lines {
        request.extend_from_slice(line);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(format!("content-length: {}\r\n\r\n{PUSH}", PUSH.len()).as_bytes());
    request
}

async fn kept(world: &World) -> usize {
    let filter = cdsw_gateway::store::DeliveryFilter { limit: 100, ..Default::default() };
    world.gateway.store().deliveries(filter).await.expect("read").len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unreadable_bodies_are_told_what_is_wrong_and_where() {
    let world = World::start(ON_PUSH).await;
    let cases: [(&[u8], &str); 8] = [
        (b"", "empty"),
        (b"not JSON at all", "line 1"),
        (b"{\"ref\": \"x\",\n  \"commits\": [,]}", "line 2"),
        (b"{\"ref\": \"\xff\xfe\"}", "UTF-8"),
        (b"{} {}", "column 4"),
        (b"{\"ref\": ", "line 1"),
        (b"payload=%7B%22ref", "line 1"),
        (b"payload=%ZZ", "byte 8"),
    ];
    for (number, (body, says)) in cases.into_iter().enumerate() {
        let request = world.github("push", &format!("bad-{number}"), body);
        let (status, answer) = world.send(request).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert_eq!(status, 400, "{says}: {answer}");
        assert!(error.contains(says), "case {number} wants `{says}`: {error}");
    }
    assert_eq!(kept(&world).await, 0);
    assert_eq!(world.send(world.github("push", "good", PUSH)).await.0, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_body_is_read_as_its_payload() {
    let world = World::start(ON_PUSH).await;
    let mut body = String::from("payload=");
    for byte in PUSH.bytes() {
        body.push_str(&format!("%{byte:02X}"));
    }
    let request = world
        .github("push", "form", body)
        .header("content-type", "application/x-www-form-urlencoded");
    let (status, answer) = world.send(request).await;
    assert_eq!(status, 202, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signatures_that_are_wrong_in_any_way_get_the_same_401() {
    let world = World::start(ON_PUSH).await;
    let good = github_signature(PUSH.as_bytes());
    let signature = |value: &str| format!("x-hub-signature-256: {value}").into_bytes();
    let (right, other) = (signature(&good), signature(&github_signature(b"another body")));
    let bare = signature(good.trim_start_matches("sha256="));
    let cases: Vec<(&str, Vec<&[u8]>)> = vec![
        ("none", vec![]),
        ("of another body", vec![&other]),
        ("without its prefix", vec![&bare]),
        ("twice", vec![&right, &right]),
        ("twice, one wrong", vec![&right, &other]),
        ("not ASCII", vec!["x-hub-signature-256: sha256=äöü".as_bytes()]),
        ("not UTF-8", vec![b"x-hub-signature-256: sha256=\xff\xfe"]),
        ("empty", vec![b"x-hub-signature-256:"]),
        (
            "the older kind alone",
            vec![b"x-hub-signature: sha1=3374ef144403e8035423b23b02e2c9d7a4c50368"],
        ),
    ];
    let mut bodies = std::collections::BTreeSet::new();
    for (what, lines) in &cases {
        let answer = raw(&world, &with_headers(lines));
        assert!(answer.starts_with("HTTP/1.1 401 "), "{what}: {answer}");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        bodies.insert(body.to_owned());
    }
    assert_eq!(bodies.len(), 1, "a stranger learns nothing from the answers: {bodies:?}");
    assert_eq!(kept(&world).await, 0);
    let (_, refusals) = world.api(reqwest::Method::GET, "/api/refusals/github", None).await;
    let refusals = refusals["refusals"].as_array().expect("a list");
    assert_eq!(refusals.len(), cases.len(), "people can see why");
    let reasons: std::collections::BTreeSet<&str> =
        refusals.iter().filter_map(|refused| refused["reason"].as_str()).collect();
    assert!(reasons.len() >= 4, "{reasons:?}");
    let answer = raw(&world, &with_headers(&[&right]));
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_methods_and_strange_requests_get_their_answers() {
    let world = World::start(ON_PUSH).await;
    let get = |path: &str| world.client.get(format!("http://{}{path}", world.hooks()));
    let answer = get("/hooks/github").send().await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["allow"]),
        (405, &"POST".parse().expect("a value"))
    );
    for path in ["/hooks/nobody", "/", "/hooks", "/hooks/github/more", "/metrics", "/api/runs"] {
        let request = world.client.post(format!("http://{}{path}", world.hooks()));
        let (status, answer) = world.send(request.body("{}")).await;
        assert_eq!(status, 404, "{path}: {answer}");
        assert!(answer["error"].is_string(), "{path}");
    }
    let garbage = raw(&world, b"\x16\x03\x01\x02\x00\x01 hello\r\n\r\n");
    assert!(garbage.is_empty() || garbage.starts_with("HTTP/1.1 400"), "{garbage}");
    let mut huge = b"POST /hooks/github HTTP/1.1\r\nx-big: ".to_vec();
    huge.resize(200_000, b'a');
    huge.extend_from_slice(b"\r\n\r\n");
    let mut stream = TcpStream::connect(world.hooks()).expect("connects");
    let _ = stream.write_all(&huge);
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.is_empty() || answer.contains(" 431 ") || answer.contains(" 400 "), "{answer}");
    assert_eq!(world.send(world.github("push", "good", PUSH)).await.0, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_over_the_limit_is_told_the_limit_announced_or_not() {
    let world = World::start(ON_PUSH).await;
    let large = vec![b' '; 30 << 20];
    let (status, answer) = world.send(world.github("push", "announced", large.clone())).await;
    assert_eq!(status, 413, "{answer}");
    assert!(answer["error"].as_str().expect("words").contains("26214400 bytes"), "{answer}");
    // In chunks, so that nothing is announced.
    let mut stream = TcpStream::connect(world.hooks()).expect("connects");
    stream
        .write_all(b"POST /hooks/github HTTP/1.1\r\nhost: g\r\ntransfer-encoding: chunked\r\n\r\n")
        .expect("written");
    let chunk =
        [format!("{:x}\r\n", 1 << 20).into_bytes(), vec![b' '; 1 << 20], b"\r\n".to_vec()].concat();
    for _ in 0..30 {
        stream.write_all(&chunk).expect("it reads on");
    }
    stream.write_all(b"0\r\n\r\n").expect("it reads to the end");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 413");
    assert_eq!(kept(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_sender_holds_only_its_own_connection() {
    let server = "  body_timeout: 300ms\n  header_timeout: 300ms";
    let world = World::start_with(ON_PUSH, server, "").await;
    let mut slow = TcpStream::connect(world.hooks()).expect("connects");
    slow.write_all(b"POST /hooks/github HTTP/1.1\r\nhost: g\r\ncontent-length: 100\r\n\r\n{")
        .expect("written");
    let silent = TcpStream::connect(world.hooks()).expect("connects");
    let mut undecided = TcpStream::connect(world.hooks()).expect("connects");
    undecided.write_all(b"PRI * HT").expect("written");
    let mut headless = TcpStream::connect(world.hooks()).expect("connects");
    headless.write_all(b"POST /hooks/github HTTP/1.1\r\nhost:").expect("written");
    for number in 0..20 {
        let request = world.github("push", &format!("beside-{number}"), PUSH);
        assert_eq!(world.send(request).await.0, 202);
    }
    let mut answer = String::new();
    let _ = slow.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    // Each is closed, or this would never end.
    for mut stream in [headless, silent, undecided] {
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_much_in_flight_is_turned_away_and_what_fits_is_not() {
    let server =
        "  requests_in_flight: 2\n  body_limit: 1MiB\n  bytes_in_flight: 1MiB\n  client_share: 100";
    let world = World::start_with(ON_PUSH, server, "").await;
    // All of a body but its last byte.
    let stall = |length: usize| {
        let mut stream = TcpStream::connect(world.hooks()).expect("connects");
        let head =
            format!("POST /hooks/github HTTP/1.1\r\nhost: g\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("written");
        stream.write_all(&vec![b' '; length - 1]).expect("written");
        stream
    };
    let held = async |metric: &str, count: i64| {
        let wanted = format!("cdsw_gateway_{metric} {count}");
        while !world.gateway.metrics().text(&Default::default()).contains(&wanted) {
            tokio::task::yield_now().await;
        }
    };
    let first = stall(1 << 20);
    held("in_flight_bytes", 1 << 20).await;
    let answer = world.github("push", "bytes", PUSH).send().await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), answer.headers().contains_key("retry-after")),
        (503, true)
    );
    drop(first);
    held("requests_in_flight", 0).await;
    let both = [stall(10), stall(10)];
    held("requests_in_flight", 2).await;
    let answer = world.github("push", "requests", PUSH).send().await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), answer.headers().contains_key("retry-after")),
        (503, true)
    );
    drop(both);
    held("requests_in_flight", 0).await;
    held("in_flight_bytes", 0).await;
    assert_eq!(world.send(world.github("push", "after", PUSH)).await.0, 202);
    assert_eq!(kept(&world).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_store_cannot_keep_is_never_answered_2xx() {
    let world = World::start(ON_PUSH).await;
    assert_eq!(world.send(world.github("push", "before", PUSH)).await.0, 202);
    // Somebody's tool sits on the database: no write gets through.
    let other = rusqlite::Connection::open(world.site.path("gateway.db")).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("it has the lock");
    let answer = world.github("push", "during", PUSH).send().await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), answer.headers().contains_key("retry-after")),
        (503, true)
    );
    let (status, ready) = world.send(world.client.get(world.admin("/readyz"))).await;
    assert_eq!((status, &ready["ready"]), (503, &false.into()), "{ready}");
    other.execute_batch("ROLLBACK").expect("let go");
    let (status, answer) = world.send(world.github("push", "during", PUSH)).await;
    assert_eq!((status, answer.get("duplicate")), (202, None), "it was not kept before: {answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_half_sent_at_the_stop_is_still_answered() {
    let world = World::start(ON_PUSH).await;
    let request = with_headers(&[
        format!("x-hub-signature-256: {}", github_signature(PUSH.as_bytes())).as_bytes(),
        b"x-github-delivery: half",
    ]);
    let (first, rest) = request.split_at(request.len() - 10);
    let mut stream = TcpStream::connect(world.hooks()).expect("connects");
    stream.write_all(first).expect("written");
    while !world
        .gateway
        .metrics()
        .text(&Default::default())
        .contains("cdsw_gateway_requests_in_flight 1")
    {
        tokio::task::yield_now().await;
    }
    let address = world.hooks();
    let World { gateway, site, .. } = world;
    let stopping = tokio::spawn(gateway.stop(std::time::Duration::from_secs(20)));
    while TcpStream::connect(address).is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(rest).expect("still read");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    stopping.await.expect("stopped");
    let reader = rusqlite::Connection::open(site.path("gateway.db")).expect("opens");
    let runs: i64 =
        reader.query_row("SELECT count(*) FROM runs", [], |row| row.get(0)).expect("read");
    assert_eq!(runs, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_or_missing_token_is_refused_and_a_right_one_is_not_kept() {
    let world = World::start("  g:\n    on: { source: gitlab }\n    job: retrain\n").await;
    let hook = |token: &str| {
        let request = world.client.post(world.hook("gitlab")).header("x-gitlab-event", "Push Hook");
        request.header("x-gitlab-token", token).body(r#"{"object_kind":"push"}"#)
    };
    assert_eq!(world.send(hook("wrong")).await.0, 401);
    assert_eq!(world.send(hook("")).await.0, 401);
    let (status, answer) = world.send(hook(GITLAB_TOKEN)).await;
    assert_eq!(status, 202, "{answer}");
    let id = answer["delivery"].as_str().expect("an id");
    let (_, view) = world.api(reqwest::Method::GET, &format!("/api/deliveries/{id}"), None).await;
    let headers = view["headers"].to_string();
    assert!(headers.contains("x-gitlab-event") && !headers.contains("x-gitlab-token"), "{headers}");
}
