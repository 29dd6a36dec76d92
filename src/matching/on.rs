//! The conditions of a route, compiled from its `on:`. Every condition that is set must hold.

use std::sync::Arc;

use super::{Forks, Patterns};
use crate::model::{Claims, Status};

/// The conditions of one block of `on:`. A field that is `None` tests nothing.
#[derive(Clone, Debug, Default)]
pub struct On {
    /// The sources that it listens to.
    pub sources: Vec<Arc<str>>,
    /// Kind of event, or the sender's own name for it.
    pub events: Option<Patterns>,
    /// What happened, for kinds that have several actions (`opened`, `published`, …).
    pub actions: Option<Patterns>,
    /// Name of a chat command.
    pub command: Option<Patterns>,
    /// Who gave the command: the user's id in the chat program. User names are not compared,
    /// because they can be changed.
    pub user: Option<Patterns>,
    /// The channel of the command: its id in the chat program, or its name.
    pub channel: Option<Patterns>,
    /// What the person who gave a command in a comment is to the repository, in the forge's word.
    pub association: Option<Patterns>,
    /// Full name of the repository.
    pub repository: Option<Patterns>,
    /// Branch or tag. An entry that begins with `refs/` is compared with the full ref.
    pub git_ref: Option<Patterns>,
    /// Branch. For a pull request, its base branch.
    pub branch: Option<Patterns>,
    /// Tag.
    pub tag: Option<Patterns>,
    /// Commit id after the event.
    pub sha: Option<Patterns>,
    /// Commit id before the event.
    pub before: Option<Patterns>,
    /// Account name of the person who acted.
    pub author: Option<Patterns>,
    /// Claims of the sender's token.
    pub claims: Claims,
    /// Changed files. One file that passes is enough.
    pub path: Option<Patterns>,
    /// The event must be about a pull request that meets these conditions.
    pub pull_request: Option<PullRequestOn>,
    /// `Some(true)`: the branch must be the repository's default branch. `Some(false)`: it must not
    /// be.
    pub default_branch: Option<bool>,
    /// `Some(true)`: the event must delete its branch or tag. An event that deletes one matches
    /// only routes that say `deleted: true`.
    pub deleted: Option<bool>,
    /// `Some(true)`: the push must be forced. `Some(false)`: it must not be.
    pub forced: Option<bool>,
    /// Where requests, and builds of their commits, may come from. Without it, not from a fork.
    pub fork: Option<Forks>,
    /// How a build, job, check, status or deployment must stand: one of these. Empty: no matter how.
    pub status: Vec<Status>,
}

/// The conditions on a pull request.
#[derive(Clone, Debug, Default)]
pub struct PullRequestOn {
    /// One of these numbers. An empty list allows any number.
    pub number: Vec<u64>,
    /// What happened to it.
    pub action: Option<Patterns>,
    /// The branch to merge into.
    pub base: Option<Patterns>,
    /// The branch to merge from.
    pub head: Option<Patterns>,
    /// `Some(true)`: it must have been merged. `Some(false)`: it must not have been.
    pub merged: Option<bool>,
    /// `Some(true)`: it must be a draft. `Some(false)`: it must not be.
    pub draft: Option<bool>,
    /// One of its labels.
    pub labels: Option<Patterns>,
}

/// What a route with a `path` condition does if the sender's list of files may be incomplete and no
/// file in it matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownPaths {
    /// Start the job: one run too many is better than a run that is missing silently.
    #[default]
    Start,
    /// Do not match.
    Skip,
    /// Hold the run for a person's decision.
    Hold,
}
