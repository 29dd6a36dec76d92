//! What the gateway makes of each forge's payloads: kind, action and git facts, as snapshots.
//!
//! Each payload goes the whole way: signed as its sender would, authenticated, understood.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use cdsw_gateway::authenticate::{Unverified, kept};
use cdsw_gateway::event::{Event, Handshake, Understood, understand};
use cdsw_gateway::model::{GitFacts, Secret, Value};
use cdsw_gateway::providers::{self, Options, Outgoing, Verification};
use http::{HeaderMap, Method};
use jiff::Timestamp;

fn payload(provider: &str, name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads");
    let file = folder.join(provider).join(format!("{name}.json"));
    std::fs::read_to_string(&file).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()))
}

fn understood(provider: &str, event: &str, body: &[u8]) -> Understood {
    let provider = providers::find(provider).expect("a known provider");
    let (options, secret) = (Options::default(), Secret::new("It's a Secret to Everybody"));
    let outgoing =
        Outgoing { method: &Method::POST, path: "/hooks/forge", event, body, access_token: None };
    let headers: HeaderMap = provider
        .sign(&outgoing, &secret, &options, "delivery-1", Timestamp::UNIX_EPOCH)
        .expect("it signs")
        .headers
        .into_iter()
        .collect();
    let request = Unverified {
        method: &Method::POST,
        path: "/hooks/forge",
        rest: "",
        query: "",
        headers: &headers,
        body: &Bytes::copy_from_slice(body),
    };
    let secrets = [secret];
    let verification = Verification::new(&secrets, &options, Timestamp::UNIX_EPOCH);
    let proof = provider.authenticate(&request, &verification).expect("it is authentic");
    understand(&request.verified(proof), provider, &options, &Arc::from("forge"))
        .expect("it is understood")
}

fn shown(understood: &Understood) -> String {
    let Understood { handshake, kind, name, action, identity, content: _, unnamed: _, events } =
        understood;
    let mut text = format!("kind: {kind}\nname: {name:?}\naction: {action:?}\nkey: {identity:?}\n");
    if handshake.is_some() {
        writeln!(text, "handshake: {handshake:?}").expect("text");
    }
    for Event { part, git, .. } in events {
        writeln!(text, "part {part}: {git:#?}").expect("text");
    }
    text
}

const PAYLOADS: &[(&str, &[(&str, &str)])] = &[
    (
        "github",
        &[
            ("push", "push"),
            ("push-new-branch", "push"),
            ("push-forced", "push"),
            ("push-tag", "push"),
            ("push-delete-branch", "push"),
            ("create-tag", "create"),
            ("delete-branch", "delete"),
            ("release", "release"),
            ("pull-request-synchronize", "pull_request"),
            ("issue-comment", "issue_comment"),
            ("ping", "ping"),
            ("organization", "organization"),
        ],
    ),
    (
        "gitlab",
        &[
            ("push", "Push Hook"),
            ("push-more-than-listed", "Push Hook"),
            ("push-new-branch", "Push Hook"),
            ("push-delete-branch", "Push Hook"),
            ("tag-push", "Tag Push Hook"),
            ("tag-push-delete", "Tag Push Hook"),
            ("merge-request-open", "Merge Request Hook"),
            ("merge-request-update", "Merge Request Hook"),
            ("merge-request-edit", "Merge Request Hook"),
            ("merge-request-merge", "Merge Request Hook"),
            ("merge-request-approved", "Merge Request Hook"),
            ("release", "Release Hook"),
            ("note", "Note Hook"),
            ("pipeline", "Pipeline Hook"),
        ],
    ),
    (
        "bitbucket-cloud",
        &[
            ("push-two-changes", "repo:push"),
            ("push-tag", "repo:push"),
            ("push-delete-branch", "repo:push"),
            ("push-nothing", "repo:push"),
            ("pull-request-created", "pullrequest:created"),
            ("pull-request-fulfilled", "pullrequest:fulfilled"),
            ("pull-request-rejected", "pullrequest:rejected"),
        ],
    ),
    ("gitea", GITEA),
    ("forgejo", GITEA),
];

const GITEA: &[(&str, &str)] = &[
    ("push", "push"),
    ("push-more-than-listed", "push"),
    ("push-tag", "push"),
    ("create-tag", "create"),
    ("delete-branch", "delete"),
    ("pull-request-synchronized", "pull_request"),
    ("pull-request-merged", "pull_request"),
    ("release", "release"),
];

#[test]
fn every_payload_is_understood_as_its_snapshot_says() {
    for (provider, payloads) in PAYLOADS {
        for (name, event) in *payloads {
            let understood = understood(provider, event, payload(provider, name).as_bytes());
            insta::assert_snapshot!(format!("{provider}__{name}"), shown(&understood));
        }
    }
}

#[test]
fn one_push_has_the_same_facts_on_every_forge() {
    let facts = |provider: &str| {
        let sample = providers::find(provider).expect("known").sample("push").expect("a sample");
        let understood = understood(provider, "push", sample.as_bytes());
        assert_eq!(&*understood.kind, "push", "{provider}");
        understood.events[0].git.clone().expect("facts")
    };
    let github = facts("github");
    for provider in ["gitlab", "bitbucket-cloud", "gitea", "forgejo"] {
        let GitFacts { branch, tag, sha, before, author, deleted, .. } = facts(provider);
        let actual = (branch, tag, sha, before, author, deleted);
        let GitFacts { branch, tag, sha, before, author, deleted, .. } = github.clone();
        assert_eq!(actual, (branch, tag, sha, before, author, deleted), "{provider}");
    }
}

#[test]
fn a_form_means_what_its_json_means() {
    let json = payload("github", "push");
    let escaped: String = json.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form = format!("payload={escaped}");
    for provider in ["github", "gitea", "forgejo"] {
        let from_json = understood(provider, "push", json.as_bytes());
        let from_form = understood(provider, "push", form.as_bytes());
        assert_eq!(from_form.events[0].body, from_json.events[0].body, "{provider}");
        assert_eq!(from_form.events[0].git, from_json.events[0].git, "{provider}");
    }
}

#[test]
fn a_greeting_starts_nothing() {
    let ping = understood("github", "ping", payload("github", "ping").as_bytes());
    assert_eq!(ping.handshake, Some(Handshake::Acknowledge));
    assert!(ping.events.is_empty());
}

#[test]
fn a_kept_delivery_is_understood_without_its_secret_headers() {
    let provider = providers::find("gitlab").expect("known");
    let body = Bytes::from(payload("gitlab", "push"));
    let headers = HeaderMap::new();
    let request = Unverified {
        method: &Method::POST,
        path: "/hooks/forge",
        rest: "",
        query: "",
        headers: &headers,
        body: &body,
    };
    let verified = request.verified(kept::kept(Value::Null));
    let again = understand(&verified, provider, &Options::default(), &Arc::from("forge"));
    assert_eq!(&*again.expect("it is understood").kind, "push");
}
