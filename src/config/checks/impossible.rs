//! Finds routes that can never match, because none of their senders provides what they ask for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::checker::Checker;
use crate::config::plan::{RoutePlan, SourcePlan};
use crate::config::yaml::Id;

/// The sources, by name.
pub(super) type Sources = BTreeMap<Arc<str>, Arc<SourcePlan>>;

/// A fact that `on:` may ask for and that only some senders provide.
struct Told {
    /// The keys of `on:` that ask for it.
    keys: &'static [&'static str],
    /// What a sender lacks that does not provide it, in words.
    what: &'static str,
    /// Whether the sender of a source provides it.
    by: fn(&SourcePlan) -> bool,
}

const GIT: &[&str] = &[
    "repository",
    "ref",
    "branch",
    "tag",
    "sha",
    "before",
    "author",
    "path",
    "pull_request",
    "default_branch",
    "deleted",
    "forced",
    "status",
];

const ALL: [Told; 6] = [
    Told {
        keys: GIT,
        what: "tells nothing of git",
        by: |source| source.provider.tells_git(&source.options),
    },
    Told {
        keys: &["claims"],
        what: "sends no token with claims",
        by: |source| source.provider.tells_claims(),
    },
    Told {
        keys: &["command"],
        what: "takes no commands from people",
        by: |source| source.provider.dialect().is_some() || source.provider.takes_comments(),
    },
    Told {
        keys: &["user"],
        what: "does not say which person did it",
        by: |source| source.provider.tells_people() || source.provider.takes_comments(),
    },
    Told {
        keys: &["channel"],
        what: "has no channels",
        by: |source| source.provider.tells_people(),
    },
    Told {
        keys: &["association"],
        what: "does not say what people are to a repository",
        by: |source| source.provider.name() == "github",
    },
];

/// Warns if none of a route's sources provides what the route asks for.
pub(super) fn warn(checker: Checker<'_>, id: Id, route: &RoutePlan, sources: &Sources) {
    let Some(on) = checker.file.tree.entry(id, "on") else { return };
    if checker.file.tree.is_list(on) {
        let blocks = checker.file.tree.items(on);
        for (block, conditions) in blocks.into_iter().zip(&route.on) {
            warn_of_block(checker, block, &conditions.sources, sources);
        }
    } else {
        warn_of_block(checker, on, &route.sources, sources);
    }
}

fn warn_of_block(checker: Checker<'_>, on: Id, names: &[Arc<str>], sources: &Sources) {
    let known: Vec<_> = names.iter().filter_map(|name| sources.get(name)).collect();
    // A source that could not be read may be one that provides it.
    if known.is_empty() || known.len() < names.len() {
        return;
    }
    for told in ALL {
        if known.iter().any(|source| (told.by)(source)) {
            continue;
        }
        let senders: Vec<_> = known.iter().map(|source| source.provider.title()).collect();
        for key in told.keys {
            let Some(key_id) = checker.file.tree.entry(on, key) else { continue };
            checker.warn(
                key_id,
                format!("`{key}` never matches here: {} {}", senders.join(" or "), told.what),
                "ask with `if:` for what its body says; docs/providers.md says what that is"
                    .to_owned(),
            );
        }
    }
}
