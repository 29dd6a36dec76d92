//! Harbor. It signs nothing. It sends the text that is configured as "Auth Header" in the header
//! `Authorization`.

use http::HeaderMap;

use crate::model::{GitFacts, Value};
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::forges::facts::text;
use crate::providers::forges::images::images;
use crate::providers::mechanisms::Token;
use crate::providers::{Handshake, Meaning};

static TOKEN: Token = Token { header: "authorization", prefix: "" };

/// Harbor.
pub(in crate::providers) static HARBOR: Sender = Sender {
    event: &[At::Field(&["type"])],
    handshake: Some(test),
    git_facts: Some(git_facts),
    samples: &[("PUSH_ARTIFACT", include_str!("../samples/harbor.json"))],
    ..Sender::new("harbor", "Harbor", &ABOUT, &TOKEN)
};

/// There is one entry for each resource. What is pushed or deleted by its digest alone has no tag.
fn git_facts(meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
    let repository = text(body, &["event_data", "repository", "repo_full_name"]);
    let resources = body.at(&["event_data", "resources"]).and_then(Value::as_list);
    let tags = resources.unwrap_or_default().iter().filter_map(|one| text(one, &["tag"]));
    let (author, deleted) = (text(body, &["operator"]), &*meaning.kind == "DELETE_ARTIFACT");
    let told = images(repository, tags).into_iter();
    told.map(|facts| GitFacts { author: author.clone(), deleted, ..facts }).collect()
}

/// What the button "Test Endpoint" of older versions sends.
fn test(_headers: &HeaderMap, body: &Value) -> Option<Handshake> {
    let kind = body.get("type")?.as_str()?;
    matches!(kind, "testEndpoint" | "TEST_ENDPOINT").then_some(Handshake::Acknowledge)
}

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the project: Webhooks > New Webhook, notify type `http`.",
        "Endpoint URL `https://HOST/hooks/harbor`; as Auth Header a long random text, which is \
         the secret.",
        "Choose the event types.",
    ],
    source: "provider: harbor\nsecrets: [{ env: HARBOR_AUTH_HEADER }]",
    carries: "The kind is the body's `type` (`PUSH_ARTIFACT`, …). No delivery has an id; the \
              digest of the body, which has a time, stands for it. Nothing is signed.",
    yields: "Facts of the image, as git facts: `repository` (`models/risk`), for each resource `tag`, \
             `author` (`operator`), `deleted`.",
    proven: Proven::Assembled,
    sources: &[
        "https://goharbor.io/docs/latest/working-with-projects/project-configuration/configure-webhooks/",
    ],
};
