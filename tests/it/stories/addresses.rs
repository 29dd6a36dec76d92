//! Secrets that stand in the address, and addresses that are signed.

use cdsw_gateway::clock::Clock as _;
use cdsw_gateway::model::{RunState, Secret};
use cdsw_gateway::providers::Outgoing;
use reqwest::Method;

use super::common::{Site, World, simulator};
use super::{edit, run_of};

const TOKEN: &str = "canary-token-in-the-address";
const AUTH_TOKEN: &str = "canary-twilio-auth-token";

const ROUTES: &str = r#"
  on-image:
    on: { source: docker-hub, event: push }
    if: query.team == "risk"
    job: retrain
    env: { QUERY: "${{ query }}", IMAGE: "${{ body.repository.repo_name }}" }
  on-address:
    on: { source: [tableau, both] }
    job: retrain
    env: { QUERY: "${{ query }}" }
  on-message:
    on: { source: twilio, action: delivered }
    job: report
  on-deal:
    on: { source: hubspot }
    job: report
"#;

async fn world() -> World {
    let simulator = simulator().await;
    let site = Site::new(&simulator.api_url(), ROUTES);
    site.private("docker-hub", TOKEN);
    site.private("twilio", AUTH_TOKEN);
    let sources = "  docker-hub: { provider: docker-hub, secrets: [{ file: secrets/docker-hub }] }\n  \
        twilio: { provider: twilio, public_url: \"https://hooks.example.com/in/twilio\", secrets: [{ file: secrets/twilio }] }\n  \
        tableau: { provider: token, query: key, repeats: never, secrets: [{ file: secrets/docker-hub }] }\n  \
        both: { provider: token, header: X-Key, query: key, repeats: never, secrets: [{ file: secrets/docker-hub }] }\n  \
        hubspot: { provider: hubspot, public_url: \"https://hooks.example.com/in/hubspot\", secrets: [{ file: secrets/twilio }] }\n";
    edit(&site, "  open-ci:\n", &format!("{sources}  open-ci:\n"));
    World::on(site, simulator).await
}

fn body(world: &World, source: &str) -> &'static str {
    let provider = world.live.plan().sources[source].provider;
    provider.sample(provider.sample_kind()).expect("a sample")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_in_the_address_is_asked_for_and_never_kept_or_shown() {
    let world = world().await;
    let hook = world.hook("docker-hub");
    let body = body(&world, "docker-hub");
    for wrong in ["", "?token=", "?token=canary-wrong", "/canary-wrong", "?team=risk", "/x?token=y"]
    {
        let (status, answer) =
            world.send(world.client.post(format!("{hook}{wrong}")).body(body)).await;
        assert_eq!(status, 401, "{wrong}: {answer}");
    }
    let twice = format!("{hook}?token={TOKEN}&token={TOKEN}");
    assert_eq!(world.send(world.client.post(twice).body(body)).await.0, 401);
    let url = format!("{hook}?team=risk&token={TOKEN}");
    let (status, answer) = world.send(world.client.post(url).body(body)).await;
    assert_eq!(status, 202, "{answer}");
    let run = world.run_in(run_of(&answer, 0), RunState::Started).await;
    let told = run.environment.expect("made");
    assert_eq!(told.get("QUERY"), Some(r#"{"team":"risk"}"#), "the other fields are seen");
    let in_path = format!("{hook}/{TOKEN}?team=risk");
    let (status, again) = world.send(world.client.post(in_path).body(body)).await;
    assert_eq!((status, &again["duplicate"]), (200, &true.into()), "{again}");

    let delivery = answer["delivery"].as_str().expect("an id");
    let mut shown = vec![answer.to_string(), again.to_string()];
    for path in [
        format!("/api/deliveries/{delivery}"),
        "/api/refusals/docker-hub".to_owned(),
        format!("/api/deliveries/{delivery}/explain"),
    ] {
        shown.push(world.api(Method::GET, &path, None).await.1.to_string());
    }
    shown.push(world.send(world.client.get(world.admin("/metrics"))).await.1.to_string());
    for text in shown {
        assert!(!text.contains(TOKEN), "{text}");
    }
    for file in ["gateway.db", "gateway.db-wal"] {
        let bytes = std::fs::read(world.site.path(file)).unwrap_or_default();
        let found = bytes.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes());
        assert!(!found, "the secret is in {file}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_sender_can_have_its_token_in_the_address_which_is_never_kept_or_shown() {
    let world = world().await;
    for source in ["tableau", "both"] {
        let hook = world.hook(source);
        for wrong in ["", "?key=", "?key=canary-wrong", "/canary-wrong", "?token=x", "/x?key=y"] {
            let request = world.client.post(format!("{hook}{wrong}")).body("{}");
            assert_eq!(world.send(request).await.0, 401, "{wrong}");
        }
        for right in [
            format!("?a=1&key={TOKEN}"),
            format!("/{TOKEN}?a=1"),
            format!("/{TOKEN}/?a=1"),
            format!("/?a=1&key={TOKEN}"),
        ] {
            let request = world.client.post(format!("{hook}{right}")).body("{}");
            let (status, answer) = world.send(request).await;
            assert_eq!(status, 202, "{right}: {answer}");
            let run = world.run_in(run_of(&answer, 0), RunState::Started).await;
            assert_eq!(run.environment.expect("made").get("QUERY"), Some(r#"{"a":"1"}"#));
        }
        for path in [format!("/api/refusals/{source}"), "/api/refusals".to_owned()] {
            let shown = world.api(Method::GET, &path, None).await.1.to_string();
            assert!(!shown.contains(TOKEN), "{shown}");
        }
    }
    let header = |token: &str| world.client.post(world.hook("both")).header("x-key", token);
    assert_eq!(world.send(header(TOKEN).body("{}")).await.0, 202);
    let both = world.client.post(format!("{}?key={TOKEN}", world.hook("both")));
    let both = both.header("x-key", "canary-wrong").body("{}");
    assert_eq!(world.send(both).await.0, 401, "a wrong header is not made good by the address");
    for file in ["gateway.db", "gateway.db-wal"] {
        let bytes = std::fs::read(world.site.path(file)).unwrap_or_default();
        let found = bytes.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes());
        assert!(!found, "the secret is in {file}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_sources_have_nothing_behind_their_name() {
    let world = world().await;
    let url = format!("{}/more", world.hook("github"));
    assert_eq!(world.send(world.client.post(url).body("{}")).await.0, 404);
}

/// The gateway listens at another address than the one that is signed, as behind a proxy.
fn signed(world: &World, source: &str, method: &http::Method) -> reqwest::RequestBuilder {
    let plan = world.live.plan();
    let source = &plan.sources[source];
    let body = body(world, &source.name);
    let outgoing =
        Outgoing { method, path: "/in", event: "event", body: body.as_bytes(), access_token: None };
    let signed = source
        .provider
        .sign(&outgoing, &Secret::new(AUTH_TOKEN), &source.options, "id", world.clock.now())
        .expect("it signs");
    let headers = signed.headers.into_iter().collect();
    world.client.post(world.hook(&source.name)).headers(headers).body(body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_address_is_the_one_that_the_sender_was_given() {
    let world = world().await;
    let (status, answer) = world.send(signed(&world, "twilio", &http::Method::POST)).await;
    assert_eq!(status, 202, "{answer}");
    let (status, answer) = world.send(signed(&world, "hubspot", &http::Method::POST)).await;
    assert_eq!(status, 202, "{answer}");
    let put = signed(&world, "hubspot", &http::Method::PUT);
    assert_eq!(world.send(put).await.0, 401, "another method was signed");
    for source in ["twilio", "hubspot"] {
        let (client, request) = signed(&world, source, &http::Method::POST).build_split();
        let mut request = request.expect("built");
        request.url_mut().set_query(Some("a=b"));
        let answer = client.execute(request).await.expect("an answer");
        assert_eq!(answer.status(), 401, "{source}: the query was not signed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_of_twilios_form_is_signed() {
    let world = world().await;
    let body = body(&world, "twilio");
    for changed in [
        body.replace("delivered", "deliverea"),
        body.replace("MessageStatus", "MessageStatut"),
        format!("{body}&More=1"),
        body.replace("&MessageStatus=delivered", ""),
        body.replace("delivered", "delivered&MessageStatus=failed"),
    ] {
        assert_ne!(changed, body);
        let request = signed(&world, "twilio", &http::Method::POST).body(changed.clone());
        assert_eq!(world.send(request).await.0, 401, "{changed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_twilio_signed_once_is_one_delivery_however_its_form_is_written() {
    let world = world().await;
    let body = body(&world, "twilio");
    // Twilio does not always say an id.
    let send = async |body: String| {
        let request = signed(&world, "twilio", &http::Method::POST).body(body);
        let (client, request) = request.build_split();
        let mut request = request.expect("built");
        request.headers_mut().remove("i-twilio-idempotency-token").expect("it was there");
        let answer = client.execute(request).await.expect("an answer");
        (answer.status().as_u16(), answer.json::<serde_json::Value>().await.expect("JSON"))
    };
    let (status, first) = send(body.to_owned()).await;
    assert_eq!(status, 202, "{first}");
    let mut fields: Vec<&str> = body.split('&').collect();
    fields.reverse();
    for other in [
        fields.join("&"),
        body.replace("%2B", "%2b"),
        body.replace("delivered", "%64elivered"),
        format!("{body}&MessageStatus=delivered"),
        format!("&{body}&"),
    ] {
        assert_ne!(other, body);
        let (status, answer) = send(other.clone()).await;
        assert_eq!((status, &answer["duplicate"]), (200, &true.into()), "{other}: {answer}");
        assert_eq!(answer["delivery"], first["delivery"], "{other}");
    }
    assert_eq!(world.runs().await, 1);
}
