//! lakeFS, which calls webhooks from its actions. It signs nothing. The secret is in a header or in the
//! address, as the action's file says.
//!
//! The body is that of `EventInfo` in lakeFS's `pkg/actions/event.go`.

use crate::model::{ChangedPaths, GitFacts, Value};
use crate::providers::Meaning;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::forges::facts::{message, no_paths, text};
use crate::providers::mechanisms::{FieldToken, HeaderOrAddress, Token};

static TOKEN: HeaderOrAddress = HeaderOrAddress {
    header: Token { header: "authorization", prefix: "Bearer " },
    address: FieldToken { query: "token" },
};

/// lakeFS.
pub(in crate::providers) static LAKEFS: Sender = Sender {
    event: &[At::Field(&["event_type"])],
    git_facts: Some(git_facts),
    samples: &[
        ("post-merge", include_str!("../samples/lakefs.json")),
        ("post-create-tag", include_str!("../samples/lakefs-tag.json")),
    ],
    ..Sender::new("lakefs", "lakeFS", &ABOUT, &TOKEN)
};

/// A repository of lakeFS has branches, tags and commits as one of git has. The payload never lists the
/// objects that changed. Of a branch or tag that is deleted, it names the commit that it was at.
fn git_facts(meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
    let Some(repository) = text(body, &["repository_id"]) else {
        return Vec::new();
    };
    let deleted = matches!(&*meaning.kind, "pre-delete-branch" | "post-delete-branch")
        || matches!(&*meaning.kind, "pre-delete-tag" | "post-delete-tag");
    let commit = text(body, &["commit_id"]);
    let (sha, before) = if deleted { (None, commit) } else { (commit, None) };
    let tag = text(body, &["tag_id"]);
    let facts = GitFacts {
        repository: Some(repository),
        // An event of a tag has an empty branch.
        branch: text(body, &["branch_id"]).filter(|_| tag.is_none()),
        tag,
        sha,
        before,
        author: text(body, &["committer"]),
        message: message(body, &["commit_message"]),
        paths: if deleted { no_paths() } else { ChangedPaths::default() },
        deleted,
        ..GitFacts::default()
    };
    vec![facts.of_own_ref()]
}

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "Write an action into `_lakefs_actions/` of the repository, with a hook of type `webhook`, `url: \
         https://HOST/hooks/lakefs`, and `headers: { Authorization: \"Bearer {{ ENV.GATEWAY_SECRET }}\" }`. \
         lakeFS takes the secret from its own environment. It may also be in the address, as \
         `?token=SECRET`.",
        "Let the action run `on: post-commit`, `post-merge`, `post-create-tag` and the like. The gateway \
         answers before a job has started, so a `pre-` hook always passes: it checks nothing. While the \
         gateway cannot be reached, a `pre-` hook stops what was to be done in lakeFS.",
    ],
    source: "provider: lakefs\nsecrets: [{ env: LAKEFS_SECRET }]",
    carries: "The kind is the body's `event_type` (`post-commit`, `post-merge`, `post-create-tag`, …). \
              No delivery has an id; the digest of the body, which has a time, stands for it. Nothing \
              is signed.",
    yields: "Git facts: `repository` (`repository_id`), `branch`, `tag`, `sha` (`commit_id`), `author` \
             (`committer`), `message`, `deleted`. A merge is of the branch that it was merged into. The \
             changed objects are not listed.",
    proven: Proven::Documented,
    sources: &[
        "https://docs.lakefs.io/howto/hooks/webhooks.html",
        "treeverse/lakeFS, pkg/actions/event.go",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::find;

    fn facts(kind: &str, body: &str) -> GitFacts {
        let body = Value::parse_json(body.as_bytes()).expect("JSON");
        let meaning = Meaning { kind: kind.into(), name: None, action: None, handshake: None };
        find("lakefs").expect("known").git_facts(&meaning, &body).remove(0)
    }

    #[test]
    fn a_merge_is_of_the_branch_that_it_was_merged_into() {
        let facts = facts("post-merge", include_str!("../samples/lakefs.json"));
        assert_eq!(facts.repository.as_deref(), Some("claims"));
        assert_eq!((facts.branch.as_deref(), facts.tag), (Some("main"), None));
        assert_eq!(facts.author.as_deref(), Some("ada"));
        assert!(facts.sha.is_some() && !facts.deleted && !facts.paths.complete);
    }

    #[test]
    fn a_tag_has_no_branch_and_a_deleted_one_has_no_commit() {
        let body = include_str!("../samples/lakefs-tag.json");
        let made = facts("post-create-tag", body);
        assert_eq!((made.branch.as_deref(), made.tag.as_deref()), (None, Some("v7")));
        let gone = facts("post-delete-tag", body);
        assert_eq!((gone.sha, gone.deleted), (None, true));
        assert_eq!(gone.before, made.sha);
    }
}
