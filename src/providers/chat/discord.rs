//! Discord: application commands and webhook events. The application's Ed25519 key signs time and body.
//! Discord sends bad signatures on purpose, and expects a 401 for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use crate::authenticate::timestamp::DEFAULT_TOLERANCE;
use crate::model::{ChatCommand, CommandLine, Value};
use crate::providers::about::{About, Group, Proven};
use crate::providers::chat::{Dialect, field, line};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::PublicKey;
use crate::providers::{Handshake, Reply};

/// Types of interactions, and of webhook events. Only webhook events have a field `event`.
const PING: i64 = 1;
const APPLICATION_COMMAND: i64 = 2;
const COMPONENT: i64 = 3;
const AUTOCOMPLETE: i64 = 4;
const MODAL: i64 = 5;
const WEBHOOK_PING: i64 = 0;
/// Types of options.
const SUB_COMMAND: i64 = 1;
const SUB_COMMAND_GROUP: i64 = 2;
const STRING: i64 = 3;
/// The option that holds a whole command line.
const LINE: &str = "command";

static SIGNATURE: PublicKey = PublicKey {
    header: "x-signature-ed25519",
    time: "x-signature-timestamp",
    tolerance: DEFAULT_TOLERANCE,
};

/// Discord.
pub(in crate::providers) static DISCORD: Sender = Sender {
    event: &[At::Field(&["event", "type"])],
    id: &[At::Field(&["id"])],
    kind: Some(kind),
    handshake: Some(handshake),
    command: Some(command),
    dialect: Some(Dialect::Discord),
    thanks: Some(thanks),
    samples: &[("command", include_str!("../samples/discord-command.json"))],
    ..Sender::new("discord", "Discord", &ABOUT, &SIGNATURE)
};

fn kind(_headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    Some(match number(body, "type")? {
        _ if body.get("event").is_some() => return None,
        APPLICATION_COMMAND => "command",
        COMPONENT => "message_component",
        AUTOCOMPLETE => "autocomplete",
        MODAL => "modal_submit",
        _ => return None,
    })
}

fn handshake(_headers: &HeaderMap, body: &Value) -> Option<Handshake> {
    match number(body, "type")? {
        PING if body.get("event").is_none() => {
            Some(Handshake::Answer(Reply::json(&json!({ "type": 1 }))))
        }
        WEBHOOK_PING => Some(Handshake::Answer(nothing())),
        _ => None,
    }
}

/// The answer to an interaction that is no command. Without it, Discord tells the person that the
/// interaction failed. A component stays as it is, autocompletion gets no choices, and a form is
/// acknowledged. Anything else, such as a webhook event, gets an empty answer.
fn thanks(body: &Value) -> Option<Reply> {
    let kind = number(body, "type").filter(|_| body.get("event").is_none());
    Some(match kind {
        Some(COMPONENT) => Reply::json(&json!({ "type": 6 })),
        Some(AUTOCOMPLETE) => Reply::json(&json!({ "type": 8, "data": { "choices": [] } })),
        Some(MODAL) => Dialect::Discord.reply(&["it was received".to_owned()]),
        _ => nothing(),
    })
}

/// An empty answer with a content type.
fn nothing() -> Reply {
    Reply::empty(StatusCode::NO_CONTENT)
        .with(CONTENT_TYPE, HeaderValue::from_static("application/json"))
}

/// Reads a command. It is either `/cdsw` with an option `command`, which holds a whole command line, or a
/// command of its own, whose options are the values.
fn command(body: &Value) -> Option<ChatCommand> {
    if number(body, "type")? != APPLICATION_COMMAND || body.get("event").is_some() {
        return act(body);
    }
    let name = field(body, &["data", "name"])?;
    let options = body.at(&["data", "options"]).and_then(Value::as_list).unwrap_or_default();
    let typed = whole_line(options);
    let line = match typed {
        Some(text) => line::parse(text),
        None => named(name.clone(), options),
    };
    Some(ChatCommand {
        slash: Some(Arc::from(format!("/{name}"))),
        text: typed.unwrap_or_default().into(),
        line,
        user: person(body, "id"),
        user_name: person(body, "username"),
        channel: field(body, &["channel_id"]),
        channel_name: field(body, &["channel", "name"]),
        team: field(body, &["guild_id"]),
        comment: None,
        is_act: false,
    })
}

/// Who pressed a component or sent a form, and where. A webhook event names a person under its data.
fn act(body: &Value) -> Option<ChatCommand> {
    let [channel, team] = ["channel_id", "guild_id"].map(|name| field(body, &[name]));
    Some(ChatCommand {
        user_name: person(body, "username"),
        channel_name: field(body, &["channel", "name"]),
        ..ChatCommand::act(person(body, "id"), channel, team)?
    })
}

/// What is said of the person: as a member of a server, in a direct message, or in a webhook event.
fn person(body: &Value, key: &str) -> Option<Arc<str>> {
    let places: [&[&str]; 3] =
        [&["member", "user", key], &["user", key], &["event", "data", "user", key]];
    places.into_iter().find_map(|path| field(body, path))
}

/// The text of the only option, where that option holds a whole command line.
fn whole_line(options: &[Value]) -> Option<&str> {
    let [only] = options else { return None };
    let is_line = only.get("name")?.as_str()? == LINE && number(only, "type")? == STRING;
    is_line.then(|| only.get("value")?.as_str()).flatten()
}

/// The options as values. A subcommand's name is the command's name. In a group of subcommands, the
/// group's name is the command's name, and the subcommand's name is a word after it.
fn named(name: Arc<str>, options: &[Value]) -> Result<CommandLine, String> {
    let mut line = CommandLine { name: Some(name), ..CommandLine::default() };
    let mut args = BTreeMap::new();
    let mut options = options;
    let mut depth = 0;
    while let [only] = options
        && let Some(SUB_COMMAND | SUB_COMMAND_GROUP) = number(only, "type")
    {
        let name = field(only, &["name"]).ok_or("a subcommand has no name")?;
        match depth {
            0 => line.name = Some(name),
            _ => line.words.push(name),
        }
        depth += 1;
        options = only.get("options").and_then(Value::as_list).unwrap_or_default();
    }
    for option in options {
        let name = field(option, &["name"]).ok_or("an option has no name")?;
        let value = option.get("value").and_then(Value::to_text);
        let value = value.ok_or_else(|| format!("option {name} has no value"))?;
        line::add(&mut args, name, value.into())?;
    }
    line.args = args;
    Ok(line)
}

fn number(value: &Value, field: &str) -> Option<i64> {
    value.get(field)?.as_i64()
}

static ABOUT: About = About {
    group: Group::Chat,
    setup: &[
        "At https://discord.com/developers/applications, create an application; its *Public Key* \
         (General Information) is the source's secret, although it is no secret.",
        "Register a command `cdsw` with one required option `command` of type 3 (text); or commands \
         with options of their own, which become `command.args`.",
        "Then set *Interactions Endpoint URL* to `https://HOST/hooks/discord`: Discord tries it at \
         once, with good signatures and with bad ones. Webhook events may go to the same address.",
        "Whoever can see the command may use it: ask for channels and users in routes.",
    ],
    source: "provider: discord\nsecrets: [{ env: DISCORD_PUBLIC_KEY }]",
    carries: "An application command is of kind `command`; other interactions are of kind \
              `message_component`, `autocomplete` or `modal_submit`; a webhook event is of its own \
              `type`. The id is that of the interaction; a webhook event has none. Time and body are signed. \
              Discord documents no limit for the time; 5 minutes are allowed unless `tolerance` says \
              otherwise, so a webhook event that is retried for longer is refused.",
    yields: "The command, with `user`, `channel` and `team` (the server) as Discord's ids. Channels \
             of other servers may have the same names: ask for ids. Components and forms tell them \
             too; a webhook event tells the person where it names one.",
    proven: Proven::Recomputed,
    sources: &[
        "https://discord.com/developers/docs/interactions/receiving-and-responding",
        "https://discord.com/developers/docs/events/webhook-events",
    ],
};
