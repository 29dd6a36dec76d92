//! One route serves every forge, because it tests git facts and not a forge's payload.

use cdsw_gateway::model::RunState;

use super::common::{GITLAB_TOKEN, WEBHOOK_SECRET};
use super::{run_of, with_sources};

const SOURCES: &str = "  gitea: { provider: gitea, secrets: [{ file: secrets/webhook }] }
  forgejo: { provider: forgejo, secrets: [{ file: secrets/webhook }] }
  bitbucket: { provider: bitbucket-cloud, secrets: [{ file: secrets/webhook }] }
";

const ROUTE: &str = r#"
  on-push:
    on:
      source: [github, gitlab, gitea, forgejo, bitbucket]
      event: push
      repository: ["acme/risk", "acme/*/risk"]
      branch: [main, "release/**"]
    if: git.author == "alice"
    job: retrain
    env:
      FORGE: ${{ source }}
      REPOSITORY: ${{ git.repository }}
      BRANCH: ${{ git.branch }}
      SHA: ${{ git.sha }}
      STARTED_BY: push by ${{ git.author }}
"#;

const SHA: &str = "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5";

/// Source, its word for a push, payload, and what the runs are told: repository, branch, commit.
const CASES: [(&str, &str, &str, &[[&str; 3]]); 5] = [
    (
        "github",
        "push",
        include_str!("../../payloads/github/push.json"),
        &[["acme/risk", "release/1.2", SHA]],
    ),
    (
        "gitlab",
        "Push Hook",
        include_str!("../../payloads/gitlab/push.json"),
        &[["acme/analysis/risk", "main", SHA]],
    ),
    (
        "gitea",
        "push",
        include_str!("../../payloads/gitea/push.json"),
        &[["acme/risk", "main", SHA]],
    ),
    (
        "forgejo",
        "push",
        include_str!("../../payloads/forgejo/push.json"),
        &[["acme/risk", "main", SHA]],
    ),
    (
        "bitbucket",
        "repo:push",
        include_str!("../../payloads/bitbucket-cloud/push-two-changes.json"),
        &[
            ["acme/risk", "main", SHA],
            ["acme/risk", "release/1.2", "c441029cf673f84c8b7db52d0a5944ee5c52ff89"],
        ],
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_route_serves_every_forge() {
    let world = with_sources(SOURCES, ROUTE).await;
    for (source, event, body, wanted) in CASES {
        let secret = if source == "gitlab" { GITLAB_TOKEN } else { WEBHOOK_SECRET };
        let id = format!("from-{source}");
        let (status, answer) = world.send(world.signed(source, event, &id, body, secret)).await;
        assert_eq!(status, 202, "{source}: {answer}");
        assert_eq!(answer["runs"].as_array().map(Vec::len), Some(wanted.len()), "{source}");
        for (position, [repository, branch, sha]) in wanted.iter().enumerate() {
            let run = world.run_in(run_of(&answer, position), RunState::Started).await;
            let environment = run.environment.expect("made");
            let told = |name| environment.get(name).unwrap_or_default().to_owned();
            assert_eq!(told("FORGE"), source);
            assert_eq!(told("REPOSITORY"), *repository, "{source}");
            assert_eq!(told("BRANCH"), *branch, "{source}");
            assert_eq!(told("SHA"), *sha, "{source}");
            assert_eq!(told("STARTED_BY"), "push by alice", "{source}");
        }
    }
}

/// Source, its word for a push, and one and the same push as it tells of it.
const SAME: [(&str, &str, &str); 8] = [
    ("github", "push", include_str!("../../payloads/same-push/github.json")),
    ("gitlab", "Push Hook", include_str!("../../payloads/same-push/gitlab.json")),
    ("bitbucket", "repo:push", include_str!("../../payloads/same-push/bitbucket-cloud.json")),
    ("gitea", "push", include_str!("../../payloads/same-push/gitea.json")),
    ("forgejo", "push", include_str!("../../payloads/same-push/forgejo.json")),
    ("gogs", "push", include_str!("../../payloads/same-push/gogs.json")),
    (
        "bitbucket-server",
        "repo:refs_changed",
        include_str!("../../payloads/same-push/bitbucket-server.json"),
    ),
    ("azure-devops", "git.push", include_str!("../../payloads/same-push/azure-devops.json")),
];

const MORE_SOURCES: &str = "  gogs: { provider: gogs, secrets: [{ file: secrets/webhook }] }
  bitbucket-server: { provider: bitbucket-server, secrets: [{ file: secrets/webhook }] }
  azure-devops: { provider: azure-devops, user: azure, secrets: [{ file: secrets/webhook }] }
";

const SAME_ROUTE: &str = r#"
  on-push:
    on:
      source: [github, gitlab, gitea, forgejo, gogs, bitbucket, bitbucket-server, azure-devops]
      event: push
      repository: acme/risk
      branch: main
    if: event.action == null
    job: retrain
    env:
      REPOSITORY: ${{ git.repository }}
      BRANCH: ${{ git.branch }}
      SHA: ${{ git.sha }}
      BEFORE: ${{ git.before }}
      AUTHOR: ${{ git.author }}
      MESSAGE: { value: "${{ git.message }}", default: Widen the prior of the default model }
"#;

/// Bitbucket Server does not tell the message, so that the route's default stands for it there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_push_starts_the_same_job_with_the_same_environment_whoever_tells_of_it() {
    let world = with_sources(&format!("{SOURCES}{MORE_SOURCES}"), SAME_ROUTE).await;
    for (source, event, body) in SAME {
        let secret = if source == "gitlab" { GITLAB_TOKEN } else { WEBHOOK_SECRET };
        let (status, answer) = world.send(world.signed(source, event, source, body, secret)).await;
        assert_eq!(status, 202, "{source}: {answer}");
        world.run_in(run_of(&answer, 0), RunState::Started).await;
    }
    let started = world.simulator.requests();
    assert_eq!(started.len(), SAME.len());
    let told = |position: usize| {
        let mut environment = started[position].environment.clone();
        environment.retain(|name, _| !name.starts_with("GATEWAY_"));
        environment
    };
    assert_eq!(told(0).len(), 6);
    for (position, (source, ..)) in SAME.iter().enumerate() {
        assert_eq!(told(position), told(0), "{source}");
        assert_eq!(started[position].path, started[0].path, "{source}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forge_that_signs_with_another_secret_is_a_stranger() {
    let world = with_sources(SOURCES, ROUTE).await;
    for (source, event, body, _) in CASES {
        let request = world.signed(source, event, "stranger", body, "canary-not-the-secret-77");
        let (status, answer) = world.send(request).await;
        assert_eq!(status, 401, "{source}: {answer}");
        assert_eq!(answer["error"], "the request is not authentic", "{source}");
    }
    assert_eq!(world.runs().await, 0);
}
