//! Hostile expressions and payloads, through the whole gateway: refused when the configuration is
//! loaded, or failing cleanly.
//!
//! A program of its own, since it is also built and run with `--release`, where overflow and the
//! stack's use differ.

mod common;

use std::fmt::Write as _;

use cdsw_gateway::config;
use common::{Site, World};

fn nested(open: &str, inner: &str, close: &str, times: usize) -> String {
    format!("{}{inner}{}", open.repeat(times), close.repeat(times))
}

/// Expressions that must not be accepted at all.
fn refused() -> Vec<(&'static str, String)> {
    vec![
        ("a sum of 1,500 terms", vec!["1"; 1500].join("+") + " > 0"),
        ("80 parentheses", nested("(", "true", ")", 80)),
        ("2,000 parentheses", nested("(", "true", ")", 900)),
        ("900 negations", format!("{}true", "!".repeat(900))),
        ("4,000 selections", format!("body{} == 1", ".a".repeat(4000))),
        ("900 indexes", format!("body{} == 1", "[0]".repeat(600))),
        ("20 nested exists", nested("body.a.exists(x, ", "true", ")", 20)),
        ("40 nested exists", nested("body.a.exists(x, ", "true", ")", 40)),
        ("three nested maps", "body.a.map(x, body.a.map(y, body.a.map(z, 1))) == []".to_owned()),
        ("24 doublings", {
            let mut text = "'x'".to_owned();
            for _ in 0..24 {
                text = format!("[{text}].map(x, x+x)[0]");
            }
            format!("size({text}) > 0")
        }),
        ("a heavy pattern", "body.a.matches('(((a{100}){100}){100}){100}')".to_owned()),
        ("a pattern that is none", "body.a.matches('(')".to_owned()),
        ("an unknown name", "boddy.ref == 'x'".to_owned()),
        ("an unknown function", "body.ref.startWith('x')".to_owned()),
        ("a number that is none", "body.n > 99999999999999999999999".to_owned()),
        ("text without an end", "body.ref == 'x".to_owned()),
        ("deep conditions", nested("(true ? ", "true", " : false)", 100)),
        ("a long list", format!("size([{}]) > 0", vec!["1"; 1500].join(","))),
    ]
}

#[test]
fn hostile_expressions_are_refused_when_loaded() {
    for (what, expression) in refused() {
        let routes = format!(
            "  bad:\n    on: {{ source: github }}\n    if: {}\n    job: retrain\n",
            serde_json::to_string(&expression).expect("text")
        );
        let site = Site::new("http://127.0.0.1:9", &routes);
        let (report, plan) = config::check(&site.config());
        assert!(plan.is_none(), "{what} was accepted");
        assert!(report.render(false).contains("gateway.yaml"), "{what} has no place");
    }
}

/// Expressions that load, and must fail or answer cleanly whatever the payload.
const TRIED: [&str; 16] = [
    "body.n + 9223372036854775807 > 0",
    "-body.min > 0",
    "body.min / -1 > 0",
    "1 / body.zero > 0",
    "1 % body.zero > 0",
    "body.big * body.big > 0",
    "int(body.word) > 0",
    "body.list[99999] == 1",
    "body == body",
    "body.deep == body.deep",
    "body.list.exists(x, body.list.exists(y, x + y == -1))",
    "size(body.list.map(x, string(x) + string(body))) > 0",
    "size(body.list.map(x, body.list.map(y, body.long))) < 0",
    "body.long.contains(body.long + 'x')",
    "body.list.all(x, body.long.matches('^(a+)+$'))",
    "[body.long].map(x, x + x + x + x)[0] == ''",
];

fn routes() -> String {
    let mut routes = String::new();
    for (number, expression) in TRIED.iter().enumerate() {
        let expression = serde_json::to_string(expression).expect("text");
        let _ = write!(
            routes,
            "  r{number:02}:\n    on: {{ source: github }}\n    if: {expression}\n    job: retrain\n"
        );
    }
    routes
}

fn payloads() -> Vec<(&'static str, String)> {
    let numbers: Vec<String> = (0..200_000).map(|n| n.to_string()).collect();
    let fields = format!(
        r#""n":1,"min":-9223372036854775808,"big":9223372036854775807,"zero":0,"word":"x","long":"{}""#,
        "a".repeat(1_000_000)
    );
    vec![
        ("depth 127", format!("{}1{}", "{\"deep\":".repeat(126), "}".repeat(126))),
        ("many and long", format!("{{{fields},\"list\":[{}]}}", numbers.join(","))),
        (
            "huge numbers",
            r#"{"n":123456789012345678901234567890,"big":1e308,"min":-1e308,"zero":-0}"#.to_owned(),
        ),
        (
            "wide",
            format!(
                "{{{}}}",
                (0..100_000).map(|n| format!("\"k{n}\":{n}")).collect::<Vec<_>>().join(",")
            ),
        ),
        (
            "null bytes and escapes",
            r#"{"word":"\u0000\uD83D\uDE00","list":["\u0000"],"n":"7"}"#.to_owned(),
        ),
        ("a number that no double holds", r#"{"n":1e400}"#.to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_payloads_are_judged_and_kept() {
    let world = World::start(&routes()).await;
    for (number, (what, payload)) in payloads().into_iter().enumerate() {
        let request = world.github("push", &format!("hostile-{number}"), payload);
        let (status, answer) = world.send(request).await;
        assert!(status == 200 || status == 202, "{what}: {status} {answer}");
        let id = answer["delivery"].as_str().expect("kept").to_owned();
        let (status, view) =
            world.api(reqwest::Method::GET, &format!("/api/deliveries/{id}"), None).await;
        assert_eq!(status, 200, "{what}");
        let judged = view["explanation"]["routes"].as_array().expect("a list").len();
        assert_eq!(judged, TRIED.len(), "{what}: every route says something");
        for route in view["explanation"]["routes"].as_array().expect("a list") {
            let words = route["words"].as_str().unwrap_or_default();
            assert!(words.len() < 1000, "{what}: {words}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payloads_beyond_the_limits_of_reading_are_refused_with_a_place() {
    let world = World::start(&routes()).await;
    for (what, payload) in [
        ("10,000 nested arrays", nested("[", "", "]", 10_000)),
        ("depth 128", nested("{\"a\":", "1", "}", 128)),
        ("three million values", format!("[{}1]", "1,".repeat(3_000_000))),
    ] {
        let (status, answer) = world.send(world.github("push", what, payload)).await;
        assert_eq!(status, 400, "{what}: {answer}");
        let error = answer["error"].as_str().expect("words");
        assert!(error.contains("line") || error.contains("values"), "{what}: {error}");
    }
    let (status, _) = world.send(world.github("push", "after", common::PUSH)).await;
    assert!(status == 200 || status == 202, "and it goes on");
}

/// A payload small enough to be judged where others wait, whose routes take far too long for that:
/// it is judged elsewhere, and everybody else is answered in the meantime.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_small_payload_cannot_keep_others_waiting() {
    let mut routes = String::new();
    for number in 0..40 {
        let _ = write!(
            routes,
            "  r{number:02}:\n    on: {{ source: github, event: burn }}\n    \
             if: body.list.exists(x, body.list.exists(y, x + y == -1))\n    job: retrain\n"
        );
    }
    let world = World::start(&routes).await;
    let list = vec!["1"; 8_000].join(",");
    let burn = world.github("burn", "burn", format!(r#"{{"list":[{list}]}}"#));
    let burning = tokio::spawn(burn.send());
    let mut answered = 0;
    while !burning.is_finished() {
        let ping = world.github("push", &format!("quick-{answered}"), "{}");
        assert_eq!(world.send(ping).await.0, 200);
        answered += 1;
    }
    let answer = burning.await.expect("ran").expect("an answer");
    assert_eq!(answer.status(), 200);
    assert!(answered > 3, "only {answered} others were answered while it was judged");
    let burned = world.gateway.metrics().deliveries_of("github", "unmatched");
    assert_eq!(burned, answered + 1);
}
