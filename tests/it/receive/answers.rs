//! What is kept gets a 2xx in one shape, whoever sends it and however often.

use cdsw_gateway::model::{DeliveryId, RunState};
use serde_json::{Value, json};

use super::common::{PUSH, Site, World, github_signature, simulator};
use super::{Wire, kept, world};

const PING: &str = include_str!("../../payloads/github/ping.json");

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_match_is_told_its_delivery_and_its_runs() {
    let world = world("").await;
    let (status, answer) = world.send(world.github("push", "first", PUSH)).await;
    assert_eq!(status, 202, "{answer}");
    assert_eq!(keys(&answer), ["delivery", "runs"]);
    let id: DeliveryId = answer["delivery"].as_str().expect("text").parse().expect("an id");
    let delivery = world.gateway.store().delivery(id).await.expect("read").expect("kept");
    assert_eq!(delivery.body, PUSH);
    let runs = answer["runs"].as_array().expect("a list");
    let told: Vec<_> = runs.iter().map(|run| (&run["route"], &run["job"])).collect();
    let (first, second) =
        ((json!("also-report"), json!("report")), (json!("on-push"), json!("retrain")));
    assert_eq!(told, [(&first.0, &first.1), (&second.0, &second.1)]);
    for (run, kept) in runs.iter().zip(&delivery.summary.runs) {
        assert_eq!(keys(run), ["id", "job", "route", "state"]);
        assert_eq!((&run["id"], &run["state"]), (&json!(kept.id), &json!("queued")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_odd_token_in_a_field_that_no_route_reads_costs_no_delivery() {
    let world = world("").await;
    for (id, odd) in [
        r#""half a pair \ud83d""#,
        r#""\ude00""#,
        "1e999",
        "-0",
        &"9".repeat(5000),
        r#""a\u0000b\ufffe""#,
        r#"{"a": 1, "a": 2}"#,
    ]
    .into_iter()
    .enumerate()
    {
        let body = PUSH.replacen('{', &format!("{{\"odd\": {odd},"), 1);
        let (status, answer) = world.send(world.github("push", &id.to_string(), body)).await;
        assert_eq!(status, 202, "{odd}: {answer}");
    }
    let body = PUSH.replacen('{', "{\"odd\": NaN,", 1);
    let (status, answer) = world.send(world.github("push", "nan", body)).await;
    assert_eq!(status, 400);
    assert_eq!(answer["error"], "the body is not JSON: `NaN` is not JSON at line 1, column 9");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_matches_nothing_is_kept_and_told_that_it_starts_nothing() {
    let world = world("").await;
    let (status, answer) = world.send(world.github("star", "first", PUSH)).await;
    assert_eq!((status, &answer["runs"]), (200, &json!([])), "{answer}");
    assert_eq!(keys(&answer), ["delivery", "runs"]);
    assert_eq!(kept(&world).await.len(), 1);
    let (status, again) = world.send(world.github("star", "first", PUSH)).await;
    assert_eq!(
        (status, again),
        (200, json!({ "delivery": answer["delivery"], "duplicate": true, "runs": [] }))
    );
    assert_eq!(kept(&world).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_is_told_the_same_ids_and_where_the_runs_stand() {
    let world = world("").await;
    let (_, first) = world.send(world.github("push", "first", PUSH)).await;
    for run in first["runs"].as_array().expect("a list") {
        let id = run["id"].as_str().expect("text").parse().expect("an id");
        world.run_in(id, RunState::Started).await;
    }
    let (status, again) = world.send(world.github("push", "first", PUSH)).await;
    let mut expected = first.clone();
    expected["duplicate"] = json!(true);
    for run in expected["runs"].as_array_mut().expect("a list") {
        run["state"] = json!("started");
    }
    assert_eq!((status, again), (200, expected));
    assert_eq!((kept(&world).await.len(), world.runs().await), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ping_is_kept_and_starts_nothing_however_often_it_comes() {
    let simulator = simulator().await;
    let all = "  everything:\n    on: { source: github }\n    job: retrain\n";
    let world = World::on(Site::new(&simulator.api_url(), all), simulator).await;
    let (status, first) = world.send(world.github("ping", "hello", PING)).await;
    assert_eq!((status, &first["runs"]), (200, &json!([])), "{first}");
    let (status, again) = world.send(world.github("ping", "hello", PING)).await;
    assert_eq!((status, &again["delivery"]), (200, &first["delivery"]), "{again}");
    let kept = kept(&world).await;
    assert_eq!(kept.len(), 1);
    assert!(kept[0].handshake && kept[0].runs.is_empty(), "{kept:?}");
    // The same route does start something on any other event.
    assert_eq!(world.send(world.github("push", "then", PUSH)).await.0, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_is_open_to_everyone_only_where_that_is_written_out() {
    let world = world("").await;
    let anyone = |source: &str| world.client.post(world.hook(source)).body(r#"{"a":1}"#);
    assert_eq!(world.send(anyone("anyone")).await.0, 202);
    assert_eq!(world.send(anyone("open-ci")).await.0, 401);
    assert_eq!(kept(&world).await.len(), 1);
    // Without the words a source without secrets is a fault, so it never gets as far as a request.
    let text = std::fs::read_to_string(world.site.config()).expect("read");
    world.site.write_config(&text.replace("    dangerously_unauthenticated: true\n", ""));
    let report = world.live.reload().expect_err("refused").render(false);
    assert!(report.contains("source `anyone` has no secret"), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_requests_on_one_connection_get_an_answer_each() {
    let world = world("").await;
    let signature = format!("x-hub-signature-256: {}", github_signature(PUSH.as_bytes()));
    let length = format!("content-length: {}", PUSH.len());
    let mut wire = Wire::to(&world);
    for id in ["x-github-delivery: one", "x-github-delivery: two"] {
        wire.head("github", &["x-github-event: push", id, &signature, &length]);
        wire.write(PUSH.as_bytes());
    }
    let (first, second) = (wire.answer(), wire.answer());
    assert_eq!((first.0, second.0), (202, 202), "{first:?} {second:?}");
    assert_ne!(first.2["delivery"], second.2["delivery"]);
}
