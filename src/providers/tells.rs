//! Which facts the events of each forge tell: by provider, kind of event and fact.
//!
//! The table is made from the payloads of the tests, which go through the extraction that deliveries go through.
//! A test fails where they differ, and rewrites the table with `UPDATE=1`. So a fact that is told by no payload of
//! a kind counts as one that is never told: whoever adds a kind of event adds payloads of all its forms.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::model::GitFacts;

/// The table: a line for each provider and kind of event, with the facts that it tells. `~` in front of a fact
/// says that some of the events tell it and some do not.
const TABLE: &str = include_str!("tells.txt");

/// The facts, by the keys of `on:` that ask for them, in the order of the documentation.
pub const FACTS: [&str; 22] = [
    "action",
    "repository",
    "branch",
    "tag",
    "sha",
    "before",
    "author",
    "message",
    "path",
    "default_branch",
    "deleted",
    "forced",
    "fork",
    "status",
    "pull_request",
    "pull_request.action",
    "pull_request.base",
    "pull_request.head",
    "pull_request.merged",
    "pull_request.draft",
    "pull_request.labels",
    "pull_request.merge_sha",
];

/// Whether an event tells a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// Every event of the kind.
    Always,
    /// Some events of the kind, such as only those of branches.
    Sometimes,
    /// No event of the kind, so that a condition on the fact never holds.
    Never,
    /// The kind is not in the table, or the fact has no name there.
    UnknownEvent,
}

/// A kind of event with the facts that it tells, as they stand in the table.
type Kind = (&'static str, Vec<&'static str>);

/// The kinds of each provider. It is asked for each kind and fact of each route of a configuration.
static KINDS: LazyLock<HashMap<&str, Vec<Kind>>> = LazyLock::new(|| {
    let mut kinds: HashMap<_, Vec<Kind>> = HashMap::new();
    for (provider, kind, told) in rows() {
        kinds.entry(provider).or_default().push((kind, told.split_whitespace().collect()));
    }
    kinds
});

/// Whether events of this kind, under the gateway's name for it, tell this fact, one of [`FACTS`].
pub fn can_tell(provider: &str, kind: &str, fact: &str) -> Tells {
    let known = kinds(provider).iter().find(|(known, _)| *known == kind);
    let Some((_, told)) = known.filter(|_| FACTS.contains(&fact)) else {
        return Tells::UnknownEvent;
    };
    let found = told.iter().find(|told| told.trim_start_matches('~') == fact);
    match found {
        Some(sometimes) if sometimes.starts_with('~') => Tells::Sometimes,
        Some(_) => Tells::Always,
        None => Tells::Never,
    }
}

/// The kinds of event of this provider that the table knows.
pub fn known_kinds(provider: &str) -> impl Iterator<Item = &'static str> {
    kinds(provider).iter().map(|(kind, _)| *kind)
}

fn kinds(provider: &str) -> &'static [Kind] {
    KINDS.get(provider).map_or(&[], Vec::as_slice)
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    TABLE.lines().filter_map(|line| {
        let (provider, rest) = line.split_once(' ')?;
        let (kind, told) = rest.split_once(' ').unwrap_or((rest, ""));
        Some((provider, kind, told))
    })
}

/// The facts that one event tells. A list of files is told where it is known to be whole, and `deleted` where
/// something is deleted.
pub fn told(action: Option<&str>, git: &GitFacts) -> Vec<&'static str> {
    let pull = git.pull_request.as_ref();
    let of = |has: fn(&crate::model::PullRequest) -> bool| pull.is_some_and(has);
    let is_told = [
        action.is_some(),
        git.repository.is_some(),
        git.branch.is_some(),
        git.tag.is_some(),
        git.sha.is_some(),
        git.before.is_some(),
        git.author.is_some(),
        git.message.is_some(),
        git.paths.complete && !git.paths.files.is_empty(),
        git.default_branch.is_some(),
        git.deleted,
        git.forced.is_some(),
        git.fork.is_some(),
        git.status.is_some(),
        pull.is_some(),
        of(|pull| pull.action.is_some()),
        of(|pull| pull.base.is_some()),
        of(|pull| pull.head.is_some()),
        of(|pull| pull.merged.is_some()),
        of(|pull| pull.draft.is_some()),
        of(|pull| pull.labels.is_some()),
        of(|pull| pull.merge_sha.is_some()),
    ];
    FACTS.into_iter().zip(is_told).filter(|(_, told)| *told).map(|(fact, _)| fact).collect()
}

/// The table of the documentation: for each provider, a line for each kind of event.
pub fn page() -> String {
    let mut text = String::new();
    let mut last = "";
    for (provider, kind, told) in rows() {
        if provider != last {
            let title = super::find(provider).map_or(provider, |known| known.title());
            let _ = write!(text, "\n### {title}\n\n| event | always | for some |\n|---|---|---|\n");
            last = provider;
        }
        let (some, always): (Vec<_>, Vec<_>) =
            told.split_whitespace().partition(|fact| fact.starts_with('~'));
        let listed = |facts: &[&str]| {
            let quoted = facts.iter().map(|fact| format!("`{}`", fact.trim_start_matches('~')));
            quoted.collect::<Vec<_>>().join(", ")
        };
        let _ = writeln!(text, "| `{kind}` | {} | {} |", listed(&always), listed(&some));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_always_sometimes_never_or_that_it_does_not_know() {
        assert_eq!(can_tell("github", "push", "sha"), Tells::Sometimes);
        assert_eq!(can_tell("github", "push", "repository"), Tells::Always);
        assert_eq!(can_tell("github", "push", "status"), Tells::Never);
        assert_eq!(can_tell("bitbucket-cloud", "push", "path"), Tells::Never);
        assert_eq!(can_tell("gitlab", "pipeline", "branch"), Tells::Sometimes);
        assert_eq!(can_tell("github", "no_such_kind", "sha"), Tells::UnknownEvent);
        assert_eq!(can_tell("slack", "push", "sha"), Tells::UnknownEvent);
        assert_eq!(can_tell("github", "push", "no_such_fact"), Tells::UnknownEvent);
    }
}
