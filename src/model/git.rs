//! Git facts: what an event says about a repository, in one form for every forge, so that one route works
//! with all of them. Providers fill them, routes match them, and expressions read them as `git`.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use super::Value;

/// The facts of a push, tag or pull request event. A field is `None` where the sender does not give it; it
/// is never guessed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GitFacts {
    /// Full name of the repository, `owner/name` (GitLab: the path with its groups).
    pub repository: Option<Arc<str>>,
    /// Branch name without `refs/heads/`. For a pull request: its base (target) branch.
    pub branch: Option<Arc<str>>,
    /// Tag name without `refs/tags/`.
    pub tag: Option<Arc<str>>,
    /// Commit id after the event (a pull request's head commit). `None` where a ref was deleted.
    pub sha: Option<Arc<str>>,
    /// Commit id before the event. `None` where the ref is new (senders write zeros).
    pub before: Option<Arc<str>>,
    /// Account name of the person or bot who acted (the pusher; the sender of a pull request event).
    pub author: Option<Arc<str>>,
    /// Message of the head commit, where the sender gives it.
    pub message: Option<Arc<str>>,
    /// Files that the event changed.
    pub paths: ChangedPaths,
    /// Set for pull request (merge request) events.
    pub pull_request: Option<PullRequest>,
    /// Name of the repository's default branch.
    pub default_branch: Option<Arc<str>>,
    /// True where the event deletes the branch or tag.
    pub deleted: bool,
    /// Whether the push was forced, where the sender says so.
    pub forced: Option<bool>,
}

/// The files that an event changed, and whether the list is known to be complete.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChangedPaths {
    /// Paths relative to the repository's root, sorted, without repeats.
    pub files: Files,
    /// True only where the list is known to hold every changed file.
    pub complete: bool,
}

/// A function that reads file names from a payload, sorted and without repeats.
pub type ReadFiles = fn(&Value) -> Vec<Arc<str>>;

/// The files that a payload names. They are read from it on first use, since most routes never need them.
#[derive(Clone, Default)]
pub struct Files {
    payload: Value,
    read: Option<ReadFiles>,
    found: OnceLock<Arc<[Arc<str>]>>,
}

impl Files {
    /// The files that `read` finds in the payload.
    pub fn of(payload: &Value, read: ReadFiles) -> Self {
        Self { payload: payload.clone(), read: Some(read), found: OnceLock::new() }
    }
}

impl Deref for Files {
    type Target = [Arc<str>];

    fn deref(&self) -> &[Arc<str>] {
        let read = || self.read.map(|read| read(&self.payload)).unwrap_or_default().into();
        self.found.get_or_init(read)
    }
}

impl PartialEq for Files {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A pull request (GitLab: merge request).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PullRequest {
    /// Its number within the repository.
    pub number: u64,
    /// What happened, in GitHub's terms where there is one for the sender's: `opened`, `synchronize` (new
    /// commits), `reopened`, `closed`, `edited`, …; else in the sender's own.
    pub action: Option<Arc<str>>,
    /// Branch that it would be merged into.
    pub base: Option<Arc<str>>,
    /// Branch that it comes from.
    pub head: Option<Arc<str>>,
    /// Whether it has been merged, where the sender says so.
    pub merged: Option<bool>,
}
