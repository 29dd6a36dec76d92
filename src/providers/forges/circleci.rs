//! CircleCI's outbound webhooks. The header lists signatures by version, of which only `v1` exists. Unknown
//! versions are ignored, so that CircleCI can introduce another.

use std::sync::Arc;

use http::HeaderMap;

use crate::model::{ChangedPaths, GitFacts, PullRequest, Value};
use crate::providers::about::{About, Group, Proven};
use crate::providers::address::repository_in;
use crate::providers::described::{At, Sender};
use crate::providers::forges::facts::{Ref, commit_id, first_text, message, status, text};
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

/// What the pipeline was built from: under `vcs` for GitHub's OAuth app and for Bitbucket Cloud, else under the
/// parameters of its trigger. Changed files are never listed.
fn git_facts(_meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
    let Some(pipeline) = body.get("pipeline") else { return Vec::new() };
    let old = pipeline.get("vcs").filter(|vcs| !vcs.is_null());
    let parameters = pipeline.get("trigger_parameters");
    let facts = match (old, parameters) {
        (Some(vcs), _) => of_vcs(vcs, body),
        (None, Some(parameters)) => of_trigger(parameters),
        (None, None) => return Vec::new(),
    };
    let is_empty = facts == GitFacts { paths: ChangedPaths::default(), ..GitFacts::default() };
    let status = status(body, &[&["workflow", "status"], &["job", "status"]]);
    if is_empty { Vec::new() } else { vec![GitFacts { status, ..facts }] }
}

fn of_vcs(vcs: &Value, body: &Value) -> GitFacts {
    let slug = || {
        let slug = text(body, &["project", "slug"])?;
        slug.split_once('/').map(|(_, name)| Arc::from(name))
    };
    let address = first_text(vcs, &[&["target_repository_url"], &["origin_repository_url"]]);
    let branch = text(vcs, &["branch"]);
    let number = branch.as_deref().and_then(request_of);
    let tag = text(vcs, &["tag"]);
    let fork = fork(vcs, number.is_some(), tag.is_some());
    GitFacts {
        repository: address.as_deref().and_then(repository_in).or_else(slug),
        branch: branch.filter(|_| number.is_none() && fork != Some(true)),
        sha: commit_id(vcs, &["revision"]),
        message: whole_message(vcs),
        pull_request: number.map(|number| built(number, fork)),
        tag,
        fork,
        ..GitFacts::default()
    }
}

/// The two addresses differ for a request from a fork, and for nothing else. A build that somebody asked for by the
/// number of a request may be of a fork's commit, whatever they say. A tag is one of the project.
fn fork(vcs: &Value, of_request: bool, of_tag: bool) -> Option<bool> {
    let address = |side: &str| text(vcs, &[side]);
    let pair = address("origin_repository_url").zip(address("target_repository_url"));
    match pair.map(|(origin, target)| origin != target) {
        Some(true) => Some(true),
        Some(false) if !of_request => Some(false),
        None if of_tag => Some(false),
        _ => None,
    }
}

fn built(number: u64, fork: Option<bool>) -> PullRequest {
    PullRequest { number, fork, ..PullRequest::default() }
}

/// The number of the request that a build is of: its branch is `pull/7`, or `pull/7/head` where somebody asked for
/// that; its ref starts in the way of the forge.
fn request_of(name: &str) -> Option<u64> {
    let starts = ["pull/", "refs/pull/", "refs/merge-requests/", "refs/pull-requests/"];
    let rest = starts.into_iter().find_map(|start| name.strip_prefix(start))?;
    rest.split('/').next()?.parse().ok()
}

/// CircleCI sends the first line of a message and the rest apart.
fn whole_message(vcs: &Value) -> Option<Arc<str>> {
    let subject = message(vcs, &["commit", "subject"])?;
    match message(vcs, &["commit", "body"]) {
        Some(rest) => Some(format!("{subject}\n\n{rest}").into()),
        None => Some(subject),
    }
}

/// What the parameters of a trigger say of the commit, under the name of the forge and once more under `git`, which
/// not every pipeline has. Nothing in them tells a request from a fork from one of the repository: only a push is
/// known to be of the repository's own commit.
fn of_trigger(parameters: &Value) -> GitFacts {
    let maps = ["gitlab", "github_app", "git"].map(|name| parameters.get(name));
    let maps: Vec<&Value> = maps.into_iter().flatten().collect();
    let said = |paths: &[&[&str]]| maps.iter().find_map(|map| first_text(map, paths));
    let named = said(&[&["repo_owner"], &["owner"]]).zip(said(&[&["repo_name"]]));
    let address = said(&[&["repo_url"], &["web_url"], &["checkout_url"]]);
    let address = address.as_deref().and_then(repository_in);
    let names =
        ["ref", "full_ref"].map(|name| maps.iter().filter_map(move |map| text(map, &[name])));
    let full = names.into_iter().flatten().find(|name| name.starts_with("refs/"));
    let moved = Ref::full(full.as_deref().unwrap_or_default());
    let tag = moved.tag.or_else(|| said(&[&["tag"]]));
    let branch = said(&[&["branch"]]);
    let number = [&full, &branch].into_iter().flatten().find_map(|name| request_of(name));
    let branch = moved.branch.or(branch).filter(|_| tag.is_none() && number.is_none());
    let event = text(parameters, &["circleci", "event_type"]).or_else(|| said(&[&["type"]]));
    let is_push = matches!(event.as_deref(), Some("push" | "tag_push")) && number.is_none();
    GitFacts {
        repository: address.or_else(|| named.map(|(owner, name)| format!("{owner}/{name}").into())),
        branch,
        tag,
        sha: maps.iter().find_map(|map| {
            commit_id(map, &["commit_sha"]).or_else(|| commit_id(map, &["checkout_sha"]))
        }),
        author: said(&[&["user_username"]]),
        message: said(&[&["commit_message"], &["commit_title"]]),
        default_branch: said(&[&["default_branch"]]),
        pull_request: number.map(|number| built(number, None)),
        fork: is_push.then_some(false),
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
    yields: "Git facts of what was built: `repository`, `branch`, `tag`, `sha`, `message`, `status`, and \
             `fork` where CircleCI says it: builds of projects of GitHub's OAuth app and of Bitbucket Cloud, \
             and pushes of the others. `author` for GitLab; for a build of a request, its number. Changed \
             files are never listed.",
    proven: Proven::Literal,
    sources: &["https://circleci.com/docs/outbound-webhooks/"],
};
