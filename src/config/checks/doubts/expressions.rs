//! Expressions that are no conditions, texts that are taken for expressions, and comparisons of what the
//! senders never make equal.

use std::collections::BTreeSet;

use super::super::vocabulary::vocabulary;
use crate::config::checks::checker::Checker;
use crate::config::plan::{RoutePlan, SourcePlan};
use crate::config::yaml::Id;
use crate::expression::{Compared, Expression, Gives};
use crate::model::Value;

pub(super) fn warn(checker: Checker<'_>, id: Id, route: &RoutePlan, sources: &[&SourcePlan]) {
    let tree = &checker.file.tree;
    if let (Some(condition), Some(at)) = (&route.condition, tree.entry(id, "if")) {
        self::condition(checker, at, condition);
        for compared in condition.comparisons() {
            never_equal(checker, at, &compared, sources);
        }
    }
    if let Some(at) = tree.entry(id, "latest_per") {
        latest(checker, at, route);
    }
    let variables = tree.entry(id, "env").map(|env| tree.items(env)).unwrap_or_default();
    for variable in variables {
        let at = tree.entry(variable, "value").unwrap_or(variable);
        if let Some(text) = tree.text(at).filter(|text| reads_like_an_expression(text)) {
            let message = format!("the variable's value is the text `{text}`, not what it names");
            checker.warn_of_value(at, message, format!("write `${{{{ {text} }}}}`"));
        }
    }
}

/// A condition that is the same for every event, or gives no true or false.
fn condition(checker: Checker<'_>, at: Id, condition: &Expression) {
    if condition.is_constant() {
        let hint = "ask for something that the event has, such as `git.branch == \"main\"`";
        checker.warn(at, "`if` reads nothing of the event: it is always the same", hint.to_owned());
        return;
    }
    if let Gives::Other(kind) = condition.gives(&kind_of) {
        let message = format!("`if` gives {kind}, and never true: no event can match");
        let hint = match kind {
            "a number" => "compare it, such as `size(body.commits) > 0`",
            "a list" => "say `size(…) > 0`, or `….exists(x, …)`",
            _ => "compare it, such as `git.branch == \"main\"`",
        };
        checker.warn(at, message, hint.to_owned());
    }
}

/// What runs have in common that is the same for all of them.
fn latest(checker: Checker<'_>, at: Id, route: &RoutePlan) {
    let Some(latest) = &route.latest else { return };
    if !latest.per.holes().all(|hole| hole.expression.is_constant()) {
        return;
    }
    let text = checker.file.tree.text(at).unwrap_or_default();
    let hint = if reads_like_an_expression(text) {
        format!("write `${{{{ {text} }}}}`")
    } else {
        "write `${{ git.branch }}` to keep branches apart".to_owned()
    };
    let message =
        "`latest_per` is the same for every event: runs of all branches replace each other";
    checker.warn(at, message, hint);
}

/// Whether a text without holes is an expression that reads a field of the event: `git.sha`.
fn reads_like_an_expression(text: &str) -> bool {
    let path = text.split(['.', '[']).next().unwrap_or_default();
    let names = ["git", "body", "event", "headers", "query", "claims", "command", "delivery"];
    text.contains(['.', '['])
        && names.contains(&path)
        && Expression::compile(text, &vocabulary()).is_ok_and(|found| !found.is_constant())
}

/// The kind of value of a field that the gateway itself makes.
fn kind_of(path: &[&str]) -> Gives {
    match path {
        ["git", "deleted" | "forced" | "paths_complete"]
        | ["git", "pull_request", "merged" | "draft" | "fork"]
        | ["command", "slash"] => Gives::Truth,
        ["git", "pull_request", "number"] | ["event", "part"] => Gives::Other("a number"),
        ["git", "paths"] | ["git", "pull_request", "labels"] | ["command", "words"] => {
            Gives::Other("a list")
        }
        ["git" | "command" | "claims" | "headers" | "body" | "event" | "delivery" | "query"] => {
            Gives::Other("a map")
        }
        ["git", "repository" | "branch" | "tag" | "sha" | "before" | "author" | "message"]
        | ["git", "pull_request", "action" | "base" | "head"]
        | ["event", _]
        | ["delivery", "id" | "key" | "received_at"]
        | ["source"]
        | ["command", "name" | "user" | "user_name" | "channel" | "channel_name" | "text"]
        | ["headers" | "query", _] => Gives::Other("text"),
        _ => Gives::Unknown,
    }
}

/// A comparison of a field with a value of another kind than all samples of the senders have there.
fn never_equal(checker: Checker<'_>, at: Id, compared: &Compared, sources: &[&SourcePlan]) {
    let path: Vec<&str> = compared.path.iter().map(|part| &**part).collect();
    let (found, where_found) = match path.split_first() {
        Some((&"body", fields)) if !fields.is_empty() => {
            (in_samples(fields, sources), "in what this sender posts")
        }
        _ => match kind_of(&path) {
            Gives::Truth => (BTreeSet::from(["a boolean"]), "always"),
            Gives::Other(kind) => (BTreeSet::from([number(kind)]), "always"),
            Gives::Unknown => return,
        },
    };
    let with = number(compared.with.kind());
    if found.is_empty() || with == "null" || found.contains(with) || found.contains("null") {
        return;
    }
    let kinds: Vec<&str> = found.into_iter().collect();
    let name = path.join(".");
    let message =
        format!("`{name}` is {} {where_found}, and never equal to {with}", kinds.join(" or "));
    let hint = match (&compared.with, kinds[..] == ["a number"]) {
        (Value::Text(text), is_number)
            if is_number && text.parse::<f64>().is_ok() || is_truth(text) =>
        {
            "write the value without quotes".to_owned()
        }
        (Value::Int(_) | Value::UInt(_) | Value::Bool(_), _) if kinds == ["text"] => {
            "put the value in quotes".to_owned()
        }
        _ => format!("compare it with {}", kinds.join(" or ")),
    };
    checker.warn(at, message, hint);
}

fn is_truth(text: &str) -> bool {
    matches!(text, "true" | "false")
}

fn number(kind: &'static str) -> &'static str {
    if matches!(kind, "a whole number" | "a decimal number") { "a number" } else { kind }
}

/// The kinds of value that the samples of these senders have at this path. Empty if a sender has none there.
fn in_samples(fields: &[&str], sources: &[&SourcePlan]) -> BTreeSet<&'static str> {
    let mut all = BTreeSet::new();
    for source in sources {
        let provider = source.provider;
        let samples = provider.sample_kinds().into_iter().filter_map(|kind| provider.sample(kind));
        let bodies = samples.filter_map(|text| Value::parse_json(text.as_bytes()).ok());
        let kinds: BTreeSet<_> = bodies
            .filter_map(|body| {
                let found = fields.iter().try_fold(&body, |value, field| value.get(field));
                found.map(|value| number(value.kind()))
            })
            .collect();
        if kinds.is_empty() {
            return kinds;
        }
        all.extend(kinds);
    }
    all
}
