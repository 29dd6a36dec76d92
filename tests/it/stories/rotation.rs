//! A webhook's secret is replaced without a gap.

use cdsw_gateway::clock::Clock as _;
use cdsw_gateway::model::Secret;
use cdsw_gateway::providers::Outgoing;
use serde_json::json;

use super::common::{GITLAB_TOKEN, ON_PUSH, PUSH, WEBHOOK_SECRET, World};
use super::{edit, with_sources};

const NEW: &str = "canary-the-new-webhook-secret-31";

async fn push(world: &World, id: &str, secret: &str) -> u16 {
    world.send(world.signed("github", "push", id, PUSH, secret)).await.0
}

async fn matches(world: &World, secret: usize) -> u64 {
    let text = world.client.get(world.admin("/metrics")).send().await.expect("an answer");
    let text = text.text().await.expect("text");
    let name =
        format!("cdsw_gateway_secret_matches_total{{source=\"github\",secret=\"{secret}\"}} ");
    text.lines()
        .find_map(|line| line.strip_prefix(&name))
        .map_or(0, |count| count.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_secrets_are_good_while_one_replaces_the_other() {
    let world = World::start(ON_PUSH).await;
    world.site.private("webhook-new", NEW);
    assert_eq!(push(&world, "too-early", NEW).await, 401);
    let both = "github: { provider: github, secrets: [{ file: secrets/webhook-new }, { file: secrets/webhook }] }";
    edit(&world.site, "github: { provider: github, secrets: [{ file: secrets/webhook }] }", both);
    world.live.reload().unwrap_or_else(|report| panic!("{}", report.render(false)));
    // First the sender still uses the old one, and one can see when it no longer does.
    assert_eq!(push(&world, "old-1", WEBHOOK_SECRET).await, 202);
    assert_eq!(push(&world, "old-2", WEBHOOK_SECRET).await, 202);
    assert_eq!(push(&world, "new-1", NEW).await, 202);
    assert_eq!(push(&world, "stranger", "canary-neither-of-the-two").await, 401);
    assert_eq!((matches(&world, 0).await, matches(&world, 1).await), (1, 2));
    edit(
        &world.site,
        both,
        "github: { provider: github, secrets: [{ file: secrets/webhook-new }] }",
    );
    world.live.reload().unwrap_or_else(|report| panic!("{}", report.render(false)));
    assert_eq!(push(&world, "new-2", NEW).await, 202);
    assert_eq!(push(&world, "old-3", WEBHOOK_SECRET).await, 401);
}

/// Place, reference and count of every secret of the source, as the API shows them.
async fn shown(world: &World) -> Vec<(u64, String, u64, bool)> {
    let (status, answer) = world.api(reqwest::Method::GET, "/api/secrets", None).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["since"], "2026-03-01T12:00:00Z");
    let text = answer.to_string();
    assert!(!text.contains(NEW) && !text.contains(WEBHOOK_SECRET), "{text}");
    let secrets = answer["secrets"].as_array().expect("a list");
    let of_github = secrets.iter().filter(|secret| secret["source"] == "github");
    of_github
        .map(|secret| {
            let reference = secret["reference"].as_str().expect("text");
            let name = reference.rsplit('/').next().expect("a part").to_owned();
            let count = secret["deliveries"].as_u64().expect("a number");
            (secret["place"].as_u64().expect("a number"), name, count, secret["last"].is_string())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_can_see_which_secret_is_still_used_and_since_when_it_is_counted() {
    let world = World::start(ON_PUSH).await;
    assert_eq!(push(&world, "old-1", WEBHOOK_SECRET).await, 202);
    let both = "github: { provider: github, secrets: [{ file: secrets/webhook-new }, { file: secrets/webhook }] }";
    edit(&world.site, "github: { provider: github, secrets: [{ file: secrets/webhook }] }", both);
    world.live.reload().unwrap_or_else(|report| panic!("{}", report.render(false)));
    // The new secret's file is not there yet: the old one's place and count stay its own.
    assert_eq!(push(&world, "old-2", WEBHOOK_SECRET).await, 202);
    assert_eq!((matches(&world, 0).await, matches(&world, 1).await), (1, 1));
    let (new, old) = ("webhook-new".to_owned(), "webhook".to_owned());
    assert_eq!(
        shown(&world).await,
        [(0, new.clone(), 0, false), (1, old.clone(), 2, true)],
        "counted by where it is kept, not by its place"
    );
    world.site.private("webhook-new", NEW);
    world.live.secrets().refresh().expect("no programs");
    assert_eq!(push(&world, "new-1", NEW).await, 202);
    assert_eq!(shown(&world).await, [(0, new, 1, true), (1, old, 2, true)]);
    let unknown = world.client.get(world.admin("/api/secrets"));
    assert_eq!(world.send(unknown).await.0, 401, "for whoever has a token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secrets_file_may_change_under_a_running_gateway() {
    let world = World::start(ON_PUSH).await;
    assert_eq!(push(&world, "old", WEBHOOK_SECRET).await, 202);
    world.site.private("webhook", NEW);
    world.live.secrets().refresh().expect("no programs");
    assert_eq!(push(&world, "new", NEW).await, 202);
    assert_eq!(push(&world, "old-again", WEBHOOK_SECRET).await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_secret_a_source_keeps_nothing_and_says_try_again() {
    let world = World::start(ON_PUSH).await;
    std::fs::remove_file(world.site.path("secrets/webhook")).expect("removed");
    world.live.secrets().refresh().expect("no programs");
    let answer = world.github("push", "locked-out", PUSH).send().await.expect("an answer");
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(world.runs().await, 0);
    world.site.private("webhook", WEBHOOK_SECRET);
    world.live.secrets().refresh().expect("no programs");
    assert_eq!(push(&world, "locked-out", WEBHOOK_SECRET).await, 202);
}

/// Sends what Weights & Biases would with this access token.
async fn with_token(world: &World, version: &str, token: &str) -> u16 {
    let plan = world.live.plan();
    let source = &plan.sources["wandb"];
    let body = json!({ "event_type": "LINK_ARTIFACT", "version": version }).to_string();
    let token = Secret::new(token);
    let outgoing = Outgoing {
        method: &http::Method::POST,
        path: "/hooks/wandb",
        event: "LINK_ARTIFACT",
        body: body.as_bytes(),
        access_token: Some(&token),
    };
    let secret = Secret::new(WEBHOOK_SECRET);
    let signed = source.provider.sign(&outgoing, &secret, &source.options, "id", world.clock.now());
    let headers = signed.expect("it signs").headers.into_iter().collect();
    world.send(world.client.post(world.hook("wandb")).headers(headers).body(body)).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_access_tokens_are_good_while_one_replaces_the_other() {
    let source = "  wandb: { provider: wandb, secrets: [{ file: secrets/webhook }], \
        access_token: { file: secrets/gitlab } }\n";
    let world = with_sources(source, ON_PUSH).await;
    world.site.private("token-new", NEW);
    assert_eq!(with_token(&world, "v1", GITLAB_TOKEN).await, 200);
    assert_eq!(with_token(&world, "v2", NEW).await, 401, "too early");
    edit(
        &world.site,
        "access_token: { file: secrets/gitlab }",
        "access_token: [{ file: secrets/token-new }, { file: secrets/gitlab }]",
    );
    world.live.reload().unwrap_or_else(|report| panic!("{}", report.render(false)));
    assert_eq!(with_token(&world, "v3", GITLAB_TOKEN).await, 200);
    assert_eq!(with_token(&world, "v4", NEW).await, 200);
    assert_eq!(with_token(&world, "v5", "canary-neither-of-the-two").await, 401);
    let (_, answer) = world.api(reqwest::Method::GET, "/api/secrets", None).await;
    let secrets = answer["secrets"].as_array().expect("a list");
    let tokens: Vec<(u64, u64)> = secrets
        .iter()
        .filter(|secret| secret["source"] == "wandb" && secret["key"] == "access_token")
        .map(|secret| (secret["place"].as_u64().unwrap(), secret["deliveries"].as_u64().unwrap()))
        .collect();
    assert_eq!(tokens, [(0, 1), (1, 2)], "{answer}");
    let text = answer.to_string();
    assert!(!text.contains(NEW) && !text.contains(GITLAB_TOKEN), "{text}");
}
