//! Token issuers whose addresses and claims are documented.
//!
//! A preset never sets the audience, nor which of the issuer's tokens are accepted, since a public
//! issuer signs tokens for everyone in the world.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::authenticate::jwt::Algorithm;
use crate::model::{ChangedPaths, GitFacts, PullRequest, Value};

/// A well-known issuer of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Workflows of GitHub Actions.
    GithubActions,
    /// Jobs of GitLab CI.
    Gitlab,
    /// Google accounts and service accounts.
    Google,
    /// Service accounts of a Kubernetes cluster.
    Kubernetes,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 4] = [Self::GithubActions, Self::Gitlab, Self::Google, Self::Kubernetes];

    /// Its name in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GithubActions => "github-actions",
            Self::Gitlab => "gitlab",
            Self::Google => "google",
            Self::Kubernetes => "kubernetes",
        }
    }

    /// The default issuer, which a source may replace with that of its own installation. None for
    /// Kubernetes, where every cluster has its own.
    pub fn issuer(self) -> Option<&'static str> {
        match self {
            Self::GithubActions => Some("https://token.actions.githubusercontent.com"),
            Self::Gitlab => Some("https://gitlab.com"),
            Self::Google => Some("https://accounts.google.com"),
            Self::Kubernetes => None,
        }
    }

    /// The address at which this issuer publishes its keys, taken from its discovery document. None
    /// for Kubernetes, where the cluster's administrator chooses the address.
    pub(super) fn jwks_url(self, issuer: &str) -> Option<String> {
        let issuer = issuer.trim_end_matches('/');
        match self {
            Self::GithubActions => Some(format!("{issuer}/.well-known/jwks")),
            Self::Gitlab => Some(format!("{issuer}/oauth/discovery/keys")),
            Self::Google => Some("https://www.googleapis.com/oauth2/v3/certs".to_owned()),
            Self::Kubernetes => None,
        }
    }

    /// The algorithms that the issuer signs with.
    pub(super) fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Kubernetes => &[Algorithm::Rs256, Algorithm::Es256],
            _ => &[Algorithm::Rs256],
        }
    }

    /// The claims of which a source must require at least one, since the issuer signs tokens for
    /// everyone. Empty for an issuer that signs only for the organisation's own people.
    pub(super) fn telling_claims(self, issuer: &str) -> &'static [&'static str] {
        match self {
            Self::GithubActions => &[
                "repository",
                "repository_id",
                "repository_owner",
                "repository_owner_id",
                "enterprise_id",
                "job_workflow_ref",
                "sub",
            ],
            Self::Gitlab if Some(issuer) == self.issuer() => {
                &["project_path", "project_id", "namespace_path", "namespace_id", "sub"]
            }
            Self::Google => &["email", "sub", "hd"],
            Self::Gitlab | Self::Kubernetes => &[],
        }
    }

    /// Whether its claims hold git facts.
    pub(super) fn tells_git(self) -> bool {
        matches!(self, Self::GithubActions | Self::Gitlab)
    }

    /// The git facts that the claims hold.
    pub(super) fn git_facts(self, claims: &Value) -> Option<GitFacts> {
        match self {
            Self::GithubActions => github(claims),
            Self::Gitlab => gitlab(claims),
            Self::Google | Self::Kubernetes => None,
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Preset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == text).ok_or_else(|| {
            format!("`{text}` is not a preset; use github-actions, gitlab, google or kubernetes")
        })
    }
}

fn text(claims: &Value, name: &str) -> Option<Arc<str>> {
    claims.get(name)?.as_arc_str().cloned().filter(|text| !text.is_empty())
}

fn unlisted() -> ChangedPaths {
    ChangedPaths::default()
}

/// A workflow's repository, ref, commit and actor. For a pull request, the claim names the commit of a
/// temporary merge and not the branch's head, so the commit is left out.
fn github(claims: &Value) -> Option<GitFacts> {
    let reference = text(claims, "ref").unwrap_or_default();
    let facts = GitFacts {
        repository: Some(text(claims, "repository")?),
        author: text(claims, "actor"),
        paths: unlisted(),
        ..GitFacts::default()
    };
    let pull = reference.strip_prefix("refs/pull/").and_then(|rest| rest.split_once('/'));
    if let Some(number) = pull.and_then(|(number, _)| number.parse().ok()) {
        let base = text(claims, "base_ref");
        let head = text(claims, "head_ref");
        let pull = PullRequest { number, base: base.clone(), head, ..PullRequest::default() };
        return Some(GitFacts { branch: base, pull_request: Some(pull), ..facts });
    }
    let short = |front| reference.strip_prefix(front).map(Arc::from);
    let (branch, tag) = (short("refs/heads/"), short("refs/tags/"));
    Some(GitFacts { branch, tag, sha: text(claims, "sha"), ..facts }.of_own_ref())
}

/// A job's project, ref, commit and user. The ref of a merge request is its source branch, which may
/// belong to a fork, so it is not taken for a branch of the project, and its commit may be a stranger's.
fn gitlab(claims: &Value) -> Option<GitFacts> {
    let of_request = text(claims, "pipeline_source").as_deref() == Some("merge_request_event");
    let named = |kind: &str| {
        let is = text(claims, "ref_type").as_deref() == Some(kind) && !of_request;
        is.then(|| text(claims, "ref")).flatten()
    };
    let facts = GitFacts {
        repository: Some(text(claims, "project_path")?),
        branch: named("branch"),
        tag: named("tag"),
        sha: text(claims, "sha"),
        author: text(claims, "user_login"),
        paths: unlisted(),
        ..GitFacts::default()
    };
    Some(facts.of_own_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(preset: Preset, claims: &str) -> GitFacts {
        let claims = Value::parse_json(claims.as_bytes()).expect("JSON");
        preset.git_facts(&claims).expect("git facts")
    }

    #[test]
    fn a_workflow_of_a_branch_says_repository_branch_commit_and_actor() {
        let facts = facts(
            Preset::GithubActions,
            r#"{"repository": "acme/risk", "ref": "refs/heads/main", "sha": "abc", "actor": "ann"}"#,
        );
        assert_eq!(facts.repository.as_deref(), Some("acme/risk"));
        assert_eq!(facts.branch.as_deref(), Some("main"));
        assert_eq!(facts.sha.as_deref(), Some("abc"));
        assert_eq!(facts.author.as_deref(), Some("ann"));
    }

    #[test]
    fn a_workflow_of_a_pull_request_says_its_number_and_branches_and_no_commit() {
        let facts = facts(
            Preset::GithubActions,
            r#"{"repository": "acme/risk", "ref": "refs/pull/7/merge", "sha": "merge",
                "base_ref": "main", "head_ref": "fix"}"#,
        );
        let pull = facts.pull_request.expect("a pull request");
        assert_eq!((pull.number, pull.head.as_deref()), (7, Some("fix")));
        assert_eq!((facts.branch.as_deref(), facts.sha), (Some("main"), None));
    }

    #[test]
    fn a_job_of_a_merge_request_has_no_branch_of_the_project() {
        let push = r#"{"project_path": "acme/risk", "ref": "v1", "ref_type": "tag"}"#;
        assert_eq!(facts(Preset::Gitlab, push).tag.as_deref(), Some("v1"));
        let request = r#"{"project_path": "acme/risk", "ref": "fix", "ref_type": "branch",
                          "pipeline_source": "merge_request_event"}"#;
        assert_eq!(facts(Preset::Gitlab, request).branch, None);
    }
}
