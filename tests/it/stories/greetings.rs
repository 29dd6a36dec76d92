//! What senders ask of an address before they send, or between: every documented exchange, over the
//! wire. Those of chat programs are in `chat_handshakes`.

use std::os::unix::fs::PermissionsExt as _;

use cdsw_gateway::clock::Clock as _;
use cdsw_gateway::model::Secret;
use cdsw_gateway::providers::{self, Outgoing};
use reqwest::Method;
use serde_json::{Value, json};

use super::common::{ON_PUSH, Site, World, simulator};
use super::edit;

/// Sources of the senders that greet, by provider, with a secret of each.
const SENDERS: [(&str, &str, &str); 16] = [
    ("slack", "canary-slack-signing-secret", ""),
    ("discord", "", ""),
    ("zoom", "zoom-secret-token", ""),
    ("x-twitter", "Convoy", ""),
    ("okta", "canary-okta-event-hook-key", ", rate: 20/m"),
    ("azure-event-grid", "canary-event-grid-code", ""),
    ("asana", "canary-asana-hook-secret", ""),
    ("dropbox", "canary-dropbox-app-secret", ""),
    ("notion", "canary-notion-token", ""),
    ("fivetran", "canary-fivetran-secret", ""),
    ("terraform-cloud", "canary-tfc-token", ""),
    ("microsoft-graph", "canary-graph-client-state", ""),
    ("minio", "canary-minio-token", ""),
    ("cvat", "canary-cvat-secret", ""),
    ("openmetadata", "canary-openmetadata-secret", ""),
    ("airbyte", "canary-airbyte-token", ""),
];

async fn world() -> World {
    let simulator = simulator().await;
    let names: Vec<&str> = SENDERS.iter().map(|(name, ..)| *name).collect();
    // A route that takes whatever comes, so that only what is known as a greeting starts nothing.
    let everything = format!(
        "{ON_PUSH}  everything:\n    on: {{ source: [bitbucket-server, {}] }}\n    job: retrain\n",
        names.join(", ")
    );
    let site = Site::new(&simulator.api_url(), &everything);
    let mut sources = String::new();
    for (name, secret, more) in SENDERS {
        site.private(name, secret);
        if name == "discord" {
            let public = providers::find(name).expect("known").sample_secret();
            site.private(name, str::from_utf8(public.expose()).expect("hex"));
        }
        sources.push_str(&format!(
            "  {name}: {{ provider: {name}, secrets: [{{ file: secrets/{name} }}]{more} }}\n"
        ));
    }
    sources.push_str(
        "  bitbucket-server: { provider: bitbucket-server, secrets: [{ file: secrets/webhook }] }\n",
    );
    edit(&site, "  open-ci:\n", &format!("{sources}  open-ci:\n"));
    World::on(site, simulator).await
}

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../../vectors/handshakes.json")).expect("JSON")
}

fn vector(id: &str) -> Value {
    vectors().into_iter().find(|one| one["id"] == id).expect("a greeting of this id")
}

/// The vector's request, as it is written there.
fn asked(world: &World, source: &str, vector: &Value) -> reqwest::RequestBuilder {
    let request = &vector["request"];
    let method: Method = request["method"].as_str().expect("a method").parse().expect("lawful");
    let query = request["query"].as_str().map(|query| format!("?{query}")).unwrap_or_default();
    let mut asked = world.client.request(method, format!("{}{query}", world.hook(source)));
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        asked = asked.header(name, value.as_str().expect("text"));
    }
    asked.body(request["body"].as_str().unwrap_or_default().to_owned())
}

/// A body, signed as the source's sender would.
fn signed(world: &World, source: &str, body: &str) -> reqwest::RequestBuilder {
    let (_, secret, _) = SENDERS.into_iter().find(|(name, ..)| *name == source).expect("known");
    let secret = match source {
        "discord" => providers::find(source).expect("known").sample_signer(),
        _ => Secret::new(secret),
    };
    signed_with(world, source, &secret, body)
}

fn signed_with(
    world: &World,
    source: &str,
    secret: &Secret,
    body: &str,
) -> reqwest::RequestBuilder {
    let plan = world.live.plan();
    let source = &plan.sources[source];
    let path = format!("/hooks/{}", source.name);
    let outgoing = Outgoing {
        method: &http::Method::POST,
        path: &path,
        event: "event",
        body: body.as_bytes(),
        access_token: None,
    };
    let signed = source
        .provider
        .sign(&outgoing, secret, &source.options, "id-1", world.clock.now())
        .expect("it signs");
    let url = match &*signed.query {
        "" => world.hook(&source.name),
        query => format!("{}?{query}", world.hook(&source.name)),
    };
    world.client.post(url).headers(signed.headers.into_iter().collect()).body(body.to_owned())
}

/// Every greeting is kept as one, and starts nothing.
async fn kept_as_a_greeting(world: &World, source: &str) {
    let path = format!("/api/deliveries?source={source}");
    let (_, list) = world.api(Method::GET, &path, None).await;
    let deliveries = list["deliveries"].as_array().expect("a list");
    assert_eq!(deliveries.len(), 1, "{list}");
    assert_eq!(deliveries[0]["handshake"], true, "{list}");
    assert_eq!(world.runs().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zoom_gets_proof_of_the_secret_once_it_has_signed() {
    let world = world().await;
    let vector = vector("zoom-url-validation");
    let body = vector["request"]["body"].as_str().expect("a body");
    let unsigned = world.client.post(world.hook("zoom")).body(body.to_owned());
    assert_eq!(world.send(unsigned).await.0, 401);
    let answer = world.send(signed(&world, "zoom", body)).await;
    assert_eq!(answer, (200, vector["response"]["json"].clone()));
    kept_as_a_greeting(&world, "zoom").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x_gets_its_token_back_signed_and_nothing_that_could_be_a_delivery() {
    let world = world().await;
    let vector = vector("x-crc");
    let answer = world.send(asked(&world, "x-twitter", &vector)).await;
    assert_eq!(answer, (200, vector["response"]["json"].clone()));
    kept_as_a_greeting(&world, "x-twitter").await;
    for token in ["%7B%22a%22%3A1%7D", "", &"a".repeat(2000), "a&crc_token=b", "%0A"] {
        let url = format!("{}?crc_token={token}", world.hook("x-twitter"));
        let (status, answer) = world.send(world.client.get(url)).await;
        assert_eq!(status, 401, "{token}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_x_gets_signed_as_a_token_is_no_signature_of_a_delivery() {
    let world = world().await;
    for token in ["1", "true", "null", "12345", "1e5", "-0", "abc"] {
        let url = format!("{}?crc_token={token}", world.hook("x-twitter"));
        let (status, answer) = world.send(world.client.get(url)).await;
        assert_eq!(status, 200, "{token}: {answer}");
        let signature = answer["response_token"].as_str().expect("a signature");
        for body in [token.to_owned(), format!(" {token}"), format!("{token}\n")] {
            let forged = world.client.post(world.hook("x-twitter"));
            let forged = forged.header("x-twitter-webhooks-signature", signature).body(body);
            assert_eq!(world.send(forged).await.0, 401, "{token}");
        }
    }
    let body = r#" {"tweet_create_events": []}"#;
    let real = world.send(signed(&world, "x-twitter", body)).await;
    assert_eq!(real.0, 202, "{}", real.1);
    assert_eq!(world.runs().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn okta_gets_its_challenge_back() {
    let world = world().await;
    let vector = vector("okta-one-time");
    for _ in 0..3 {
        let answer = world.send(asked(&world, "okta", &vector)).await;
        assert_eq!(answer, (200, vector["response"]["json"].clone()));
    }
    kept_as_a_greeting(&world, "okta").await;
    assert_eq!(world.send(world.client.get(world.hook("okta"))).await.0, 405);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_grid_is_answered_with_its_code_and_only_when_the_address_is_right() {
    let world = world().await;
    let vector = vector("event-grid-validation");
    assert_eq!(world.send(asked(&world, "azure-event-grid", &vector)).await.0, 401);
    let body = vector["request"]["body"].as_str().expect("a body");
    let answer = world.send(signed(&world, "azure-event-grid", body)).await;
    assert_eq!(answer, (200, vector["response"]["json"].clone()));
    kept_as_a_greeting(&world, "azure-event-grid").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_of_cloud_events_gets_permission() {
    let world = world().await;
    let vector = vector("cloudevents-options");
    let answer = asked(&world, "azure-event-grid", &vector).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    for (name, value) in vector["response"]["headers"].as_object().expect("headers") {
        assert_eq!(answer.headers()[name], value.as_str().expect("text"), "{name}");
    }
    assert_eq!(answer.bytes().await.expect("a body"), "");
    kept_as_a_greeting(&world, "azure-event-grid").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropbox_gets_its_challenge_back_as_plain_text() {
    let world = world().await;
    let vector = vector("dropbox-challenge");
    let answer = asked(&world, "dropbox", &vector).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let content = answer.headers()["content-type"].to_str().expect("text").to_owned();
    assert!(content.starts_with("text/plain"), "{content}");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert_eq!(answer.text().await.expect("text"), "abc123");
    kept_as_a_greeting(&world, "dropbox").await;
    let long = format!("{}?challenge={}", world.hook("dropbox"), "a".repeat(2000));
    assert_eq!(world.send(world.client.get(long)).await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsoft_graph_gets_its_text_back_as_plain_text_and_nothing_else() {
    let world = world().await;
    let vector = vector("graph-validation");
    let answer = asked(&world, "microsoft-graph", &vector).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let content = answer.headers()["content-type"].to_str().expect("text").to_owned();
    assert!(content.starts_with("text/plain"), "{content}");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    let text = answer.text().await.expect("text");
    assert_eq!(text, vector["response"]["body"].as_str().expect("text"));
    kept_as_a_greeting(&world, "microsoft-graph").await;
    for token in [&"a".repeat(1025), "", "%20", "a%0Ab", "a%00", "%C3%A9", "a&validationToken=b"] {
        let url = format!("{}?validationToken={token}", world.hook("microsoft-graph"));
        let (status, answer) = world.send(world.client.post(url)).await;
        assert_eq!(status, 401, "{token}: {answer}");
    }
    // With a body it is no validation, whatever the address says.
    let url = format!("{}?validationToken=a", world.hook("microsoft-graph"));
    let (status, _) = world.send(world.client.post(url).body(r#"{"value": [{}]}"#)).await;
    assert_eq!(status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bitbucket_servers_connection_test_and_terraforms_verification_are_acknowledged() {
    let world = world().await;
    let test = vector("bitbucket-server-test");
    assert_eq!(world.send(asked(&world, "bitbucket-server", &test)).await.0, 200);
    kept_as_a_greeting(&world, "bitbucket-server").await;
    let verification = vector("tfc-verification");
    let body = verification["request"]["body"].as_str().expect("a body");
    assert_eq!(world.send(asked(&world, "terraform-cloud", &verification)).await.0, 401);
    assert_eq!(world.send(signed(&world, "terraform-cloud", body)).await.0, 200);
    kept_as_a_greeting(&world, "terraform-cloud").await;
}

/// It is signed like any other delivery, so that a webhook is only made once the secret is right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fivetrans_test_gets_a_200_once_it_is_signed_and_a_sync_is_none() {
    let world = world().await;
    let body = json!({ "event": "test" }).to_string();
    let unsigned = world.client.post(world.hook("fivetran")).body(body.clone());
    assert_eq!(world.send(unsigned).await.0, 401);
    assert_eq!(world.send(signed(&world, "fivetran", &body)).await.0, 200);
    kept_as_a_greeting(&world, "fivetran").await;
    let sync = json!({ "event": "sync_start", "sync_id": "s-1" }).to_string();
    assert_eq!(world.send(signed(&world, "fivetran", &sync)).await.0, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unsigned_greetings_obey_the_rate_and_leave_it_to_deliveries() {
    let world = world().await;
    let vector = vector("okta-one-time");
    let mut answered = 0;
    for _ in 0..60 {
        let answer = asked(&world, "okta", &vector).send().await.expect("an answer");
        match answer.status().as_u16() {
            200 => answered += 1,
            429 => assert!(answer.headers().contains_key("retry-after")),
            other => panic!("{other}"),
        }
    }
    assert_eq!(answered, 20);
    let sample = providers::find("okta").expect("known").sample("user.lifecycle.create");
    let delivery = signed(&world, "okta", sample.expect("a sample"));
    assert_eq!(world.send(delivery).await.0, 202, "strangers used nothing of what it may send");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unsigned_greetings_are_answered_without_a_commit_for_each() {
    let world = world().await;
    let vector = vector("dropbox-challenge");
    let written = || std::fs::metadata(world.site.path("gateway.db-wal")).expect("a log").len();
    let ask = || async {
        let answer = asked(&world, "dropbox", &vector).send().await.expect("an answer");
        assert_eq!(
            (answer.status().as_u16(), answer.text().await.expect("text")),
            (200, "abc123".to_owned())
        );
    };
    ask().await;
    let before = written();
    for _ in 0..50 {
        ask().await;
    }
    assert_eq!(written(), before, "nothing was committed");
    assert_eq!(world.gateway.metrics().deliveries_of("dropbox", "handshake"), 51);
    kept_as_a_greeting(&world, "dropbox").await;
    world.clock.advance(std::time::Duration::from_secs(61));
    ask().await;
    assert!(written() > before, "the first of the next minute is kept");
}

/// Those that are signed as deliveries are; the others come before there is a secret, or without it.
const SIGNED: [&str; 10] = [
    "slack-url-verification",
    "zoom-url-validation",
    "discord-ping",
    "event-grid-validation",
    "notion-verification-token",
    "fivetran-test",
    "tfc-verification",
    "cvat-ping",
    "openmetadata-test",
    "airbyte-test",
];

/// The confirmation of a topic is left to `tests/it/issuers`, since its certificate must be fetched.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_greeting_is_kept_and_starts_nothing_although_a_route_takes_whatever_comes() {
    let world = world().await;
    let vectors = vectors();
    assert_eq!(vectors.len(), 20);
    for vector in vectors.iter().filter(|vector| vector["provider"] != "aws-sns") {
        let id = vector["id"].as_str().expect("an id");
        let source = match vector["provider"].as_str().expect("a provider") {
            "cloudevents" => "azure-event-grid",
            own => own,
        };
        let body = vector["request"]["body"].as_str().expect("a body");
        let request = match id {
            // The secret is the one that it hands over.
            "notion-verification-token" => {
                let offered = Secret::new("secret_abc123_verification_token");
                signed_with(&world, source, &offered, body)
            }
            _ if SIGNED.contains(&id) => signed(&world, source, body),
            _ => asked(&world, source, vector),
        };
        let status = request.send().await.expect("an answer").status();
        assert!(status.is_success(), "{id}: {status}");
        let (_, list) =
            world.api(Method::GET, &format!("/api/deliveries?source={source}"), None).await;
        assert_eq!(list["deliveries"][0]["handshake"], true, "{id}: {list}");
    }
    let (_, list) = world.api(Method::GET, "/api/deliveries?limit=100", None).await;
    assert_eq!(list["deliveries"].as_array().map(Vec::len), Some(19), "{list}");
    assert_eq!(world.runs().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asana_gets_its_secret_back_and_nobody_else_gets_to_see_it() {
    let world = world().await;
    let vector = vector("asana-x-hook-secret");
    let secret = vector["request"]["headers"]["X-Hook-Secret"].as_str().expect("a secret");
    let answer = asked(&world, "asana", &vector).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-hook-secret"], secret);
    kept_as_a_greeting(&world, "asana").await;
    let kept = std::fs::read_to_string(world.site.path("secrets/asana")).expect("read");
    assert_eq!(kept, "canary-asana-hook-secret", "nothing is learnt unless the source says so");
    let file = std::fs::read(world.site.path("gateway.db")).expect("read");
    let log = std::fs::read(world.site.path("gateway.db-wal")).unwrap_or_default();
    for bytes in [file, log] {
        let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!found, "the secret is in the store");
    }
}

/// A world with one source that learns.
async fn learning(provider: &str) -> World {
    let simulator = simulator().await;
    let site = Site::new(&simulator.api_url(), ON_PUSH);
    let lines = format!(
        "  new: {{ provider: {provider}, learn_secret: true, secrets: [{{ file: secrets/new }}] }}\n"
    );
    edit(&site, "  open-ci:\n", &format!("{lines}  open-ci:\n"));
    World::on(site, simulator).await
}

fn provider_signed(world: &World, secret: &str, body: &str) -> reqwest::RequestBuilder {
    let plan = world.live.plan();
    let source = &plan.sources["new"];
    let outgoing = Outgoing {
        method: &http::Method::POST,
        path: "/hooks/new",
        event: source.provider.sample_kind(),
        body: body.as_bytes(),
        access_token: None,
    };
    let signed = source
        .provider
        .sign(&outgoing, &Secret::new(secret), &source.options, "id-1", world.clock.now())
        .expect("it signs");
    let headers = signed.headers.into_iter().collect();
    world.client.post(world.hook("new")).headers(headers).body(body.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_asana_webhook_teaches_its_secret_once() {
    let world = learning("asana").await;
    let body = providers::find("asana").and_then(|asana| asana.sample("task")).expect("a sample");
    let greet = |secret: &str| {
        world.client.post(world.hook("new")).header("X-Hook-Secret", secret).body("")
    };
    let early = provider_signed(&world, "canary-handed-over-1", body);
    assert_eq!(world.send(early).await.0, 503, "there is no secret yet");
    assert_eq!(world.send(greet("canary-handed-over-1")).await.0, 200);
    let path = world.site.path("secrets/new");
    assert_eq!(std::fs::read_to_string(&path).expect("written"), "canary-handed-over-1");
    let mode = std::fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(world.send(provider_signed(&world, "canary-handed-over-1", body)).await.0, 200);
    // Another webhook, or somebody who would like to be one.
    assert_eq!(world.send(greet("canary-handed-over-2")).await.0, 200);
    assert_eq!(std::fs::read_to_string(&path).expect("there"), "canary-handed-over-1");
    let second = provider_signed(&world, "canary-handed-over-2", "{\"events\": []}");
    assert_eq!(world.send(second).await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_notion_subscription_teaches_its_token_when_it_is_whole() {
    let world = learning("notion").await;
    let vector = vector("notion-verification-token");
    let body = vector["request"]["body"].as_str().expect("a body");
    let token = "secret_abc123_verification_token";
    let forged = provider_signed(&world, "another", body);
    assert_eq!(world.send(forged).await.0, 401);
    assert!(!world.site.path("secrets/new").exists());
    assert_eq!(world.send(provider_signed(&world, token, body)).await.0, 200);
    let learnt = std::fs::read_to_string(world.site.path("secrets/new")).expect("written");
    assert_eq!(learnt, token);
    let event = json!({ "id": "evt_1", "type": "page.created" }).to_string();
    assert_eq!(world.send(provider_signed(&world, token, &event)).await.0, 200);
    let (_, list) = world.api(Method::GET, "/api/deliveries?source=new", None).await;
    assert_eq!(list["deliveries"][0]["kind"], "page.created");
}
