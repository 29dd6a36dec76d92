//! Whether a route takes a commit that comes from a fork. Whoever may read a repository can open a request from a
//! fork of it, so that its commit is a stranger's until somebody has merged it. A job that builds it runs the
//! stranger's code with the job's rights.

use crate::model::GitFacts;

/// Which requests a route takes, by where they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forks {
    /// Those from the repository itself.
    None,
    /// Those from forks.
    Only,
    /// All.
    Any,
}

/// Why a route does not take the event. `None` where it does.
///
/// Without a word of the route it takes no commit of a fork, nor one whose sender does not say where it comes
/// from: any commit may be a stranger's until something says that it is not. What has been merged is on the base
/// branch, and an event that names no commit gives a job none.
pub(super) fn unwanted(wanted: Option<Forks>, git: &GitFacts) -> Option<&'static str> {
    let is_of_commit = git.pull_request.is_some() || git.status.is_some() || git.sha.is_some();
    let fork = git.fork.or((!is_of_commit).then_some(false));
    let is_merged = git.pull_request.as_ref().is_some_and(|pull| pull.is_merged());
    match (wanted, fork) {
        (Some(Forks::Any), _) => None,
        (Some(Forks::Only), Some(true)) | (Some(Forks::None) | None, Some(false)) => None,
        (None, _) if is_merged => None,
        (None, None) if git.sha.is_none() => None,
        (Some(Forks::Only), Some(false)) => Some("wanted what comes from a fork; this does not"),
        (Some(Forks::None), Some(true)) => Some("wanted what comes from no fork; this does"),
        (None, Some(true)) => Some(
            "the commit comes from a fork, so that anybody may have written it; a route that wants \
             it says `fork: true` or `fork: any`",
        ),
        (Some(_), None) => Some("the sender does not say whether the commit comes from a fork"),
        (None, None) => Some(
            "the sender does not say whether the commit comes from a fork; a route that wants it \
             all the same says `fork: any`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PullRequest, Status};

    fn request(fork: Option<bool>, merged: bool) -> GitFacts {
        GitFacts::default().about(PullRequest {
            fork,
            merged: Some(merged),
            head_sha: Some("a".into()),
            merge_sha: Some("b".into()),
            ..PullRequest::default()
        })
    }

    #[test]
    fn a_commit_that_may_be_a_strangers_is_taken_only_where_the_route_says_so() {
        let build = |fork| GitFacts {
            status: Some(Status::Success),
            sha: Some("a".into()),
            fork,
            ..GitFacts::default()
        };
        let comment =
            GitFacts { pull_request: Some(PullRequest::default()), ..GitFacts::default() };
        let takes = |git: &GitFacts| {
            [None, Some(Forks::None), Some(Forks::Only), Some(Forks::Any)]
                .map(|wanted| unwanted(wanted, git).is_none())
        };
        let commit = |fork| GitFacts { sha: Some("a".into()), fork, ..GitFacts::default() };
        let [no, yes] = [false, true];
        let own = [yes, yes, no, yes];
        for (git, expected) in [
            (request(Some(false), false), [yes, yes, no, yes]),
            (request(Some(true), false), [no, no, yes, yes]),
            (request(None, false), [no, no, no, yes]),
            (request(Some(true), true), [yes, no, yes, yes]),
            (build(Some(false)), [yes, yes, no, yes]),
            (build(Some(true)), [no, no, yes, yes]),
            (build(None), [no, no, no, yes]),
            (comment, [yes, no, no, yes]),
            (commit(None), [no, no, no, yes]),
            (commit(None).of_own_ref(), [no, no, no, yes]),
            (GitFacts { branch: Some("main".into()), ..commit(None) }.of_own_ref(), own),
            (GitFacts { tag: Some("v1".into()), ..commit(None) }.of_own_ref(), own),
            (GitFacts::default(), own),
        ] {
            assert_eq!(takes(&git), expected, "{git:?}");
        }
    }
}
