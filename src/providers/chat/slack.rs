//! Slack: slash commands, events and interactivity. All are signed with the app's signing secret over
//! `v0:{time}:{body}`.
//!
//! The field `token` of its bodies is Slack's deprecated verification token. It is neither stored nor
//! shown.

use http::{HeaderMap, Method, StatusCode};

use crate::authenticate::timestamp::{DEFAULT_TOLERANCE, Unit};
use crate::authenticate::{Refusal, Unverified};
use crate::model::{ChatCommand, Value};
use crate::providers::about::{About, Group, Proven};
use crate::providers::chat::{Dialect, field, slash_command};
use crate::providers::described::{At, Body, Sender};
use crate::providers::mechanisms::{Mac, Part, Time, Writing};
use crate::providers::{Greeting, Handshake, Reply, Verification};

const TIMESTAMP: &str = "x-slack-request-timestamp";

static SIGNATURE: Mac = Mac {
    writing: Writing::Hex,
    prefix: "v0=",
    signs: &[Part::Text("v0:"), Part::Header(TIMESTAMP), Part::Text(":"), Part::Body],
    time: Some(Time { header: TIMESTAMP, unit: Unit::Seconds, tolerance: DEFAULT_TOLERANCE }),
    ..Mac::sha256("x-slack-signature")
};

/// Slack.
pub(in crate::providers) static SLACK: Sender = Sender {
    body: Body::Chat,
    event: &[At::Either(&[&["event", "type"], &["type"]])],
    id: &[At::Either(&[&["event_id"], &["trigger_id"]])],
    kind: Some(kind),
    secret_fields: &["token"],
    handshake: Some(handshake),
    greet: Some(greet),
    command: Some(command),
    dialect: Some(Dialect::Slack),
    thanks: Some(thanks),
    samples: &[("command", include_str!("../samples/slack-command.txt"))],
    ..Sender::new("slack", "Slack", &ABOUT, &SIGNATURE)
};

fn kind(_headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    slash_command(body, unescape).map(|_| "command")
}

fn command(body: &Value) -> Option<ChatCommand> {
    slash_command(body, unescape).or_else(|| act(body))
}

/// Who did what an event or an interaction is about, and where. In events, `user` and `channel` are ids, or maps with
/// an id where the event is about them. A dialogue is in no channel, unless it was opened to answer into one.
fn act(body: &Value) -> Option<ChatCommand> {
    let first = |paths: &[&[&str]]| paths.iter().find_map(|path| field(body, path));
    let answered = body.get("response_urls").and_then(Value::as_list).and_then(<[Value]>::first);
    let channel = first(&[
        &["event", "channel"],
        &["event", "channel", "id"],
        &["event", "item", "channel"],
        &["channel", "id"],
        &["container", "channel_id"],
    ]);
    let channel = channel.or_else(|| field(answered?, &["channel_id"]));
    let user = first(&[&["event", "user"], &["event", "user", "id"], &["user", "id"]]);
    let team = first(&[&["team_id"], &["team", "id"], &["user", "team_id"]]);
    Some(ChatCommand {
        user_name: first(&[&["user", "username"], &["user", "name"]]),
        channel_name: first(&[&["channel", "name"]]),
        ..ChatCommand::act(user, channel, team)?
    })
}

/// Undoes Slack's escapes. Slack escapes these three characters in all text.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// A dialogue closes on an empty answer. Any other body would have to say what the dialogue does next.
fn thanks(body: &Value) -> Option<Reply> {
    let is_submission = body.get("type")?.as_str()? == "view_submission";
    is_submission.then(|| Reply::empty(StatusCode::OK))
}

/// Slack's check of the address for events. It is signed like any other request.
fn handshake(_headers: &HeaderMap, body: &Value) -> Option<Handshake> {
    let is_check = body.get("type")?.as_str()? == "url_verification";
    let challenge = body.get("challenge")?.as_str()?;
    is_check.then(|| Handshake::Answer(Reply::text(challenge)))
}

/// Slack checks the certificate of a command's address with a form that it does not sign, in the body or
/// in the query string.
fn greet(
    _sender: &Sender,
    request: &Unverified<'_>,
    _grounds: &Verification<'_>,
) -> Option<Result<Greeting, Refusal>> {
    /// Longest such form, in bytes.
    const LONGEST: usize = 1024;
    let form = match *request.method {
        Method::POST => request.body,
        Method::GET => request.query.as_bytes(),
        _ => return None,
    };
    let is_check = form.len() <= LONGEST
        && form.split(|byte| *byte == b'&').any(|field| field == b"ssl_check=1");
    is_check.then(|| Ok(Greeting::new("ssl_check", Reply::empty(StatusCode::OK))))
}

static ABOUT: About = About {
    group: Group::Chat,
    setup: &[
        "At https://api.slack.com/apps, create an app; its *Signing Secret* (Basic Information, App \
         Credentials) is the source's secret.",
        "For commands: *Slash Commands*, *Create New Command*, `/cdsw`, request URL \
         `https://HOST/hooks/slack`. Leave *Escape channels, users, and links* off.",
        "For events and buttons: the same address under *Event Subscriptions* and *Interactivity*.",
        "Install the app to the workspace.",
    ],
    source: "provider: slack\nsecrets: [{ env: SLACK_SIGNING_SECRET }]",
    carries: "A slash command is of kind `command`; an event is of its own `type` (`app_mention`, \
              `message`, …), as is interactivity (`block_actions`, …). The id is the `event_id`, or \
              the `trigger_id` of a command or an interaction, the same for each of Slack's three \
              retries. Time and body are signed. The field `token` is not kept.",
    yields: "The command, with `user`, `channel` and `team` as Slack's ids. Names can be changed: \
             ask for ids. Events, buttons, dialogues and shortcuts tell `user`, `channel` and `team` \
             too, where Slack says them; a dialogue and a global shortcut have no channel.",
    proven: Proven::Literal,
    sources: &[
        "https://docs.slack.dev/authentication/verifying-requests-from-slack",
        "https://docs.slack.dev/interactivity/implementing-slash-commands",
    ],
};
