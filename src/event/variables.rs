//! What expressions see of an event. The lists of names are what load-time checks compare an
//! expression with, and what [`Event::variables`] builds from, so that the two cannot differ.

use std::sync::Arc;

use crate::event::Event;
use crate::model::{ChatCommand, CommandLine, GitFacts, PullRequest, Value};

/// The variables of an expression.
pub const VARIABLES: [&str; 9] =
    ["event", "body", "headers", "query", "claims", "git", "command", "source", "delivery"];

/// The fields of `event`.
pub const EVENT_FIELDS: [&str; 5] = ["kind", "name", "action", "provider", "part"];

/// The fields of `delivery`.
pub const DELIVERY_FIELDS: [&str; 2] = ["id", "key"];

/// The fields of `git`.
pub const GIT_FIELDS: [&str; 13] = [
    "repository",
    "branch",
    "tag",
    "sha",
    "before",
    "author",
    "message",
    "paths",
    "paths_complete",
    "pull_request",
    "default_branch",
    "deleted",
    "forced",
];

/// The fields of `git.pull_request`.
pub const PULL_REQUEST_FIELDS: [&str; 5] = ["number", "action", "base", "head", "merged"];

/// The fields of `command`. Below `args` is whatever the command gives.
pub const COMMAND_FIELDS: [&str; 10] = [
    "name",
    "words",
    "args",
    "user",
    "user_name",
    "channel",
    "channel_name",
    "team",
    "text",
    "slash",
];

impl Event {
    /// The variables that expressions see. `git` is a map with every field for every event, null
    /// where the fact is not known, so that an expression on `git` never fails for a missing field.
    pub fn variables(&self, delivery_id: &str) -> Vec<(&'static str, Value)> {
        let event = [
            Value::text(self.kind.clone()),
            text(&self.name),
            text(&self.action),
            Value::text(self.provider),
            u64::from(self.part).into(),
        ];
        let delivery = [Value::text(delivery_id), Value::text(self.delivery_key.clone())];
        let values = [
            map(EVENT_FIELDS, event),
            self.body.clone(),
            self.headers.clone(),
            self.query.clone(),
            self.claims.clone(),
            git(self.git.as_ref().unwrap_or(&GitFacts::default())),
            self.command.as_deref().map_or(Value::Null, command),
            Value::text(self.source.clone()),
            map(DELIVERY_FIELDS, delivery),
        ];
        VARIABLES.into_iter().zip(values).collect()
    }
}

fn git(facts: &GitFacts) -> Value {
    let GitFacts { repository, branch, tag, sha, before, author, message, .. } = facts;
    let paths = facts.paths.files.iter().map(|path| Value::text(path.clone())).collect();
    map(
        GIT_FIELDS,
        [
            text(repository),
            text(branch),
            text(tag),
            text(sha),
            text(before),
            text(author),
            text(message),
            Value::list(paths),
            facts.paths.complete.into(),
            facts.pull_request.as_ref().map_or(Value::Null, pull_request),
            text(&facts.default_branch),
            facts.deleted.into(),
            facts.forced.into(),
        ],
    )
}

fn pull_request(pull: &PullRequest) -> Value {
    map(
        PULL_REQUEST_FIELDS,
        [
            pull.number.into(),
            text(&pull.action),
            text(&pull.base),
            text(&pull.head),
            pull.merged.into(),
        ],
    )
}

/// A command that cannot be read has neither name nor words; it starts nothing.
fn command(command: &ChatCommand) -> Value {
    let unread = CommandLine::default();
    let line = command.line.as_ref().unwrap_or(&unread);
    let args = line.args.iter().map(|(name, value)| (&**name, Value::text(value.clone())));
    map(
        COMMAND_FIELDS,
        [
            text(&line.name),
            Value::list(line.words.iter().cloned().map(Value::Text).collect()),
            Value::map(args.collect()),
            text(&command.user),
            text(&command.user_name),
            text(&command.channel),
            text(&command.channel_name),
            text(&command.team),
            Value::text(command.text.clone()),
            text(&command.slash),
        ],
    )
}

/// A field without a value, or a value without a field, does not compile.
fn map<const N: usize>(names: [&str; N], values: [Value; N]) -> Value {
    Value::map(names.into_iter().zip(values).collect())
}

fn text(text: &Option<Arc<str>>) -> Value {
    text.clone().into()
}
