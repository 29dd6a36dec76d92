//! Tests one route against one event: the conditions of `on:` in the order in which people read
//! them, then `if:`. The first condition that fails is the result, in words.

use std::fmt;
use std::sync::Arc;

use super::blocks::any_block;
use super::commands::{args, command};
use super::unknown::{self, Follows};
use super::words::Shown;
use super::{Forks, On, Patterns, PullRequestOn, Takes, UnknownPaths, Words, fork};
use crate::event::Event;
use crate::expression::{Context, Expression};
use crate::model::{ChangedPaths, ClaimMiss, GitFacts, PullRequest, Status};

/// The key of the test of a command's arguments.
pub const ARGS_TEST: &str = "command.args";
/// The key of the test of a route's `if:`.
pub const CONDITION_TEST: &str = "if";

/// Whether a route matches an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It matches.
    Matched {
        /// A remark about the match for the reader, if there is one.
        note: Option<String>,
        /// The reason to hold the run for a person's decision, if there is one.
        hold: Option<String>,
    },
    /// It does not match.
    Missed(Miss),
}

/// The first test that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Miss {
    /// The key of the test: `branch`, `pull_request.base`, `if`, …
    pub test: &'static str,
    /// What it asked for and what was found, in words.
    pub words: Words,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.test, self.words)
    }
}

/// Tests one event against the conditions of one route: one of the blocks of its `on:` must hold, and all else.
pub fn evaluate(
    on: &[On],
    takes: &Takes,
    condition: Option<&Expression>,
    unknown_paths: UnknownPaths,
    event: &Event,
    context: &Context,
) -> Verdict {
    let judged = any_block(on, takes, event, unknown_paths).and_then(|found| {
        expression(condition, unknown_paths, event, context).map(|own| own.or(found))
    });
    match judged {
        Ok(Paths { note, hold }) => Verdict::Matched { note, hold },
        Err(miss) => Verdict::Missed(miss),
    }
}

/// What the tests of changed files add to a match.
#[derive(Default)]
pub(super) struct Paths {
    pub(super) note: Option<String>,
    pub(super) hold: Option<String>,
}

pub(super) fn block(
    on: &On,
    takes: &Takes,
    event: &Event,
    unknown_paths: UnknownPaths,
) -> Result<Paths, Miss> {
    kind(on, event)
        .and_then(|()| command(on, event))
        .and_then(|()| claims(on, event))
        .and_then(|()| git_facts(on, event, unknown_paths))
        .and_then(|found| args(on, takes, event).map(|()| found))
}

impl Paths {
    fn or(self, other: Self) -> Self {
        Self { note: other.note.or(self.note), hold: other.hold.or(self.hold) }
    }

    /// What follows from a condition that cannot be decided, since not all files are known.
    fn undecided(test: &'static str, why: &str, unknown: UnknownPaths) -> Result<Self, Miss> {
        match unknown::follows(test, why, unknown) {
            Follows::Start(note) => Ok(Self { note: Some(note), hold: None }),
            Follows::Hold(reason) => Ok(Self { note: None, hold: Some(reason) }),
            Follows::Skip(words) => Err(said(test, words)),
        }
    }
}

pub(super) fn kind(on: &On, event: &Event) -> Result<(), Miss> {
    if let Some(wanted) = &on.events {
        let others = [event.name.as_deref(), event.other_kind()];
        let named = others.into_iter().flatten().any(|name| wanted.pass(name));
        if !named && !wanted.pass(&event.kind) {
            return Err(unwanted("event", wanted, Some(event.kind.clone())));
        }
    }
    action("action", on.actions.as_ref(), event.action.as_ref(), event)
}

/// The shared word for an action counts, and the sender's own word beside it. An exclusion counts for both.
fn action(
    test: &'static str,
    wanted: Option<&Patterns>,
    found: Option<&Arc<str>>,
    event: &Event,
) -> Result<(), Miss> {
    let Some(wanted) = wanted else { return Ok(()) };
    let own =
        event.own_action.as_ref().filter(|_| found.is_some() && found == event.action.as_ref());
    match wanted.pass_any([found, own].into_iter().flatten().map(|word| &**word)) {
        true => Ok(()),
        false => Err(unwanted(test, wanted, found.cloned())),
    }
}

fn claims(on: &On, event: &Event) -> Result<(), Miss> {
    on.claims.check(&event.claims).map_err(|ClaimMiss { name, wanted, found }| {
        let words = match found {
            Some(found) => format!("wanted {name} {wanted}; it is {}", Shown(&found)),
            None if event.claims.is_null() => {
                format!("wanted {name} {wanted}; this event comes without a token")
            }
            None => format!("wanted {name} {wanted}; the token does not say it"),
        };
        said("claims", words)
    })
}

fn git_facts(on: &On, event: &Event, unknown_paths: UnknownPaths) -> Result<Paths, Miss> {
    let Some(git) = &event.git else { return without_git(on).map(|()| Paths::default()) };
    text("repository", on.repository.as_ref(), git.repository.as_ref())?;
    git_ref(on, git)?;
    text("branch", on.branch.as_ref(), git.branch.as_ref())?;
    text("tag", on.tag.as_ref(), git.tag.as_ref())?;
    text("sha", on.sha.as_ref(), git.sha.as_ref())?;
    text("before", on.before.as_ref(), git.before.as_ref())?;
    text("author", on.author.as_ref(), git.author.as_ref())?;
    if let Some(wanted) = &on.pull_request {
        pull_request(wanted, git, event)?;
    }
    if let Some(why) = fork::unwanted(on.fork, git) {
        return Err(absent("fork", why));
    }
    status(&on.status, git)?;
    default_branch(on, git)?;
    deleted(on, git)?;
    forced(on, git)?;
    on.path.as_ref().map_or(Ok(Paths::default()), |wanted| paths(wanted, &git.paths, unknown_paths))
}

/// An event without git facts passes only if the route has no condition on them.
pub(super) fn without_git(on: &On) -> Result<(), Miss> {
    let asked = [
        ("repository", on.repository.is_some()),
        ("ref", on.git_ref.is_some()),
        ("branch", on.branch.is_some()),
        ("tag", on.tag.is_some()),
        ("sha", on.sha.is_some()),
        ("before", on.before.is_some()),
        ("author", on.author.is_some()),
        ("pull_request", on.pull_request.is_some()),
        ("default_branch", on.default_branch.is_some()),
        ("deleted", on.deleted.is_some()),
        ("forced", on.forced.is_some()),
        ("fork", on.fork == Some(Forks::Only)),
        ("status", !on.status.is_empty()),
        ("path", on.path.is_some()),
    ];
    match asked.into_iter().find(|(_, set)| *set) {
        Some((test, _)) => Err(absent(test, "this event says nothing about a repository")),
        None => Ok(()),
    }
}

/// A branch or a tag.
fn git_ref(on: &On, git: &GitFacts) -> Result<(), Miss> {
    let Some(wanted) = &on.git_ref else { return Ok(()) };
    let refs = [("refs/tags/", &git.tag), ("refs/heads/", &git.branch)];
    let mut found = refs.into_iter().filter_map(|(prefix, name)| Some((prefix, name.as_ref()?)));
    let Some((prefix, name)) = found.next() else {
        return Err(absent("ref", "this event has neither a branch nor a tag"));
    };
    if wanted.pass_ref(prefix, name) || found.any(|(prefix, name)| wanted.pass_ref(prefix, name)) {
        return Ok(());
    }
    let what = if prefix == "refs/tags/" { "the tag" } else { "the branch" };
    Err(said("ref", format!("wanted {wanted}; it is {what} {}", Shown(name))))
}

fn status(wanted: &[Status], git: &GitFacts) -> Result<(), Miss> {
    let found = match git.status {
        _ if wanted.is_empty() => return Ok(()),
        Some(found) if wanted.contains(&found) => return Ok(()),
        Some(found) => format!("it is {found}"),
        None => "this event reports none".to_owned(),
    };
    let wanted: Vec<&str> = wanted.iter().map(|status| status.word()).collect();
    Err(said("status", format!("wanted {}; {found}", wanted.join(" or "))))
}

fn pull_request(wanted: &PullRequestOn, git: &GitFacts, event: &Event) -> Result<(), Miss> {
    let Some(found) = &git.pull_request else {
        return Err(absent("pull_request", "this event is not about a pull request"));
    };
    if !wanted.number.is_empty() && !wanted.number.contains(&found.number) {
        let numbers: Vec<String> = wanted.number.iter().map(ToString::to_string).collect();
        let words = format!("wanted {}; it is {}", numbers.join(" or "), found.number);
        return Err(said("pull_request.number", words));
    }
    action("pull_request.action", wanted.action.as_ref(), found.action.as_ref(), event)?;
    text("pull_request.base", wanted.base.as_ref(), found.base.as_ref())?;
    text("pull_request.head", wanted.head.as_ref(), found.head.as_ref())?;
    if let Some(merged) = wanted.merged {
        yes_or_no(
            "pull_request.merged",
            merged,
            found.merged.unwrap_or(false),
            [
                "wanted a merged pull request; this one is not",
                "wanted one that is not merged; this one is",
            ],
        )?;
    }
    match (wanted.draft, found.draft) {
        (Some(draft), Some(is)) => yes_or_no(
            "pull_request.draft",
            draft,
            is,
            ["wanted a draft; this one is none", "wanted one that is no draft; this one is"],
        )?,
        (Some(_), None) => {
            return Err(absent(
                "pull_request.draft",
                "the sender does not say whether it is a draft",
            ));
        }
        (None, _) => {}
    }
    labels(wanted, found)
}

fn labels(wanted: &PullRequestOn, found: &PullRequest) -> Result<(), Miss> {
    let Some(wanted) = &wanted.labels else { return Ok(()) };
    let Some(labels) = &found.labels else {
        return Err(absent("pull_request.labels", "the sender does not list the labels"));
    };
    if wanted.pass_any(labels.iter().map(|label| &**label)) {
        return Ok(());
    }
    let found = if labels.is_empty() { "it has none".to_owned() } else { labels.join(", ") };
    Err(said("pull_request.labels", format!("wanted {wanted}; its labels: {}", Shown(&found))))
}

fn default_branch(on: &On, git: &GitFacts) -> Result<(), Miss> {
    let Some(wanted) = on.default_branch else { return Ok(()) };
    match (&git.branch, &git.default_branch) {
        (Some(branch), Some(default)) if (branch == default) == wanted => Ok(()),
        (Some(branch), Some(default)) => {
            let words = if wanted {
                format!("wanted the default branch, {}; it is {}", Shown(default), Shown(branch))
            } else {
                format!("wanted any but the default branch; it is {}, which is", Shown(branch))
            };
            Err(said("default_branch", words))
        }
        (None, _) if !wanted => Ok(()),
        (None, _) => Err(absent("default_branch", "this event has no branch")),
        (_, None) => Err(absent("default_branch", "the sender does not name the default branch")),
    }
}

fn deleted(on: &On, git: &GitFacts) -> Result<(), Miss> {
    match on.deleted {
        Some(wanted) => yes_or_no(
            "deleted",
            wanted,
            git.deleted,
            [
                "wanted the deletion of a branch or tag; this event deletes nothing",
                "wanted no deletion; this event deletes its branch or tag",
            ],
        ),
        None if git.deleted => Err(absent(
            "deleted",
            "this event deletes its branch or tag; a route that wants that says `deleted: true`",
        )),
        None => Ok(()),
    }
}

fn forced(on: &On, git: &GitFacts) -> Result<(), Miss> {
    match (on.forced, git.forced) {
        (None, _) => Ok(()),
        (Some(wanted), Some(found)) => yes_or_no(
            "forced",
            wanted,
            found,
            [
                "wanted a forced push; this one is not",
                "wanted a push that is not forced; this one is",
            ],
        ),
        (Some(_), None) => Err(absent("forced", "the sender does not say whether it was forced")),
    }
}

fn paths(wanted: &Patterns, found: &ChangedPaths, unknown: UnknownPaths) -> Result<Paths, Miss> {
    if found.files.iter().any(|file| wanted.pass(file)) {
        return Ok(Paths::default());
    }
    let listed = found.files.len();
    if found.complete {
        let words = match &*found.files {
            [] => format!("wanted {wanted}; no file was changed"),
            [only] => format!("wanted {wanted}; only {} was changed", Shown(only)),
            [first, ..] => {
                format!(
                    "wanted {wanted}; none of the {listed} changed files passes (the first is {})",
                    Shown(first)
                )
            }
        };
        return Err(said("path", words));
    }
    let why = format!(
        "the sender's list of changed files is not known to be whole ({listed} listed, none passes)"
    );
    Paths::undecided("path", &why, unknown)
}

fn expression(
    condition: Option<&Expression>,
    unknown: UnknownPaths,
    event: &Event,
    context: &Context,
) -> Result<Paths, Miss> {
    let Some(condition) = condition else { return Ok(Paths::default()) };
    let tested = match unknown::test(condition, event.git.as_ref(), context) {
        Some(tested) => tested,
        None => condition.test(context).map(Some),
    };
    match tested {
        Ok(Some(true)) => Ok(Paths::default()),
        Ok(Some(false)) => {
            Err(Miss { test: CONDITION_TEST, words: Words::False(condition.shared_source()) })
        }
        Ok(None) => {
            let source = Shown(condition.source());
            let why = format!(
                "`{source}` cannot be decided, since the sender's list of changed files is not \
                 known to be whole"
            );
            Paths::undecided(CONDITION_TEST, &why, unknown)
        }
        Err(fault) => {
            let source = Shown(condition.source());
            Err(said(CONDITION_TEST, format!("`{source}` cannot be decided: {fault}")))
        }
    }
}

pub(super) fn text(
    test: &'static str,
    wanted: Option<&Patterns>,
    found: Option<&Arc<str>>,
) -> Result<(), Miss> {
    match wanted {
        Some(wanted) if !found.is_some_and(|found| wanted.pass(found)) => {
            Err(unwanted(test, wanted, found.cloned()))
        }
        _ => Ok(()),
    }
}

pub(super) fn unwanted(test: &'static str, wanted: &Patterns, found: Option<Arc<str>>) -> Miss {
    Miss { test, words: Words::Unwanted { test, wanted: wanted.clone(), found } }
}

/// `words` has two texts: for a condition that asks for `true`, and for one that asks for `false`.
fn yes_or_no(
    test: &'static str,
    wanted: bool,
    found: bool,
    [lacking, present]: [&'static str; 2],
) -> Result<(), Miss> {
    match (wanted, found) {
        (true, false) => Err(absent(test, lacking)),
        (false, true) => Err(absent(test, present)),
        _ => Ok(()),
    }
}

pub(super) fn absent(test: &'static str, why: &'static str) -> Miss {
    Miss { test, words: Words::Fixed(why) }
}

pub(super) fn said(test: &'static str, words: String) -> Miss {
    Miss { test, words: words.into() }
}
