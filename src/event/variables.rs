//! The parts of an event that expressions see. Checks at load time compare expressions with these
//! lists of names, and [`Event::context`] provides the values. A test compares the two.

use std::sync::Arc;

use crate::event::Event;
use crate::expression::Context;
use crate::model::{
    ChatCommand, CommandLine, DeliveryId, FileChange, GitFacts, PullRequest, Status, Value,
};

/// The top-level variables of an expression.
pub const VARIABLES: [&str; 9] =
    ["event", "body", "headers", "query", "claims", "git", "command", "source", "delivery"];

/// The fields of `event`.
pub const EVENT_FIELDS: [&str; 5] = ["kind", "name", "action", "provider", "part"];

/// The fields of `delivery`.
pub const DELIVERY_FIELDS: [&str; 3] = ["id", "key", "received_at"];

/// The fields of `git`.
pub const GIT_FIELDS: [&str; 18] = [
    "repository",
    "branch",
    "tag",
    "sha",
    "before",
    "author",
    "message",
    "paths",
    "paths_complete",
    "added",
    "modified",
    "removed",
    "pull_request",
    "default_branch",
    "deleted",
    "forced",
    "fork",
    "status",
];

/// The fields of `git` that name changed files. Where the list is not known to be whole, what an expression
/// makes of them is not known either.
pub const PATH_FIELDS: [&str; 4] = ["paths", "added", "modified", "removed"];

/// The fields of `git.pull_request`.
pub const PULL_REQUEST_FIELDS: [&str; 13] = [
    "number",
    "action",
    "base",
    "head",
    "merged",
    "fork",
    "draft",
    "labels",
    "title",
    "head_sha",
    "merge_sha",
    "source",
    "target",
];

/// The fields of `git.pull_request.source` and `git.pull_request.target`.
pub const SIDE_FIELDS: [&str; 2] = ["repository", "branch"];

/// The fields of `command`. The fields of `args` are the arguments that the command gives.
pub const COMMAND_FIELDS: [&str; 11] = [
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
    "association",
];

impl Event {
    /// The variables that expressions see. For every event, `git` is a map with all its fields, and
    /// a field is null if the fact is not known. So an expression on `git` never fails for a
    /// missing field.
    pub fn variables(&self, delivery: DeliveryId) -> Vec<(&'static str, Value)> {
        VARIABLES.into_iter().map(|name| (name, self.variable(name, delivery))).collect()
    }

    /// The variables that expressions see. Each value is made when an expression first reads it.
    pub fn context(&self, delivery: DeliveryId) -> Context<'_> {
        Context::of(&VARIABLES, move |name| self.variable(name, delivery))
    }

    fn variable(&self, name: &str, delivery: DeliveryId) -> Value {
        match name {
            "event" => map(
                EVENT_FIELDS,
                [
                    Value::text(self.kind.clone()),
                    text(&self.name),
                    text(&self.action),
                    Value::text(self.provider),
                    u64::from(self.part).into(),
                ],
            ),
            "body" => self.body.clone(),
            "headers" => self.headers.clone(),
            "query" => self.query.clone(),
            "claims" => self.claims.clone(),
            "git" => self.git.as_ref().map_or_else(|| git(&GitFacts::default()), git),
            "command" => self.command.as_deref().map_or(Value::Null, command),
            "source" => Value::text(self.source.clone()),
            "delivery" => {
                let id = Value::text(delivery.to_string());
                let received_at = Value::text(delivery.made_at().to_string());
                map(DELIVERY_FIELDS, [id, Value::text(self.delivery_key.clone()), received_at])
            }
            _ => Value::Null,
        }
    }
}

fn git(facts: &GitFacts) -> Value {
    let GitFacts { repository, branch, tag, sha, before, author, message, .. } = facts;
    let files = facts.paths.files.clone();
    let paths = move || files.iter().map(|path| Value::text(path.clone())).collect();
    let only = |change| {
        let files = facts.paths.files.clone();
        Value::list_later(move || files.only(change).into_iter().map(Value::Text).collect())
    };
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
            Value::list_later(paths),
            facts.paths.complete.into(),
            only(FileChange::Added),
            only(FileChange::Modified),
            only(FileChange::Removed),
            facts.pull_request.as_ref().map_or(Value::Null, pull_request),
            text(&facts.default_branch),
            facts.deleted.into(),
            facts.forced.into(),
            facts.fork.into(),
            facts.status.map(Status::word).into(),
        ],
    )
}

fn pull_request(pull: &PullRequest) -> Value {
    let labels = pull.labels.as_ref();
    let side = |repository, branch| map(SIDE_FIELDS, [text(repository), text(branch)]);
    map(
        PULL_REQUEST_FIELDS,
        [
            pull.number.into(),
            text(&pull.action),
            text(&pull.base),
            text(&pull.head),
            pull.merged.into(),
            pull.fork.into(),
            pull.draft.into(),
            labels.map(|labels| labels.iter().cloned().map(Value::Text).collect::<Vec<_>>()).into(),
            text(&pull.title),
            text(&pull.head_sha),
            text(&pull.merge_sha),
            side(&pull.source_repository, &pull.head),
            side(&pull.target_repository, &pull.base),
        ],
    )
}

/// A command that cannot be read has no name and no words. It starts nothing.
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
            text(&command.comment.as_ref().and_then(|comment| comment.association.clone())),
        ],
    )
}

/// The arrays have one length, so a field without a value, or a value without a field, does not
/// compile.
fn map<const N: usize>(names: [&str; N], values: [Value; N]) -> Value {
    Value::map(names.into_iter().zip(values).collect())
}

fn text(text: &Option<Arc<str>>) -> Value {
    text.clone().into()
}
