//! The conditions of a route, as compiled from its `on:`. Every field that is set must hold.

use super::Patterns;
use crate::model::Claims;

/// What an event must be for a route to match it. A field that is not set tests nothing.
#[derive(Clone, Debug, Default)]
pub struct On {
    /// Kind of event, or the sender's own name for it.
    pub events: Option<Patterns>,
    /// What happened, within that kind (`opened`, `published`, …).
    pub actions: Option<Patterns>,
    /// Name of a chat command.
    pub command: Option<Patterns>,
    /// Who gave the command: the chat program's id. Names can be changed, so none is looked at.
    pub user: Option<Patterns>,
    /// The channel of the command: the chat program's id, or the name.
    pub channel: Option<Patterns>,
    /// Full name of the repository.
    pub repository: Option<Patterns>,
    /// Branch; a pull request's base branch.
    pub branch: Option<Patterns>,
    /// Tag.
    pub tag: Option<Patterns>,
    /// Commit id after the event.
    pub sha: Option<Patterns>,
    /// Commit id before the event.
    pub before: Option<Patterns>,
    /// Account name of who acted.
    pub author: Option<Patterns>,
    /// Claims of the sender's token.
    pub claims: Claims,
    /// Changed files: one that passes is enough.
    pub path: Option<Patterns>,
    /// The event must be about a pull request, and such a one.
    pub pull_request: Option<PullRequestOn>,
    /// Whether the branch must be the repository's default branch, or must not.
    pub default_branch: Option<bool>,
    /// Whether the event must delete its branch or tag. A push that deletes matches only routes
    /// that say `deleted: true`.
    pub deleted: Option<bool>,
    /// Whether the push must be forced, or must not.
    pub forced: Option<bool>,
}

/// What a pull request must be.
#[derive(Clone, Debug, Default)]
pub struct PullRequestOn {
    /// One of these numbers; any when empty.
    pub number: Vec<u64>,
    /// What happened to it.
    pub action: Option<Patterns>,
    /// Branch that it would be merged into.
    pub base: Option<Patterns>,
    /// Branch that it comes from.
    pub head: Option<Patterns>,
    /// Whether it must have been merged, or must not.
    pub merged: Option<bool>,
}

/// What a route does when it asks for paths and the sender's list of files is not known to be
/// whole and holds none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownPaths {
    /// Start the job: a run too many is better than one that was silently left out.
    #[default]
    Start,
    /// Do not match.
    Skip,
    /// Hold the run for a person.
    Hold,
}
