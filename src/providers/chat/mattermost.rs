//! Mattermost: custom slash commands and outgoing webhooks. It signs nothing. The body holds the secret
//! itself, which is neither stored nor shown.

use http::HeaderMap;

use crate::model::{ChatCommand, Value};
use crate::providers::about::{About, Group, Proven};
use crate::providers::chat::{Dialect, field, slash_command};
use crate::providers::described::{At, Body, Sender};
use crate::providers::mechanisms::BodyToken;

/// Mattermost.
pub(in crate::providers) static MATTERMOST: Sender = Sender {
    body: Body::Chat,
    secret_in_body: true,
    id: &[At::Either(&[&["trigger_id"], &["post_id"]])],
    kind: Some(kind),
    command: Some(command),
    dialect: Some(Dialect::Mattermost),
    samples: &[("command", include_str!("../samples/mattermost-command.txt"))],
    ..Sender::new("mattermost", "Mattermost", &ABOUT, &BodyToken)
};

fn kind(_headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    Some(if slash_command(body, str::to_owned).is_some() { "command" } else { "message" })
}

/// A message of an outgoing webhook is not taken as a command, since everyone in the channel could read
/// the answer. It says who wrote it, and where.
fn command(body: &Value) -> Option<ChatCommand> {
    slash_command(body, str::to_owned).or_else(|| {
        let [user, channel, team] =
            ["user_id", "channel_id", "team_id"].map(|name| field(body, &[name]));
        Some(ChatCommand {
            user_name: field(body, &["user_name"]),
            channel_name: field(body, &["channel_name"]),
            ..ChatCommand::act(user, channel, team)?
        })
    })
}

static ABOUT: About = About {
    group: Group::Chat,
    setup: &[
        "*Integrations*, *Slash Commands*, *Add Slash Command*: trigger word `cdsw`, request URL \
         `https://HOST/hooks/mattermost`, request method POST. Its token is the source's secret.",
        "Mattermost calls addresses of its own network only if `AllowedUntrustedInternalConnections` \
         names them.",
    ],
    source: "provider: mattermost\nsecrets: [{ env: MATTERMOST_TOKEN }]",
    carries: "A slash command is of kind `command`, the message of an outgoing webhook of kind \
              `message`. The id is the `trigger_id` or the `post_id`. Nothing is signed: the token \
              is in the field `token` or in `Authorization: Token …`, so use https. It is not kept.",
    yields: "The command, with `user`, `channel` and `team` as Mattermost's ids. Messages tell them too. \
             Buttons and dialogues carry no token, so that their requests are refused.",
    proven: Proven::Literal,
    sources: &[
        "https://developers.mattermost.com/integrate/slash-commands/custom",
        "https://developers.mattermost.com/integrate/webhooks/outgoing",
        "mattermost, server/channels/app/command.go",
    ],
};
