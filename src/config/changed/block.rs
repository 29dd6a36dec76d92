//! One block of a route's `on:` as it is written, with the sources that it listens to and the expressions of its route.

use super::former;
use crate::config::asked::{FACTS, asked};
use crate::config::plan::{RoutePlan, SourcePlan};
use crate::config::yaml::{Id, Tree};
use crate::expression::Expression;
use crate::matching::{On, Patterns};
use crate::providers::{Tells, can_tell, known_kinds};

/// A block of a route's `on:`.
#[derive(Debug)]
pub(in crate::config) struct Block<'a> {
    pub(super) tree: &'a Tree,
    /// The section of the route.
    pub(super) route: Id,
    /// The section of the block.
    pub(super) block: Id,
    pub(super) on: &'a On,
    pub(super) plan: &'a RoutePlan,
    /// Its sources, as far as they could be read.
    pub(super) sources: &'a [&'a SourcePlan],
}

impl<'a> Block<'a> {
    pub(in crate::config) fn new(
        tree: &'a Tree,
        (route, block): (Id, Id),
        plan: &'a RoutePlan,
        on: &'a On,
        sources: &'a [&'a SourcePlan],
    ) -> Self {
        Self { tree, route, block, on, plan, sources }
    }

    /// Whether it listens to a source of one of these providers.
    pub(super) fn is_of(&self, providers: &[&str]) -> bool {
        self.providers().any(|provider| providers.contains(&provider))
    }

    pub(super) fn providers(&self) -> impl Iterator<Item = &'static str> {
        self.sources.iter().map(|source| source.provider.name())
    }

    /// The entry of the block at this path.
    pub(super) fn entry(&self, path: &[&str]) -> Option<Id> {
        path.iter().try_fold(self.block, |map, key| self.tree.entry(map, key))
    }

    /// The place that names the events: `event`, or else the source.
    pub(super) fn events(&self) -> Vec<Id> {
        let places = [&["event"], &["source"]].into_iter();
        places.filter_map(|path| self.entry(path)).take(1).collect()
    }

    /// Whether it may take events of this kind: by the gateway's name of the kind, or by one of the sender's.
    pub(super) fn takes(&self, provider: &str, kind: &str) -> bool {
        let passes = |wanted: &Patterns| {
            wanted.pass(kind) || former::names(provider, kind).any(|name| wanted.pass(name))
        };
        self.on.events.as_ref().is_none_or(passes)
    }

    /// The kinds of its senders' events that it may take, each with the provider.
    pub(super) fn kinds(&self) -> Vec<(&'static str, &'static str)> {
        let all = self.providers().flat_map(|provider| {
            known_kinds(provider).map(move |kind| (provider, kind)).collect::<Vec<_>>()
        });
        let asks_command = self.on.command.is_some() || self.on.association.is_some();
        let of_commands = |kind: &str| !asks_command || kind == "issue_comment";
        all.filter(|(provider, kind)| of_commands(kind) && self.takes(provider, kind)).collect()
    }

    /// Whether one of these providers is among its sources and it may take this kind from there.
    pub(super) fn takes_of(&self, providers: &[&str], kind: &str) -> bool {
        self.providers().any(|provider| providers.contains(&provider) && self.takes(provider, kind))
    }

    /// Whether `action:`, here and in `pull_request:`, lets one of these words pass.
    pub(super) fn allows_action(&self, words: &[&str]) -> bool {
        let passes = |wanted: &Option<Patterns>| {
            wanted.as_ref().is_none_or(|wanted| words.iter().any(|word| wanted.pass(word)))
        };
        passes(&self.on.actions)
            && self.on.pull_request.as_ref().is_none_or(|pull| passes(&pull.action))
    }

    /// The places of conditions on the action that take `lost`, and none of the words that the sender's events of
    /// that kind have now.
    pub(super) fn loses_action(&self, lost: &str, now: &[&str]) -> Vec<Id> {
        let within = self.on.pull_request.as_ref().and_then(|pull| pull.action.as_ref());
        let both =
            [(&["action"][..], self.on.actions.as_ref()), (&["pull_request", "action"], within)];
        both.into_iter()
            .filter(|(_, wanted)| {
                wanted.is_some_and(|wanted| {
                    wanted.pass(lost) && !now.iter().any(|word| wanted.pass(word))
                })
            })
            .filter_map(|(path, _)| self.entry(path))
            .collect()
    }

    /// The facts of git that the block asks for, under their keys in `on:`.
    pub(super) fn asked(&self) -> Vec<String> {
        let asks = |path: &&&[&str]| asked(self.tree, self.block, path).is_some();
        FACTS.iter().filter(asks).map(|path| path.join(".")).collect()
    }

    /// Whether events of this kind may tell all that the block asks for.
    pub(super) fn may_be_met(&self, provider: &str, kind: &str) -> bool {
        let tells = |fact: &str| can_tell(provider, kind, fact) != Tells::Never;
        self.asked().iter().all(|fact| tells(fact))
            && (self.on.git_ref.is_none() || tells("branch") || tells("tag"))
    }

    /// The expressions of the route, each with its place: `if`, `latest_per`, and the values of variables.
    pub(super) fn expressions(&self) -> Vec<(Id, &'a Expression)> {
        let entry = |key| self.tree.entry(self.route, key);
        let condition = entry("if").zip(self.plan.condition.as_ref());
        let latest = entry("latest_per").zip(self.plan.latest.as_ref());
        let latest = latest
            .into_iter()
            .flat_map(|(at, latest)| latest.per.holes().map(move |hole| (at, &hole.expression)));
        let env = entry("env");
        let variables = self.plan.mapping.variables.iter().filter_map(|variable| {
            Some((self.tree.entry(env?, &variable.name)?, &variable.template))
        });
        let values = variables
            .flat_map(|(at, template)| template.holes().map(move |hole| (at, &hole.expression)));
        condition.into_iter().chain(latest).chain(values).collect()
    }

    /// The places of expressions for which this holds.
    pub(super) fn where_expressions(&self, holds: impl Fn(&Expression) -> bool) -> Vec<Id> {
        let found = self.expressions().into_iter().filter(|(_, expression)| holds(expression));
        let mut places: Vec<Id> = found.map(|(at, _)| at).collect();
        places.dedup();
        places
    }

    /// The places of expressions that read a field: the last name of the path, of the map at the names before it.
    pub(super) fn reads(&self, path: &[&str]) -> Vec<Id> {
        self.where_expressions(|expression| reads(expression, path))
    }

    /// The places of expressions that read a field whose texts are others now: those that name one of the former
    /// texts, and those that name no text and so use the field as it is.
    pub(super) fn reads_words(&self, path: &[&str], former: &[&str]) -> Vec<Id> {
        self.where_expressions(|expression| {
            let source = expression.source();
            let quoted = |word: &&str| {
                source.contains(&format!("\"{word}\"")) || source.contains(&format!("'{word}'"))
            };
            reads(expression, path) && (former.iter().any(quoted) || !source.contains(['"', '\'']))
        })
    }
}

/// Whether an expression reads a field, or the map that it is in as a whole.
pub(super) fn reads(expression: &Expression, path: &[&str]) -> bool {
    let Some((field, map)) = path.split_last() else { return false };
    let read = expression.reads(map);
    read.any || read.needed.iter().chain(&read.optional).any(|name| **name == **field)
}
