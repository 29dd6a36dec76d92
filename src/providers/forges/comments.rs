//! Commands in comments on pull requests: a new comment whose first line starts with a slash and a name, as in
//! `/retrain START=2017-01-01`. The line is read as a command in chat is.

use std::sync::Arc;

use crate::model::{ChatCommand, InComment, Value};
use crate::providers::Meaning;
use crate::providers::chat::line;
use crate::providers::forges::facts::{first_text, flag, text};

/// Where forges write the text of a comment.
const TEXTS: &[&[&str]] = &[
    &["comment", "body"],
    &["object_attributes", "note"],
    &["comment", "content", "raw"],
    &["comment", "text"],
    &["resource", "comment", "content"],
];

/// Where forges write the account of who commented.
const AUTHORS: &[&[&str]] = &[
    &["comment", "user", "login"],
    &["user", "username"],
    &["actor", "username"],
    &["actor", "nickname"],
    &["actor", "slug"],
    &["actor", "name"],
    &["resource", "comment", "author", "uniqueName"],
    &["sender", "login"],
    &["sender", "username"],
];

/// The command in a comment. `None` where the event is no new comment on a request, or its text no command.
pub(super) fn command(meaning: &Meaning, body: &Value) -> Option<ChatCommand> {
    let is_new = matches!(meaning.action.as_deref(), None | Some("created"));
    if &*meaning.kind != "issue_comment" || !is_new || !is_on_request(body) {
        return None;
    }
    let comment = first_text(body, TEXTS)?;
    let first = comment.trim_start().lines().next()?;
    let typed = first.strip_prefix('/')?;
    typed.starts_with(|letter: char| letter.is_ascii_alphabetic()).then(|| ChatCommand {
        slash: Some("/".into()),
        line: line::parse(typed),
        text: Arc::from(typed),
        user: first_text(body, AUTHORS),
        user_name: None,
        channel: None,
        channel_name: None,
        team: None,
        comment: Some(InComment { association: text(body, &["comment", "author_association"]) }),
        is_act: false,
    })
}

fn is_on_request(body: &Value) -> bool {
    let there = |path: &[&str]| body.at(path).is_some_and(|value| !value.is_null());
    let places: [&[&str]; 6] = [
        &["issue", "pull_request"],
        &["merge_request"],
        &["pullrequest"],
        &["pullRequest"],
        &["pull_request"],
        &["resource", "pullRequest"],
    ];
    places.into_iter().any(there) || flag(body, &["is_pull"]) == Some(true)
}
