//! What chat programs ask of an address before they use it, and what they get.

use serde_json::{Value, json};

use super::chat::{request, world};

/// The documented greetings of these programs.
fn greeting(id: &str) -> Value {
    let all: Vec<Value> =
        serde_json::from_str(include_str!("../../vectors/handshakes.json")).expect("JSON");
    all.into_iter().find(|one| one["id"] == id).expect("a greeting of this id")
}

fn body(greeting: &Value) -> &str {
    greeting["request"]["body"].as_str().expect("a body")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_gets_its_challenge_back_once_it_has_signed() {
    let world = world().await;
    let greeting = greeting("slack-url-verification");
    let unsigned = world.client.post(world.hook("slack")).body(body(&greeting).to_owned());
    assert_eq!(world.send(unsigned).await.0, 401);
    let (status, answer) = world.send(request(&world, "slack", body(&greeting))).await;
    assert_eq!(status, 200);
    assert_eq!(answer, greeting["response"]["body_any_of"][0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slacks_look_at_the_certificate_is_answered_unsigned_and_its_token_is_not_kept() {
    let world = world().await;
    let greeting = greeting("slack-ssl-check");
    let asked = world.client.post(world.hook("slack")).body(body(&greeting).to_owned());
    assert_eq!(world.send(asked).await, (200, json!("")));
    // Without that field it is a command that nobody signed.
    let unsigned = world.client.post(world.hook("slack")).body("command=/cdsw&text=ssl_check=1");
    assert_eq!(world.send(unsigned).await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slacks_look_at_the_certificate_may_be_a_get_whose_token_is_not_kept() {
    let world = world().await;
    let hook = world.hook("slack");
    let asked = world.client.get(format!("{hook}?ssl_check=1&token=canary-verification&a=b"));
    assert_eq!(world.send(asked).await, (200, json!("")));
    let (_, list) = world.api(reqwest::Method::GET, "/api/deliveries?source=slack", None).await;
    assert_eq!(list["deliveries"][0]["handshake"], true, "{list}");
    let id = list["deliveries"][0]["id"].as_str().expect("an id").parse().expect("an id");
    let kept = world.gateway.store().delivery(id).await.expect("read").expect("kept");
    assert_eq!(kept.query, "ssl_check=1&a=b");
    for other in ["", "?ssl_check=0", "?text=ssl_check=1"] {
        assert_eq!(world.send(world.client.get(format!("{hook}{other}"))).await.0, 405, "{other}");
    }
    // What stands behind the source's name is a secret for other senders alone.
    let behind = super::chat::request(&world, "slack", "{}");
    let (client, request) = behind.build_split();
    let mut request = request.expect("a request");
    request.url_mut().set_path("/hooks/slack/more");
    assert_eq!(client.execute(request).await.expect("an answer").status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discord_gets_its_pong_and_a_bad_signature_gets_a_401() {
    let world = world().await;
    let greeting = greeting("discord-ping");
    let (status, answer) = world.send(request(&world, "discord", body(&greeting))).await;
    assert_eq!((status, &answer), (200, &greeting["response"]["json"]));
    let unsigned = world.client.post(world.hook("discord")).body(body(&greeting).to_owned());
    assert_eq!(world.send(unsigned).await.0, 401);
    let forged = request(&world, "discord", body(&greeting)).body(r#"{"type":2}"#);
    assert_eq!(world.send(forged).await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discords_webhook_events_are_answered_with_nothing() {
    let world = world().await;
    let event = json!({
        "version": 1, "application_id": "1", "type": 1,
        "event": { "type": "APPLICATION_AUTHORIZED", "timestamp": "2026-03-01T12:00:00" },
    });
    for body in [json!({ "version": 1, "application_id": "1", "type": 0 }), event] {
        let answer = world.send(request(&world, "discord", &body.to_string())).await;
        assert_eq!(answer, (204, json!("")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_discords_interactions_gets_an_answer_of_its_own_type() {
    let world = world().await;
    for (kind, expected) in [
        (3, json!({ "type": 6 })),
        (4, json!({ "type": 8, "data": { "choices": [] } })),
        (
            5,
            json!({ "type": 4, "data": {
                "content": "it was received", "flags": 64, "allowed_mentions": { "parse": [] },
            } }),
        ),
    ] {
        let body = json!({ "id": kind.to_string(), "type": kind, "data": { "custom_id": "x" } });
        for _ in 0..2 {
            let answer = world.send(request(&world, "discord", &body.to_string())).await;
            assert_eq!(answer, (200, expected.clone()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_closes_a_dialogue_on_an_empty_answer() {
    let world = world().await;
    let payload = json!({ "type": "view_submission", "trigger_id": "1", "view": { "id": "V1" } });
    let escaped: String = payload.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
    let body = format!("payload={escaped}");
    let answer = world.send(request(&world, "slack", &body)).await;
    assert_eq!(answer, (200, json!("")));
    let (_, list) = world.api(reqwest::Method::GET, "/api/deliveries?source=slack", None).await;
    assert_eq!(list["deliveries"][0]["kind"], "view_submission", "{list}");
}
