//! The Hugging Face Hub. It signs nothing. The secret is in a header, or in the address.

use crate::model::{ChangedPaths, GitFacts, Value};
use crate::providers::Meaning;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::forges::facts::{Ref, commit_id, no_paths, text};
use crate::providers::mechanisms::{FieldToken, HeaderOrAddress, Token};

static TOKEN: HeaderOrAddress = HeaderOrAddress {
    header: Token { header: "x-webhook-secret", prefix: "" },
    address: FieldToken { query: "secret" },
};

/// Hugging Face Hub.
pub(in crate::providers) static HUGGINGFACE: Sender = Sender {
    event: &[At::Field(&["event", "scope"])],
    action: &[At::Field(&["event", "action"])],
    id: &[At::Header("webhook-id")],
    git_facts: Some(git_facts),
    samples: &[("repo.content", include_str!("../samples/huggingface.json"))],
    ..Sender::new("huggingface", "Hugging Face Hub", &ABOUT, &TOKEN)
};

/// Models and datasets are git repositories. There is one entry for each ref that moved. The payload never
/// lists the files that changed. Anybody may open a pull request, which moves `refs/pr/N`.
fn git_facts(_meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
    let Some(repository) = text(body, &["repo", "name"]) else {
        return Vec::new();
    };
    let whole = GitFacts { repository: Some(repository), ..GitFacts::default() };
    match body.get("updatedRefs").and_then(Value::as_list) {
        None | Some([]) => vec![whole],
        Some(refs) => refs.iter().map(|moved| moved_ref(moved, whole.clone())).collect(),
    }
}

fn moved_ref(moved: &Value, whole: GitFacts) -> GitFacts {
    let Ref { branch, tag } = Ref::full(&text(moved, &["ref"]).unwrap_or_default());
    let sha = commit_id(moved, &["newSha"]);
    let deleted = sha.is_none();
    GitFacts {
        branch,
        tag,
        before: commit_id(moved, &["oldSha"]),
        paths: if deleted { no_paths() } else { ChangedPaths::default() },
        sha,
        deleted,
        ..whole
    }
    .of_own_ref()
}

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "In your settings: Webhooks > Add a new webhook.",
        "Watch the repositories or users, target URL `https://HOST/hooks/huggingface`, and a \
         secret of ASCII letters; choose the scopes.",
    ],
    source: "provider: huggingface\nsecrets: [{ env: HF_WEBHOOK_SECRET }]",
    carries: "The kind is the body's `event.scope` (`repo.content`, `discussion`, …), the \
              action its `event.action`. The delivery's id is the header `Webhook-Id` (the body's \
              `webhook.id` names the hook); where it is missing, the digest of the body, which names the \
              commits, stands for it. Nothing is signed. A scope that is not known to you, such as `repo.content.x`, is an update \
              of the one before its last dot.",
    yields: "Git facts: `repository`, and for each ref that moved `branch`, `tag`, `sha`, `before`, \
             `deleted`.",
    proven: Proven::Literal,
    sources: &["https://huggingface.co/docs/hub/webhooks"],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::find;

    fn facts(body: &str) -> Vec<GitFacts> {
        let body = Value::parse_json(body.as_bytes()).expect("JSON");
        let meaning =
            Meaning { kind: "repo.content".into(), name: None, action: None, handshake: None };
        find("huggingface").expect("known").git_facts(&meaning, &body)
    }

    // https://huggingface.co/docs/hub/webhooks, "Code changes".
    #[test]
    fn each_ref_that_moved_is_an_entry_of_its_own() {
        let all = facts(
            r#"{"repo": {"name": "acme/risk"}, "updatedRefs": [
                {"ref": "refs/heads/main", "oldSha": "ce9a46", "newSha": "575db8"},
                {"ref": "refs/pr/1", "oldSha": null, "newSha": "cf2dc0"},
                {"ref": "refs/tags/v1", "oldSha": "f00d", "newSha": null}]}"#,
        );
        let told = all
            .iter()
            .map(|f| (f.branch.as_deref(), f.tag.as_deref(), f.sha.as_deref(), f.deleted));
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                (Some("main"), None, Some("575db8"), false),
                (None, None, Some("cf2dc0"), false),
                (None, Some("v1"), None, true),
            ]
        );
        assert!(all.iter().all(|f| f.repository.as_deref() == Some("acme/risk")));
    }

    #[test]
    fn a_discussion_tells_its_repository_alone() {
        let all = facts(r#"{"repo": {"name": "acme/risk"}, "discussion": {"num": 1}}"#);
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].branch.as_deref(), all[0].deleted), (None, false));
    }
}
