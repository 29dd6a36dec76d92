//! Docker Hub. It neither signs nor sends custom headers, so the secret must be in the address. It is
//! neither stored nor shown.

use http::HeaderMap;

use crate::model::{GitFacts, Value};
use crate::providers::Meaning;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::Sender;
use crate::providers::forges::facts::text;
use crate::providers::forges::images::image;
use crate::providers::mechanisms::FieldToken;

static ADDRESS: FieldToken = FieldToken { query: "token" };

/// Docker Hub.
pub(in crate::providers) static DOCKER_HUB: Sender = Sender {
    kind: Some(kind),
    git_facts: Some(git_facts),
    samples: &[("push", include_str!("../samples/docker-hub.json"))],
    ..Sender::new("docker-hub", "Docker Hub", &ABOUT, &ADDRESS)
};

fn kind(_headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    body.get("push_data").map(|_| "push")
}

fn git_facts(_meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
    let image = image(text(body, &["repository", "repo_name"]), text(body, &["push_data", "tag"]));
    let author = text(body, &["push_data", "pusher"]);
    image.map(|facts| GitFacts { author, ..facts }).into_iter().collect()
}

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the repository: Webhooks.",
        "Webhook URL `https://HOST/hooks/docker-hub?token=SECRET`, with a long random text as \
         the secret; `https://HOST/hooks/docker-hub/SECRET` does too.",
    ],
    source: "provider: docker-hub\nsecrets: [{ env: DOCKER_HUB_TOKEN }]",
    carries: "Every event is a `push`: the tag is `body.push_data.tag`, the image \
              `body.repository.repo_name`. The digest of the body, which has a time, stands for \
              the delivery's id. Nothing is signed, and the secret stands in the logs of \
              whatever is in between. `callback_url` is not called.",
    yields: "Facts of the image, as git facts: `repository`, `tag`, `author` (the pusher).",
    proven: Proven::Documented,
    sources: &["https://docs.docker.com/docker-hub/repos/manage/webhooks/"],
};
