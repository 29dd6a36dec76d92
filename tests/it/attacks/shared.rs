//! One secret at two sources, one of which signs with it what strangers ask for; and a secret that is written
//! wrongly.

use serde_json::{Value, json};

use crate::common::{Site, World, simulator};

/// Starts a job on whatever comes to `generic`.
const ROUTES: &str = "  any:\n    on: { source: generic }\n    job: retrain\n";

/// A source that answers everybody's challenges, and one that accepts any signed JSON, with these secrets.
async fn world(signs: &str, accepts: &str) -> World {
    let workbench = simulator().await;
    let site = Site::with(&workbench.api_url(), ROUTES, "", "");
    site.private("xt", signs);
    site.private("generic", accepts);
    let sources = "
sources:
  xt: { provider: x-twitter, secrets: [{ file: secrets/xt }] }
  generic:
    provider: hmac
    header: X-Signature
    encoding: base64
    prefix: sha256=
    repeats: never
    secrets: [{ file: secrets/generic }]
";
    let usual = std::fs::read_to_string(site.config()).expect("read");
    site.write_config(&usual.replace("\nsources:\n", sources));
    World::on(site, workbench).await
}

/// What a stranger does: has the gateway sign a text, and sends that text with the signature.
async fn forged(world: &World, text: &str) -> u16 {
    let challenge = world.client.get(format!("{}?crc_token={text}", world.hook("xt")));
    let (status, answer) = world.send(challenge).await;
    assert_eq!(status, 200, "{answer}");
    let signature = answer["response_token"].as_str().expect("a signature").to_owned();
    assert!(signature.starts_with("sha256="), "{signature}");
    let request = world.client.post(world.hook("generic"));
    let request = request.header("x-signature", signature).body(text.to_owned());
    world.send(request).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_a_challenge_opens_no_other_source_that_has_the_same_secret() {
    const ONE: &str = "canary-one-9f86d081884c7d65";
    let world = world(ONE, ONE).await;
    // The source is not served: nothing that comes to it could be believed.
    assert_eq!(forged(&world, "12345").await, 503);
    assert_eq!(world.runs().await, 0);
    world.site.private("generic", "canary-two-0b2c91f7e3a4d586");
    world.live.reload().expect("good");
    assert_eq!(forged(&world, "12345").await, 401);
    assert_eq!(world.runs().await, 0);
}

/// The last refusal of `generic`.
async fn refusal(world: &World) -> Value {
    let told = world.api(reqwest::Method::GET, "/api/refusals/generic", None).await.1;
    told["refusals"][0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_says_where_only_white_space_at_an_end_of_the_secret_is_wrong() {
    const MEANT: &str = "canary-two-0b2c91f7e3a4d586";
    let world = world("canary-one-9f86d081884c7d65", &format!(" {MEANT}\n\n")).await;
    let send = async |secret: &str| {
        let outgoing = cdsw_gateway::providers::Outgoing {
            method: &http::Method::POST,
            path: "/hooks/generic",
            event: "event",
            body: b"{}",
            access_token: None,
        };
        let plan = world.live.plan();
        let source = &plan.sources["generic"];
        let secret = cdsw_gateway::model::Secret::new(secret);
        let now = jiff::Timestamp::UNIX_EPOCH;
        let signed = source.provider.sign(&outgoing, &secret, &source.options, "1", now);
        let headers = signed.expect("it signs").headers.into_iter().collect();
        world.send(world.client.post(world.hook("generic")).headers(headers).body("{}")).await
    };
    let (status, answer) = send(MEANT).await;
    // The sender is told no more than for any other wrong signature.
    assert_eq!((status, answer), (401, json!({ "error": "the request is not authentic" })));
    let told = refusal(&world).await;
    assert_eq!(told["reason"], "bad_signature");
    assert!(told.to_string().contains("white space at an end of the secret"), "{told}");
    assert_eq!(send("canary-three-77c0ffee77c0ffee").await.0, 401);
    let told = refusal(&world).await;
    assert!(told.to_string().contains("the secrets differ"), "{told}");
}
