//! HTTP itself: valid and malformed requests that the gateway's own client would not send.

use super::*;

#[tokio::test]
async fn a_connection_takes_one_request_after_another() {
    let simulator = simulator().await;
    let one = raw_start("", "");
    let chunked = raw_start(
        "Transfer-Encoding: chunked\r\n",
        "10;note=x\r\n{\"environment\": \r\na\r\n{\"A\":\"1\"}}\r\n0\r\nTrailer: t\r\n\r\n",
    );
    let last = raw_start("Connection: close\r\nContent-Length: 2\r\n", "{}");
    let text = answers(&simulator, [one, chunked, last].concat().as_bytes()).await;
    assert_eq!(text.matches("HTTP/1.1 200 OK\r\n").count(), 3, "{text}");
    assert_eq!(text.matches("Connection: close\r\n").count(), 1, "{text}");
    assert_eq!(simulator.requests()[1].environment["A"], "1");
    assert_eq!(simulator.runs().len(), 3);
}

#[tokio::test]
async fn the_usual_answer_is_the_vendors_example() {
    let simulator = simulator().await;
    let text = answers(&simulator, raw_start("Connection: close\r\n", "").as_bytes()).await;
    let engine_id = &simulator.runs()[0].engine_id;
    let wanted = format!(
        "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\n\
         Content-Type: application/json; charset=utf-8\r\nVary: Accept-Encoding\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
         25\r\n{{\n  \"engine_id\": \"{engine_id}\"\n}}\r\n0\r\n\r\n"
    );
    assert_eq!(text, wanted);
}

#[tokio::test]
async fn a_client_of_http_1_0_gets_no_chunks() {
    let simulator = simulator().await;
    let request = raw_start("", "").replace("HTTP/1.1", "HTTP/1.0");
    let text = answers(&simulator, request.as_bytes()).await;
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    assert!(!head.contains("chunked"), "{head}");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["engine_id"], simulator.runs()[0].engine_id.as_str());
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_go_on() {
    let simulator = simulator().await;
    let mut stream = connect(&simulator).await;
    let head = raw_start("Expect: 100-continue\r\nContent-Length: 2\r\n", "");
    stream.write_all(head.as_bytes()).await.expect("written");
    assert_eq!(read_until(&mut stream, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"{}").await.expect("written");
    read_until(&mut stream, "engine_id").await;
}

#[tokio::test]
async fn a_head_that_comes_in_pieces_is_read_whole() {
    let simulator = simulator().await;
    let mut stream = connect(&simulator).await;
    let request = raw_start("Content-Length: 2\r\n", "{}");
    for part in request.as_bytes().chunks(7) {
        stream.write_all(part).await.expect("written");
        tokio::task::yield_now().await;
    }
    read_until(&mut stream, "engine_id").await;
}

#[tokio::test]
async fn what_is_not_http_is_refused_in_words_and_harms_nobody() {
    let simulator = simulator().await;
    let long = format!("X: {}\r\n", "x".repeat(70 * 1024));
    let many = format!("Content-Length: 2000000\r\n\r\n{}", "x".repeat(2_000_000));
    let cases: Vec<(u16, String)> = vec![
        (400, "\x16\x03\x01 this is TLS, perhaps\r\n\r\n".to_owned()),
        (400, "\r\n\r\n".to_owned()),
        (400, "GET relative HTTP/1.1\r\n\r\n".to_owned()),
        (400, "GET /a\x1b[2J HTTP/1.1\r\n\r\n".to_owned()),
        (505, "GET / HTTP/3\r\n\r\n".to_owned()),
        (400, raw_start("no colon\r\n", "")),
        (400, raw_start("Bad Name: x\r\n", "")),
        (400, raw_start("Content-Length: -1\r\n", "")),
        (400, raw_start("Content-Length: +2\r\n", "{}")),
        (400, raw_start("Content-Length: 2\r\nContent-Length: 3\r\n", "{}")),
        (400, raw_start("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        (400, raw_start("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")),
        (400, raw_start("Transfer-Encoding: chunked\r\n", "x\r\n")),
        (400, raw_start("Transfer-Encoding: chunked\r\n", "+2\r\n{}\r\n0\r\n\r\n")),
        (400, raw_start("Transfer-Encoding: chunked\r\n", "1\r\n{}\r\n0\r\n\r\n")),
        (413, raw_start("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\nffffffffffffffff\r\n")),
        (400, raw_start("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n")),
        (400, raw_start("Transfer-Encoding: chunked\r\n", &"1".repeat(5000))),
        (413, raw_start("Content-Length: 1048577\r\n", "")),
        (413, raw_start("Content-Length: 99999999999999999999999\r\n", "")),
        (413, raw_start(&many, "")),
        (431, raw_start(&long, "")),
    ];
    for (status, bytes) in &cases {
        let text = answers(&simulator, bytes.as_bytes()).await;
        let start: String = bytes.chars().take(300).collect();
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{start:?}: {text}");
        assert!(text.contains(r#"{"message":"#) && text.contains("Connection: close"), "{text}");
    }
    assert_eq!(simulator.runs(), []);
    assert_eq!(simulator.requests().len(), cases.len());
    assert_eq!(start(&simulator).await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_body_of_a_mebibyte_is_read() {
    let simulator = simulator().await;
    let text = "x".repeat(1024 * 1024 - r#"{"environment":{"A":""}}"#.len());
    let body = format!(r#"{{"environment":{{"A":"{text}"}}}}"#);
    assert_eq!(status(&simulator, KEY, PATH, &body).await, 200);
    assert_eq!(status(&simulator, KEY, PATH, &format!("{body} ")).await, 413);
}

#[tokio::test]
async fn a_client_that_goes_away_in_between_is_no_request() {
    let simulator = simulator().await;
    let request = raw_start("Content-Length: 10\r\n", "{}");
    for part in ["", "POST /api", request.as_str()] {
        let mut stream = connect(&simulator).await;
        stream.write_all(part.as_bytes()).await.expect("written");
        stream.shutdown().await.expect("no more");
        assert_eq!(stream.read(&mut [0; 16]).await.expect("an end"), 0, "{part}");
    }
    assert_eq!(simulator.requests(), []);
}

#[tokio::test]
async fn other_methods_and_paths_are_not_found() {
    let simulator = simulator().await;
    let api = simulator.api_url();
    let job = format!("{api}/api/v1/projects/{PATH}");
    for url in [format!("{job}/stop"), format!("{job}/start/"), format!("{api}/api/v2/projects")] {
        let answer = client().post(url).basic_auth(KEY, Some("")).send().await.expect("an answer");
        assert_eq!(answer.status(), 404);
    }
    for request in [client().get(format!("{job}/start")), client().delete(&job)] {
        let answer = request.basic_auth(KEY, Some("")).send().await.expect("an answer");
        assert_eq!(answer.status(), 404);
    }
    let head = client().head(&job).basic_auth(KEY, Some("")).send().await.expect("an answer");
    assert_eq!(head.status(), 200);
}

#[tokio::test]
async fn shutting_down_ends_what_is_on_the_wire() {
    let simulator = with(Fault::NeverAnswer).await;
    let (api, control) = (simulator.api_addr(), simulator.control_addr());
    let mut held = connect(&simulator).await;
    held.write_all(raw_start("", "").as_bytes()).await.expect("written");
    simulator.wait_for_requests(1).await;
    let mut half = TcpStream::connect(control).await.expect("connects");
    half.write_all(b"GET /requ").await.expect("written");
    simulator.shutdown().await;
    for stream in [&mut held, &mut half] {
        assert!(matches!(stream.read(&mut [0; 16]).await, Ok(0) | Err(_)));
    }
    for address in [api, control] {
        assert!(TcpStream::connect(address).await.is_err());
    }
}

#[tokio::test]
async fn dropping_ends_what_is_on_the_wire() {
    let simulator = with(Fault::HoldAnswer).await;
    let mut held = connect(&simulator).await;
    held.write_all(raw_start("", "").as_bytes()).await.expect("written");
    simulator.wait_for_requests(1).await;
    drop(simulator);
    assert!(matches!(held.read(&mut [0; 16]).await, Ok(0) | Err(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_stand_side_by_side() {
    let client = client();
    let mut simulators = Vec::new();
    for seed in 0..200 {
        let mut options = options();
        options.seed = seed;
        simulators.push(Simulator::start(options).await.expect("starts"));
    }
    let mut engines = std::collections::BTreeSet::new();
    for simulator in &simulators {
        let request = client.post(start_url(simulator, PATH)).basic_auth(KEY, Some(""));
        let answer = request.header("content-type", "application/json").send().await;
        let reply: Value = answer.expect("an answer").json().await.expect("JSON");
        assert!(engines.insert(reply["engine_id"].as_str().expect("an id").to_owned()));
    }
    for simulator in simulators {
        assert_eq!(simulator.runs().len(), 1);
        simulator.shutdown().await;
    }
}
