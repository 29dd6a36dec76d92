//! CircleCI's outbound webhooks. The header lists signatures by version, of which only `v1` exists. Unknown
//! versions are ignored, so that CircleCI can introduce another.

use std::sync::Arc;

use http::HeaderMap;

use crate::model::{ChangedPaths, GitFacts, PullRequest, Value};
use crate::providers::about::{About, Group, Proven};
use crate::providers::address::repository_in;
use crate::providers::described::{At, Sender};
use crate::providers::forges::facts::{commit_id, first_text, message, text};
use crate::providers::mechanisms::Mac;
use crate::providers::{Handshake, Meaning};

static SIGNATURE: Mac =
    Mac { prefix: "v1=", separator: Some(','), ..Mac::sha256("circleci-signature") };

/// CircleCI.
pub(in crate::providers) static CIRCLECI: Sender = Sender {
    event: &[At::Header("circleci-event-type"), At::Field(&["type"])],
    action: &[At::Field(&["workflow", "status"]), At::Field(&["job", "status"])],
    id: &[At::Field(&["id"])],
    handshake: Some(ping),
    git_facts: Some(git_facts),
    samples: &[("workflow-completed", include_str!("../samples/circleci.json"))],
    ..Sender::new("circleci", "CircleCI", &ABOUT, &SIGNATURE)
};

/// What the button "Test Ping Event" sends.
fn ping(_headers: &HeaderMap, body: &Value) -> Option<Handshake> {
    (body.get("type")?.as_str()? == "ping").then_some(Handshake::Acknowledge)
}

/// What the pipeline was built from: under `vcs` for GitHub's OAuth app and for Bitbucket, else under the
/// parameters of its trigger. Changed files are never listed.
fn git_facts(_meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
    let Some(pipeline) = body.get("pipeline") else { return Vec::new() };
    let old = pipeline.get("vcs");
    let newer = ["git", "gitlab", "github_app"].into_iter();
    let newer = newer.filter_map(|name| pipeline.at(&["trigger_parameters", name])).next();
    let facts = match (old, newer) {
        (Some(vcs), _) => of_vcs(vcs, body),
        (None, Some(trigger)) => of_trigger(trigger),
        (None, None) => return Vec::new(),
    };
    let is_empty = facts == GitFacts { paths: ChangedPaths::default(), ..GitFacts::default() };
    if is_empty { Vec::new() } else { vec![facts] }
}

fn of_vcs(vcs: &Value, body: &Value) -> GitFacts {
    let slug = || {
        let slug = text(body, &["project", "slug"])?;
        slug.split_once('/').map(|(_, name)| Arc::from(name))
    };
    let address = first_text(vcs, &[&["target_repository_url"], &["origin_repository_url"]]);
    let branch = text(vcs, &["branch"]);
    // A build of a request from a fork has this for its branch.
    let number = branch.as_deref().and_then(|name| name.strip_prefix("pull/")?.parse().ok());
    GitFacts {
        repository: address.as_deref().and_then(repository_in).or_else(slug),
        branch: branch.filter(|_| number.is_none()),
        tag: text(vcs, &["tag"]),
        sha: commit_id(vcs, &["revision"]),
        author: first_text(vcs, &[&["commit", "author", "login"], &["commit", "author", "name"]]),
        message: whole_message(vcs),
        pull_request: number.map(|number| PullRequest { number, ..PullRequest::default() }),
        ..GitFacts::default()
    }
}

/// CircleCI sends the first line of a message and the rest apart.
fn whole_message(vcs: &Value) -> Option<Arc<str>> {
    let subject = message(vcs, &["commit", "subject"])?;
    match message(vcs, &["commit", "body"]) {
        Some(rest) => Some(format!("{subject}\n\n{rest}").into()),
        None => Some(subject),
    }
}

fn of_trigger(trigger: &Value) -> GitFacts {
    let named = text(trigger, &["repo_owner"]).zip(text(trigger, &["repo_name"]));
    let address = || text(trigger, &["repo_url"]).as_deref().and_then(repository_in);
    let is_tag = text(trigger, &["ref"]).is_some_and(|name| name.starts_with("refs/tags/"));
    let full = text(trigger, &["ref"]);
    let part =
        |start: &str| full.as_deref().and_then(|name| name.strip_prefix(start)).map(Arc::from);
    let branch = || text(trigger, &["branch"]).filter(|_| !is_tag);
    GitFacts {
        repository: address()
            .or_else(|| named.map(|(owner, name)| format!("{owner}/{name}").into())),
        branch: part("refs/heads/").or_else(branch),
        tag: part("refs/tags/").or_else(|| text(trigger, &["tag"])),
        sha: commit_id(trigger, &["commit_sha"]).or_else(|| commit_id(trigger, &["checkout_sha"])),
        author: first_text(
            trigger,
            &[&["author_login"], &["user_username"], &["commit_author_name"]],
        ),
        message: first_text(trigger, &[&["commit_message"], &["commit_title"]]),
        default_branch: text(trigger, &["default_branch"]),
        ..GitFacts::default()
    }
}

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the project: Project Settings > Webhooks > Add Webhook.",
        "Receiver URL `https://HOST/hooks/circleci`, the events, and a secret token.",
        "Keep certificate verification on.",
    ],
    source: "provider: circleci\nsecrets: [{ env: CIRCLECI_WEBHOOK_SECRET }]",
    carries: "The kind is `circleci-event-type` (`workflow-completed`, `job-completed`), the \
              delivery's id the body's `id`. The body is signed. Deliveries may be repeated. \
              The button \"Test Ping Event\" starts nothing.",
    yields: "Git facts of what was built: `repository`, `branch`, `tag`, `sha`, `author`, `message`; \
             the number of the request for a build of a fork's. Changed files are never listed.",
    proven: Proven::Literal,
    sources: &["https://circleci.com/docs/outbound-webhooks/"],
};
