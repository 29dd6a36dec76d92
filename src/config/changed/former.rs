//! What senders' events were called in the version before, where the gateway has a word of its own now, and which
//! facts they told.

/// The senders' own names of events by provider and by the gateway's kind. The names of kinds that the gateway had in
/// the version before too are among them, since a route may ask for either.
const NAMES: [(&str, &str, &[&str]); 21] = [
    ("gitlab", "push", &["Push Hook", "Tag Push Hook", "System Hook"]),
    ("gitlab", "pull_request", &["Merge Request Hook", "System Hook"]),
    ("gitlab", "issue_comment", &["Note Hook", "Confidential Note Hook"]),
    ("gitlab", "commit_comment", &["Note Hook"]),
    ("gitlab", "release", &["Release Hook"]),
    ("gitlab", "pipeline", &["Pipeline Hook"]),
    ("gitlab", "build", &["Job Hook", "Build Hook"]),
    ("gitlab", "deployment", &["Deployment Hook"]),
    ("gitlab", "issue", &["Issue Hook", "Confidential Issue Hook"]),
    ("bitbucket-cloud", "push", &["repo:push"]),
    (
        "bitbucket-cloud",
        "pull_request",
        &[
            "pullrequest:created",
            "pullrequest:updated",
            "pullrequest:fulfilled",
            "pullrequest:rejected",
            "pullrequest:approved",
            "pullrequest:unapproved",
            "pullrequest:changes_request_created",
        ],
    ),
    ("bitbucket-cloud", "issue_comment", &["pullrequest:comment_created", "issue:comment_created"]),
    ("bitbucket-cloud", "status", &["repo:commit_status_created", "repo:commit_status_updated"]),
    ("bitbucket-server", "push", &["repo:refs_changed"]),
    (
        "bitbucket-server",
        "pull_request",
        &[
            "pr:opened",
            "pr:from_ref_updated",
            "pr:modified",
            "pr:merged",
            "pr:declined",
            "pr:deleted",
        ],
    ),
    ("azure-devops", "push", &["git.push"]),
    (
        "azure-devops",
        "pull_request",
        &["git.pullrequest.created", "git.pullrequest.updated", "git.pullrequest.merged"],
    ),
    ("azure-devops", "issue_comment", &["ms.vss-code.git-pullrequest-comment-event"]),
    ("azure-devops", "build", &["build.complete"]),
    ("azure-devops", "pipeline", &["ms.vss-pipelines.run-state-changed-event"]),
    (
        "azure-devops",
        "deployment",
        &["ms.vss-release.deployment-started-event", "ms.vss-release.deployment-completed-event"],
    ),
];

/// The sender's own names of a kind of event.
pub(super) fn names(provider: &str, kind: &str) -> impl Iterator<Item = &'static str> {
    let rows = NAMES.iter().filter(move |(of, known, _)| *of == provider && *known == kind);
    rows.flat_map(|(_, _, names)| names.iter().copied())
}

/// Events that had no kind of their own, so that `event.kind` was the sender's name: by provider, the gateway's word
/// now, and the name then.
pub(super) const RENAMED: [(&str, &str, &str); 25] = [
    ("gitlab", "pipeline", "Pipeline Hook"),
    ("gitlab", "build", "Job Hook"),
    ("gitlab", "deployment", "Deployment Hook"),
    ("gitlab", "issue", "Issue Hook"),
    ("gitlab", "issue", "Confidential Issue Hook"),
    ("gitlab", "wiki_page", "Wiki Page Hook"),
    ("gitlab", "feature_flag", "Feature Flag Hook"),
    ("gitlab", "emoji", "Emoji Hook"),
    ("gitlab", "repository_update", "System Hook"),
    ("bitbucket-cloud", "status", "repo:commit_status_created"),
    ("bitbucket-cloud", "status", "repo:commit_status_updated"),
    ("bitbucket-server", "pull_request", "pr:reopened"),
    ("bitbucket-server", "pull_request", "pr:reviewer:approved"),
    ("bitbucket-server", "pull_request", "pr:reviewer:unapproved"),
    ("bitbucket-server", "pull_request", "pr:reviewer:needs_work"),
    ("bitbucket-server", "pull_request", "pr:reviewer:changes_requested"),
    ("bitbucket-server", "pull_request", "pr:reviewer:updated"),
    ("bitbucket-server", "commit_comment", "repo:comment:added"),
    ("bitbucket-server", "commit_comment", "repo:comment:edited"),
    ("bitbucket-server", "commit_comment", "repo:comment:deleted"),
    ("azure-devops", "issue_comment", "ms.vss-code.git-pullrequest-comment-event"),
    ("azure-devops", "build", "build.complete"),
    ("azure-devops", "pipeline", "ms.vss-pipelines.run-state-changed-event"),
    ("azure-devops", "deployment", "ms.vss-release.deployment-started-event"),
    ("azure-devops", "deployment", "ms.vss-release.deployment-completed-event"),
];

/// The kinds of event that told their branch, tag, commit or request in the version before. Others told at most the
/// repository, its default branch and the author.
const TOLD: [(&str, &[&str]); 8] = [
    (
        "github",
        &[
            "push",
            "create",
            "delete",
            "release",
            "pull_request",
            "pull_request_review",
            "pull_request_review_comment",
            "pull_request_review_thread",
        ],
    ),
    ("gitlab", &["push", "pull_request", "release"]),
    ("gitea", &["push", "create", "delete", "release", "pull_request"]),
    ("forgejo", &["push", "create", "delete", "release", "pull_request"]),
    ("gogs", &["push", "create", "delete", "release", "pull_request"]),
    ("bitbucket-cloud", &["push", "pull_request", "issue_comment"]),
    ("bitbucket-server", &["push", "pull_request", "issue_comment"]),
    ("azure-devops", &["push", "pull_request"]),
];

/// Whether events of this kind tell more of git than in the version before.
pub(super) fn tells_more(provider: &str, kind: &str) -> bool {
    TOLD.iter().any(|(of, kinds)| *of == provider && !kinds.contains(&kind))
}

/// Senders that told nothing of git in the version before.
pub(super) const SILENT: [&str; 6] =
    ["artifactory", "circleci", "docker-hub", "harbor", "nexus", "quay"];
