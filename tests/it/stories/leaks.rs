//! Senders that put a secret of their source into their requests: it is taken out before it is kept.

use cdsw_gateway::clock::Clock as _;
use cdsw_gateway::providers::Outgoing;
use reqwest::Method;
use serde_json::{Value, json};

use super::common::{Site, World, simulator};
use super::edit;

const SECRET: &str = "canary/hook \"secret\" 0123456789";
const TOKEN: &str = "canary-access-token-9876543210";

/// Every variable that could carry a secret out.
const ROUTES: &str = r#"
  everything:
    on: { source: [hooks, runs] }
    job: retrain
    env:
      BODY: ${{ body }}
      HEADERS: ${{ headers }}
      QUERY: ${{ query }}
"#;

async fn world() -> World {
    let simulator = simulator().await;
    let site = Site::new(&simulator.api_url(), ROUTES);
    site.private("hook", SECRET);
    site.private("token", TOKEN);
    let sources = "  hooks: { provider: hmac, header: x-signature, secrets: [{ file: secrets/hook }] }\n  \
                   runs: { provider: wandb, secrets: [{ file: secrets/hook }], access_token: { file: secrets/token } }\n";
    edit(&site, "  open-ci:\n", &format!("{sources}  open-ci:\n"));
    World::on(site, simulator).await
}

/// A body with its signature and access token, with more headers and this query.
async fn post(
    world: &World,
    source: &str,
    query: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Value {
    let plan = world.live.plan();
    let plan = &plan.sources[source];
    let token = cdsw_gateway::model::Secret::new(TOKEN);
    let outgoing = Outgoing {
        method: &Method::POST,
        path: &format!("/hooks/{source}"),
        event: "event",
        body: body.as_bytes(),
        access_token: (source == "runs").then_some(&token),
    };
    let secret = cdsw_gateway::model::Secret::new(SECRET);
    let signed = plan.provider.sign(&outgoing, &secret, &plan.options, "id-1", world.clock.now());
    let mut request = world
        .client
        .post(format!("{}?{query}", world.hook(source)))
        .headers(signed.expect("it signs").headers.into_iter().collect())
        .body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (status, answer) = world.send(request).await;
    assert_eq!(status, 202, "{answer}");
    answer
}

/// Neither the store's files nor what the API shows of the delivery and its run has the text.
async fn is_nowhere(world: &World, answer: &Value, text: &str) {
    let (delivery, run) = (&answer["delivery"], &answer["runs"][0]["id"]);
    for path in [format!("deliveries/{delivery}"), format!("runs/{run}")] {
        let path = format!("/api/{}", path.replace('"', ""));
        let (_, view) = world.api(Method::GET, &path, None).await;
        assert!(!view.to_string().contains(text), "{view}");
    }
    let url = world.admin(&format!("/api/deliveries/{}/body", delivery.as_str().expect("an id")));
    let body = world.client.get(url).bearer_auth(super::common::ADMIN_TOKEN).send().await;
    let body = body.expect("an answer").text().await.expect("text");
    assert!(body.contains("[redacted]") && !body.contains(text), "{body}");
    for name in ["gateway.db", "gateway.db-wal"] {
        let bytes = std::fs::read(world.site.path(name)).expect("read");
        let found = bytes.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(!found, "{text} is in {name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_in_the_body_is_neither_kept_nor_given_to_a_job() {
    let world = world().await;
    let body = json!({ "a": [{ "token": SECRET }], "b": format!("x{SECRET}y") }).to_string();
    let answer = post(&world, "hooks", "", &[], &body).await;
    is_nowhere(&world, &answer, "0123456789").await;
    let run = answer["runs"][0]["id"].as_str().expect("an id").parse().expect("an id");
    let run = world.run(run).await;
    let environment = format!("{:?}", run);
    assert!(environment.contains("[redacted]"), "{environment}");
    assert!(!environment.contains("0123456789"), "{environment}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_in_any_header_or_field_of_the_query_is_not_kept() {
    let world = world().await;
    let query =
        format!("a=1&other={}&secret_token=else", "canary%2Fhook%20%22secret%22%200123456789");
    let headers = [
        ("x-custom", SECRET),
        ("x-api-key", "another-systems-key"),
        ("x-forwarded-access-token", "a-persons-token"),
        ("x-gitlab-token", "a-forges-token"),
    ];
    let body = format!("{{\"a\": {}}}", json!(SECRET));
    let answer = post(&world, "hooks", &query, &headers, &body).await;
    for text in ["0123456789", "another-systems-key", "a-persons-token", "a-forges-token", "=else"]
    {
        is_nowhere(&world, &answer, text).await;
    }
    let path = format!("/api/deliveries/{}", answer["delivery"].as_str().expect("an id"));
    let (_, view) = world.api(Method::GET, &path, None).await;
    assert!(view.to_string().contains("a=1&other=[redacted]"), "{view}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_told_which_secret_a_sender_repeats() {
    let world = world().await;
    for number in 0..3 {
        let body = json!({ "number": number, "secret": SECRET }).to_string();
        post(&world, "hooks", "", &[], &body).await;
    }
    let (_, view) = world.api(Method::GET, "/api/secrets", None).await;
    let told = view["secrets"].as_array().expect("a list");
    let told = told.iter().find(|one| one["source"] == "hooks").expect("the source");
    assert_eq!(told["leaks"], 3, "{view}");
    let metrics = world.gateway.metrics().text(&Default::default());
    assert!(
        metrics.contains("cdsw_gateway_secrets_removed_total{source=\"hooks\"} 3"),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_a_sender_may_put_into_its_payload_is_removed_without_a_warning() {
    let world = world().await;
    let body = json!({ "event_type": "LINK_ARTIFACT", "token": TOKEN }).to_string();
    let answer = post(&world, "runs", "", &[], &body).await;
    is_nowhere(&world, &answer, TOKEN).await;
    let (_, view) = world.api(Method::GET, "/api/secrets", None).await;
    assert!(
        view["secrets"].as_array().expect("a list").iter().all(|one| one["leaks"] == 0),
        "{view}"
    );
}
