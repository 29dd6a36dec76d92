//! Events about a commit with GitHub's structure: checks, workflows, commit statuses, deployments, merge queues,
//! dispatches, packages and comments. Gitea and Forgejo have taken over some of them.
//!
//! The branch is the one of this repository that was built. Where a commit comes from a fork, the branch has its
//! name there, so that it is not told as a branch of this repository.

use std::sync::Arc;

use crate::model::{GitFacts, PullRequest, Value, is_fork};
use crate::providers::forges::facts::{
    Ref, commit_id, first_text, is_commit_id, message, pull_request, status, text,
};

/// The git facts of an event of this kind. An event of another kind may be about a pull request, as reviews are.
pub(super) fn of(kind: &str, body: &Value, facts: GitFacts) -> GitFacts {
    match kind {
        "check_run" => check(body.get("check_run"), &["check_suite", "head_branch"], facts),
        "check_suite" => check(body.get("check_suite"), &["head_branch"], facts),
        "workflow_run" => workflow_run(body, facts),
        "workflow_job" => workflow_job(body, facts),
        "status" => commit_status(body, facts),
        "deployment" | "deployment_status" | "deployment_review" => deployment(body, facts),
        "merge_group" => merge_group(body, facts),
        "workflow_dispatch" => with_ref(&text(body, &["ref"]).unwrap_or_default(), facts),
        "repository_dispatch" => GitFacts { branch: text(body, &["branch"]), ..facts },
        "commit_comment" => GitFacts { sha: commit_id(body, &["comment", "commit_id"]), ..facts },
        "package" | "registry_package" => package(body.get(kind), facts),
        _ => pull_request(body, None, facts),
    }
}

fn with_ref(name: &str, facts: GitFacts) -> GitFacts {
    let Ref { branch, tag } = Ref::full(name);
    GitFacts { branch, tag, ..facts }.of_own_ref()
}

/// A conclusion says more than the status `completed` beside it.
const STANDS: &[&[&str]] = &[&["conclusion"], &["status"]];

fn check(check: Option<&Value>, branch: &[&str], facts: GitFacts) -> GitFacts {
    let Some(check) = check else { return facts };
    let fork = fork_of_check(check, branch);
    GitFacts {
        branch: text(check, branch).filter(|_| fork != Some(true)),
        sha: commit_id(check, &["head_sha"]),
        before: commit_id(check, &["before"]),
        message: message(check, &["head_commit", "message"]),
        status: status(check, STANDS),
        pull_request: only_request(check, &facts),
        fork,
        ..facts
    }
}

/// GitHub looks for the branch and the requests of a check in its repository alone: the branch of a fork's commit
/// is null, and a request from a fork is not listed. Checks of GitHub Actions are made by workflows, which also run
/// for requests from forks and know their branch; without a request of the repository nothing is known of those.
fn fork_of_check(check: &Value, branch: &[&str]) -> Option<bool> {
    let branch = check.at(branch)?;
    let requests = check.get("pull_requests").and_then(Value::as_list).unwrap_or_default();
    let of_actions = text(check, &["app", "slug"]).as_deref() == Some("github-actions");
    match requests {
        _ if branch.is_null() => Some(true),
        [] => (!of_actions).then_some(false),
        some => Some(some.iter().any(|pull| is_from_other(pull) == Some(true))),
    }
}

/// Whether a request in the short form of checks and runs comes from another repository.
fn is_from_other(pull: &Value) -> Option<bool> {
    let id = |side: &str| pull.at(&[side, "repo", "id"]).and_then(Value::as_u64);
    id("head").zip(id("base")).map(|(head, base)| head != base)
}

fn workflow_run(body: &Value, facts: GitFacts) -> GitFacts {
    let Some(run) = body.get("workflow_run") else { return facts };
    let from = run.get("head_repository");
    let name = from.and_then(|from| text(from, &["full_name"]));
    let fork = from.and_then(|_| is_fork(from, name.as_ref(), facts.repository.as_ref()));
    GitFacts {
        branch: text(run, &["head_branch"]).filter(|_| fork != Some(true)),
        sha: commit_id(run, &["head_sha"]),
        message: message(run, &["head_commit", "message"]),
        status: status(run, STANDS),
        pull_request: only_request(run, &facts),
        fork,
        ..facts
    }
}

/// The payload does not say in which repository the branch is.
fn workflow_job(body: &Value, facts: GitFacts) -> GitFacts {
    let Some(job) = body.get("workflow_job") else { return facts };
    GitFacts {
        branch: text(job, &["head_branch"]),
        sha: commit_id(job, &["head_sha"]),
        status: status(job, STANDS),
        ..facts
    }
}

/// The request that a check or run belongs to. A commit may be the newest one of several requests; then none is
/// named. Only requests from the repository itself are listed.
fn only_request(from: &Value, facts: &GitFacts) -> Option<PullRequest> {
    let [pull] = from.get("pull_requests")?.as_list()? else { return None };
    Some(PullRequest {
        number: pull.get("number")?.as_u64()?,
        base: text(pull, &["base", "ref"]),
        head: text(pull, &["head", "ref"]),
        head_sha: commit_id(pull, &["head", "sha"]),
        fork: is_from_other(pull),
        target_repository: facts.repository.clone(),
        ..PullRequest::default()
    })
}

/// `branches` lists the branches of the repository that have the commit, which may be several. The default
/// branch comes first, then a branch whose newest commit it is; several of those are not told apart.
fn commit_status(body: &Value, facts: GitFacts) -> GitFacts {
    let sha = commit_id(body, &["sha"]);
    let branches = body.get("branches").and_then(Value::as_list).unwrap_or_default();
    let newest: Vec<Arc<str>> = branches
        .iter()
        .filter(|branch| sha.is_some() && commit_id(branch, &["commit", "sha"]) == sha)
        .filter_map(|branch| text(branch, &["name"]))
        .collect();
    let branch = match &newest[..] {
        [only] => Some(only.clone()),
        several => several.iter().find(|name| facts.default_branch.as_ref() == Some(name)).cloned(),
    };
    GitFacts {
        fork: (!branches.is_empty()).then_some(false),
        message: message(body, &["commit", "commit", "message"])
            .or_else(|| message(body, &["commit", "message"])),
        status: status(body, &[&["state"]]),
        branch,
        sha,
        ..facts
    }
}

/// A deployment's ref is a branch, a tag or a commit, and the payload does not say which. It is taken for a
/// branch where it is the default branch, or the branch of the workflow that deploys. A branch or tag is one of
/// the repository; a commit, or the ref of a request, may be a fork's, unless a workflow of the repository deploys.
fn deployment(body: &Value, facts: GitFacts) -> GitFacts {
    let Some(deployment) = body.get("deployment") else { return facts };
    let name = text(deployment, &["ref"]).unwrap_or_default();
    let known = Ref::full(&name);
    let is_own = known != Ref::default() || is_short_name(&name);
    let of_run = text(body, &["workflow_run", "head_branch"]);
    let is_branch = !is_commit_id(&name)
        && [&facts.default_branch, &of_run].into_iter().flatten().any(|branch| *branch == name);
    let from = body.at(&["workflow_run", "head_repository"]);
    let repository = from.and_then(|from| text(from, &["full_name"]));
    let fork = from.and_then(|_| is_fork(from, repository.as_ref(), facts.repository.as_ref()));
    GitFacts {
        branch: known.branch.or_else(|| is_branch.then_some(name)).filter(|_| fork != Some(true)),
        tag: known.tag,
        sha: commit_id(deployment, &["sha"]),
        status: status(body, &[&["deployment_status", "state"]]),
        fork: fork.or(is_own.then_some(false)),
        ..facts
    }
}

/// Whether a ref can only be the short name of a branch or tag: it is no commit id, also no abbreviated one, and
/// not the ref of a request.
fn is_short_name(name: &str) -> bool {
    let is_id = name.len() >= 7 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    !name.is_empty() && !is_id && !name.starts_with("refs/") && !name.starts_with("pull/")
}

/// A merge queue tests a commit that it made on top of the base branch.
fn merge_group(body: &Value, facts: GitFacts) -> GitFacts {
    let Some(group) = body.get("merge_group") else { return facts };
    let Ref { branch, .. } = Ref::full(&text(group, &["base_ref"]).unwrap_or_default());
    GitFacts {
        branch,
        sha: commit_id(group, &["head_sha"]),
        before: commit_id(group, &["base_sha"]),
        message: message(group, &["head_commit", "message"]),
        ..facts
    }
    .of_own_ref()
}

fn package(package: Option<&Value>, facts: GitFacts) -> GitFacts {
    let Some(version) = package.and_then(|package| package.get("package_version")) else {
        return facts;
    };
    GitFacts {
        tag: text(version, &["release", "tag_name"]),
        sha: first_text(version, &[&["target_oid"]]).filter(|id| is_commit_id(id)),
        // Only who may write to the repository publishes a package of it.
        fork: Some(false),
        ..facts
    }
}
