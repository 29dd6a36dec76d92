//! Bodies that are compressed or in another charset: verified as they were sent, read as what they stand for, kept
//! as they were signed, and read again at a replay.

use std::io::Write as _;

use cdsw_gateway::model::Secret;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use reqwest::Method;
use serde_json::{Value, json};

use super::common::{API_KEY, PUSH, World, github_signature};
use super::{kept, world};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// A push that is signed over these bytes, with a header beside the usual ones.
fn push(world: &World, id: &str, body: &[u8], header: (&str, &str)) -> reqwest::RequestBuilder {
    world
        .client
        .post(world.hook("github"))
        .header("x-github-event", "push")
        .header("x-github-delivery", id)
        .header("x-hub-signature-256", github_signature(body))
        .header(header.0, header.1)
        .body(body.to_vec())
}

async fn refused(world: &World) -> Value {
    world.api(Method::GET, "/api/refusals/github", None).await.1["refusals"][0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compressed_body_is_read_and_kept_as_it_was_signed_and_read_again_at_a_replay() {
    let world = world("").await;
    let text = PUSH.as_bytes();
    for (coding, body) in [
        ("gzip", gzip(text)),
        ("deflate", zlib(text)),
        ("zstd", zstd(text)),
        ("gzip, zstd", zstd(&gzip(text))),
    ] {
        let request = push(&world, coding, &body, ("content-encoding", coding));
        let (status, answer) = world.send(request).await;
        assert_eq!(status, 202, "{coding}: {answer}");
        let id = answer["delivery"].as_str().expect("text").parse().expect("an id");
        let delivery = world.gateway.store().delivery(id).await.expect("read").expect("kept");
        assert_eq!(delivery.body, body, "what was signed can be verified again");
        let again = format!("/api/deliveries/{id}/explain");
        let (status, replayed) = world.api(Method::GET, &again, None).await;
        assert_eq!(status, 200, "{replayed}");
        let matched = |route: &&Value| route["matched"] == json!(true);
        let routes = replayed["explanation"]["routes"].as_array().expect("a list");
        assert_eq!(routes.iter().filter(matched).count(), 2, "{replayed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_delivery_compressed_in_another_way_is_a_repeat() {
    let world = world("").await;
    let text = PUSH.as_bytes();
    assert_eq!(world.send(push(&world, "one", text, ("x-a", "b"))).await.0, 202);
    let request = push(&world, "one", &gzip(text), ("content-encoding", "gzip"));
    let (status, again) = world.send(request).await;
    assert_eq!((status, &again["duplicate"]), (200, &json!(true)), "{again}");
    assert_eq!(kept(&world).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_415_and_named_to_the_sender_and_to_people() {
    let world = world("").await;
    for (id, body, header, status, words) in [
        ("1", PUSH.as_bytes().to_vec(), ("content-encoding", "br"), 415, "`Content-Encoding: br`"),
        (
            "2",
            b"\xff\xfe{\0}\0".to_vec(),
            ("content-type", "application/json; charset=utf-32"),
            415,
            "`charset=utf-32`",
        ),
        (
            "3",
            b"--b\r\ncontent-disposition: form-data; name=\"payload\"\r\n\r\n{}\r\n--b--\r\n"
                .to_vec(),
            ("content-type", "multipart/form-data; boundary=b"),
            415,
            "`multipart/form-data`",
        ),
        ("4", b"{}".to_vec(), ("content-encoding", "gzip"), 400, "not gzip"),
        ("5", gzip(&vec![b' '; 30 << 20]), ("content-encoding", "gzip"), 413, "larg"),
    ] {
        let answer = push(&world, id, &body, header).send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{header:?}");
        if header.1 == "br" {
            assert_eq!(answer.headers()["accept-encoding"], "gzip, deflate, zstd");
        }
        let told: Value = answer.json().await.expect("JSON");
        assert!(told["error"].as_str().expect("text").contains(words), "{told}");
        let seen = refused(&world).await;
        assert!(seen["words"].as_str().expect("text").contains(words), "{seen}");
    }
    assert!(kept(&world).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_over_the_plain_bytes_is_refused_and_the_encoding_is_named_in_the_reason() {
    let world = world("").await;
    let request = world
        .client
        .post(world.hook("github"))
        .header("x-github-event", "push")
        .header("x-hub-signature-256", github_signature(PUSH.as_bytes()))
        .header("content-encoding", "gzip")
        .body(gzip(PUSH.as_bytes()));
    let (status, told) = world.send(request).await;
    assert_eq!((status, told), (401, json!({ "error": "the request is not authentic" })));
    let words = refused(&world).await["words"].as_str().expect("text").to_owned();
    assert!(words.contains("`Content-Encoding: gzip`"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_in_another_charset_is_read() {
    let world = world("").await;
    let text = PUSH.replace("refs/heads/main", "refs/heads/ma\u{ef}n");
    assert_ne!(text, PUSH);
    let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(letter).expect("Latin")).collect();
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (charset, body) in [("iso-8859-1", latin), ("utf-16", wide)] {
        let content_type = format!("application/json; charset={charset}");
        let request = push(&world, charset, &body, ("content-type", &content_type));
        let (status, answer) = world.send(request).await;
        assert_eq!(status, 202, "{charset}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_within_a_compressed_body_is_not_kept() {
    let world = world("").await;
    let own = Secret::new(super::common::WEBHOOK_SECRET);
    for (id, secret) in [("1", own.expose()), ("2", API_KEY.as_bytes())] {
        let secret = std::str::from_utf8(secret).expect("text");
        let text = PUSH.replacen('{', &format!("{{\"note\": \"x {secret} y\","), 1);
        let request = push(&world, id, &gzip(text.as_bytes()), ("content-encoding", "gzip"));
        let (status, answer) = world.send(request).await;
        assert_eq!(status, 202, "{answer}");
        let id = answer["delivery"].as_str().expect("text").parse().expect("an id");
        let delivery = world.gateway.store().delivery(id).await.expect("read").expect("kept");
        let body = String::from_utf8(delivery.body.to_vec()).expect("plain text is kept");
        assert!(body.contains("x [redacted] y") && !body.contains(secret), "{body}");
        assert!(!delivery.headers.iter().any(|(name, _)| name == "content-encoding"));
    }
}
