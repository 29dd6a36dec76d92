//! Git facts: what an event says about a repository, in one form for every forge, so that one route works
//! with all of them. Providers fill them, routes match them, and expressions read them as `git`.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use super::{Status, Value};

/// The facts of an event about a repository. A field is `None` where the sender does not give it; it
/// is never guessed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GitFacts {
    /// Full name of the repository, `owner/name` (GitLab: the path with its groups).
    pub repository: Option<Arc<str>>,
    /// Branch name without `refs/heads/`. For a pull request: its base (target) branch.
    pub branch: Option<Arc<str>>,
    /// Tag name without `refs/tags/`.
    pub tag: Option<Arc<str>>,
    /// The commit that the event is about. For a push, the newest one; for a pull request, the head commit,
    /// and once it is merged, the commit on the base branch ([`PullRequest::merge_sha`]); for a report on a
    /// commit, that one. `None` where a ref was deleted, or where the sender does not name the commit.
    pub sha: Option<Arc<str>>,
    /// Commit id before the event. `None` where the ref is new (senders write zeros).
    pub before: Option<Arc<str>>,
    /// Account name of the person or bot who acted: who pushed, opened, merged, commented, or started the
    /// build. It is not the author of the commit.
    pub author: Option<Arc<str>>,
    /// Message of the head commit, where the sender gives it.
    pub message: Option<Arc<str>>,
    /// Files that the event changed.
    pub paths: ChangedPaths,
    /// Set for events about a pull request (merge request): what happened to it, reviews and comments on it,
    /// and builds of it.
    pub pull_request: Option<PullRequest>,
    /// Name of the repository's default branch.
    pub default_branch: Option<Arc<str>>,
    /// True where the event deletes the branch or tag.
    pub deleted: bool,
    /// Whether the push was forced, where the sender says so.
    pub forced: Option<bool>,
    /// Whether the commit comes from another repository (a fork), where the sender says so. It is the
    /// same as [`PullRequest::fork`] for an event about a pull request. What is pushed into the repository comes
    /// from no fork ([`GitFacts::of_own_ref`]). A commit of which nothing is known may be a stranger's.
    pub fork: Option<bool>,
    /// How a build, job, check, commit status or deployment stands, for events that report one.
    pub status: Option<Status>,
}

/// What was done to a file, as the forges' lists say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// It is new.
    Added,
    /// Its content changed.
    Modified,
    /// It was deleted. A file that was renamed is deleted under its old name.
    Removed,
}

impl FileChange {
    /// Every change.
    pub const ALL: [Self; 3] = [Self::Added, Self::Modified, Self::Removed];

    /// The name of the list in which forges put the files that were changed so.
    pub fn list(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Modified => "modified",
            Self::Removed => "removed",
        }
    }
}

/// The files that an event changed, and whether the list is known to be complete.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChangedPaths {
    /// Paths relative to the repository's root, sorted, without repeats.
    pub files: Files,
    /// True only where the list is known to hold every changed file.
    pub complete: bool,
}

/// A function that reads the names of files that were changed in one of these ways, sorted and without
/// repeats.
pub type ReadFiles = fn(&Value, &[FileChange]) -> Vec<Arc<str>>;

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

    /// The files that were changed in this way. They are read anew each time.
    pub fn only(&self, change: FileChange) -> Vec<Arc<str>> {
        self.read.map(|read| read(&self.payload, &[change])).unwrap_or_default()
    }
}

impl Deref for Files {
    type Target = [Arc<str>];

    fn deref(&self) -> &[Arc<str>] {
        let read = || {
            self.read.map(|read| read(&self.payload, &FileChange::ALL)).unwrap_or_default().into()
        };
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
    /// What happened to it, in the words that all forges share: `opened`, `synchronize` (new commits),
    /// `reopened`, `closed`, `edited`, `labeled`, `approved`, …; else in the sender's own. `None` where the
    /// event is about something else, such as a comment or a build of it.
    pub action: Option<Arc<str>>,
    /// Branch that it would be merged into.
    pub base: Option<Arc<str>>,
    /// Branch that it comes from.
    pub head: Option<Arc<str>>,
    /// Whether it has been merged, where the sender says so.
    pub merged: Option<bool>,
    /// Whether it comes from another repository than the one it would be merged into, where the sender
    /// says so. A repository that is gone was another one.
    pub fork: Option<bool>,
    /// Whether it is a draft, where the sender says so.
    pub draft: Option<bool>,
    /// Its labels, where the sender lists them.
    pub labels: Option<Vec<Arc<str>>>,
    /// Its title.
    pub title: Option<Arc<str>>,
    /// The newest commit of the branch that it comes from.
    pub head_sha: Option<Arc<str>>,
    /// Once it is merged: the commit on the base branch that the merge made. Where the branch was moved
    /// forward without a commit of its own, the newest commit of the request. `None` before the merge, or
    /// where the sender does not name it.
    pub merge_sha: Option<Arc<str>>,
    /// Full name of the repository that it comes from. `None` where the sender does not name it, or where
    /// it is gone.
    pub source_repository: Option<Arc<str>>,
    /// Full name of the repository that it would be merged into.
    pub target_repository: Option<Arc<str>>,
}

impl PullRequest {
    /// Whether the sender says that it has been merged.
    pub fn is_merged(&self) -> bool {
        self.merged == Some(true)
    }
}

impl GitFacts {
    /// These facts, for an event about this pull request. After a merge the commit is the one on the base
    /// branch, since branch and commit belong together; before, it is the head commit.
    #[must_use]
    pub fn about(self, pull: PullRequest) -> Self {
        let sha = if pull.is_merged() { &pull.merge_sha } else { &pull.head_sha };
        Self {
            branch: pull.base.clone(),
            sha: sha.clone(),
            fork: pull.fork,
            pull_request: Some(pull),
            ..self
        }
    }

    /// These facts, for an event that moves, makes or deletes a branch or tag of the repository. Only who may
    /// write to the repository does that, so that the commit comes from no fork. Of another ref, such as that of
    /// a request, nothing is known.
    #[must_use]
    pub fn of_own_ref(self) -> Self {
        let is_own = self.branch.is_some() || self.tag.is_some();
        Self { fork: is_own.then_some(false), ..self }
    }
}

/// Whether a request comes from another repository, from the names of both.
///
/// `source` is the field of the payload that holds the repository that the request comes from. Forges write
/// `null` for a repository that is gone, which was a fork. A request without the field comes from its own
/// repository: the forges that have forks write the field in every request.
pub fn is_fork(
    source: Option<&Value>,
    name: Option<&Arc<str>>,
    target: Option<&Arc<str>>,
) -> Option<bool> {
    match (source, name, target) {
        (None, _, _) => Some(false),
        (Some(source), _, _) if source.is_null() => Some(true),
        (Some(_), Some(name), Some(target)) => Some(name != target),
        _ => None,
    }
}
