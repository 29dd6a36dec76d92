//! Chat programs, in which people give commands and are answered.

pub(super) mod body;
mod dialect;
pub(super) mod discord;
pub(super) mod google_chat;
pub(super) mod line;
pub(super) mod mattermost;
pub(super) mod ms_teams;
pub(super) mod slack;

use std::sync::Arc;

use crate::model::{ChatCommand, Value};

pub use dialect::Dialect;

/// A slash command in Slack's form, which Mattermost uses too. None where the body is not one.
fn slash_command(body: &Value, unescape: fn(&str) -> String) -> Option<ChatCommand> {
    let slash = field(body, &["command"])?;
    let typed = body.get("text").and_then(Value::as_str).unwrap_or_default();
    let text = unescape(typed);
    Some(ChatCommand {
        slash: Some(slash),
        line: line::parse(&text),
        text: text.into(),
        user: field(body, &["user_id"]),
        user_name: field(body, &["user_name"]),
        channel: field(body, &["channel_id"]),
        channel_name: field(body, &["channel_name"]),
        team: field(body, &["team_id"]),
        comment: None,
        is_act: false,
    })
}

/// The text at this path of the body. None where it is absent or empty.
fn field(body: &Value, path: &[&str]) -> Option<Arc<str>> {
    body.at(path)?.as_arc_str().cloned().filter(|text| !text.is_empty())
}
