//! Outgoing webhooks of Microsoft Teams. Teams sends a message that mentions the webhook by its name, and
//! signs it with an HMAC of the body. The text is HTML: `<at>cdsw</at> retrain A=b`.

use std::sync::Arc;

use http::HeaderMap;

use crate::model::{ChatCommand, Value};
use crate::providers::about::{About, Group, Proven};
use crate::providers::chat::{Dialect, field, line};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::{Key, Mac, Writing};

static SIGNATURE: Mac = Mac {
    writing: Writing::Base64,
    prefix: "HMAC ",
    key: Key::Base64,
    ..Mac::sha256("authorization")
};

/// Microsoft Teams.
pub(in crate::providers) static MS_TEAMS_OUTGOING: Sender = Sender {
    event: &[At::Field(&["type"])],
    // A message's id is unique only within its conversation.
    id: &[At::Field(&["conversation", "id"]), At::Field(&["id"])],
    kind: Some(kind),
    command: Some(command),
    dialect: Some(Dialect::Teams),
    samples: &[("command", include_str!("../samples/ms-teams-outgoing.json"))],
    ..Sender::new("ms-teams-outgoing", "Microsoft Teams outgoing webhook", &ABOUT, &SIGNATURE)
};

fn kind(_headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    command(body).map(|_| "command")
}

/// Every message is a command: Teams sends only those that mention the webhook.
fn command(body: &Value) -> Option<ChatCommand> {
    if body.get("type")?.as_str()? != "message" {
        return None;
    }
    let html = body.get("text").and_then(Value::as_str).unwrap_or_default();
    let (bot, rest) = mention(html);
    let text = plain(rest);
    let channel = || {
        field(body, &["channelData", "teamsChannelId"])
            .or_else(|| field(body, &["conversation", "id"]))
    };
    Some(ChatCommand {
        slash: bot.map(|bot| Arc::from(format!("@{}", plain(bot)))),
        line: line::parse(&text),
        text: text.into(),
        user: field(body, &["from", "aadObjectId"]).or_else(|| field(body, &["from", "id"])),
        user_name: field(body, &["from", "name"]),
        channel: field(body, &["channelData", "channel", "id"]).or_else(channel),
        channel_name: field(body, &["channelData", "channel", "name"]),
        team: field(body, &["channelData", "team", "id"])
            .or_else(|| field(body, &["channelData", "teamsTeamId"])),
        comment: None,
        is_act: false,
    })
}

/// The first name that is mentioned, and the text after it.
fn mention(html: &str) -> (Option<&str>, &str) {
    let split = html.split_once("<at").and_then(|(_, rest)| rest.split_once('>'));
    match split.and_then(|(_, rest)| rest.split_once("</at>")) {
        Some((name, rest)) => (Some(name), rest),
        None => (None, html),
    }
}

/// Converts HTML to text: a tag becomes a space, and an entity becomes its character. It is one pass, so
/// that decoded text is not decoded again.
fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let (letter, length) = match rest.as_bytes()[0] {
            b'<' => (Some(' '), rest.find('>').map(|end| end + 1)),
            _ => entity(rest),
        };
        match (letter, length) {
            (Some(letter), Some(length)) => {
                text.push(letter);
                rest = &rest[length..];
            }
            _ => {
                text.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    text.trim().to_owned()
}

/// The character of the entity at the start of the text, and the entity's length in bytes. None where
/// the entity is not known.
fn entity(text: &str) -> (Option<char>, Option<usize>) {
    /// Longest entity, in bytes.
    const LONGEST: usize = 12;
    let Some(end) = text.bytes().take(LONGEST).position(|byte| byte == b';') else {
        return (None, None);
    };
    let name = &text[1..end];
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok();
    let letter = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => {
            let digits = name.strip_prefix('#');
            digits.and_then(|digits| {
                match digits.strip_prefix(['x', 'X']) {
                    Some(digits) => number(digits, 16),
                    None => number(digits, 10),
                }
                .and_then(char::from_u32)
            })
        }
    };
    (letter, Some(end + 1))
}

static ABOUT: About = About {
    group: Group::Chat,
    setup: &[
        "In the team's *Manage team*, *Apps*, choose *Create an outgoing webhook*: name `cdsw`, \
         callback URL `https://HOST/hooks/teams`. The security token that is then shown is the \
         source's secret.",
        "People mention it: `@cdsw retrain START_DATE=2017-01-01`. The answer is posted to the \
         thread, where everyone reads it.",
    ],
    source: "provider: ms-teams-outgoing\nsecrets: [{ env: TEAMS_SECURITY_TOKEN }]",
    carries: "Every message is of kind `command`. The id is that of the conversation and the message. \
              The body is signed; there is no signed time, so an old request is only known for the \
              time that deliveries are kept.",
    yields: "The command, with `user`, `channel` and `team` as the ids of Teams. Names can be \
             changed: ask for ids.",
    proven: Proven::Recomputed,
    sources: &[
        "https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-outgoing-webhook",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_behind_the_mention_is_the_command() {
        for (html, text) in [
            ("<at>cdsw</at> retrain A=b", "retrain A=b"),
            (
                "<p><at id=\"0\">cdsw</at>&nbsp;retrain A=&quot;b &amp;lt; c&quot;</p>\n",
                "retrain A=\"b &lt; c\"",
            ),
            ("<at>cdsw</at>\u{a0}retrain<br/>A=&#98;&#x63;", "retrain A=bc"),
            (
                "retrain A<b & c; &unknown; &#xffffffff; &",
                "retrain A<b & c; &unknown; &#xffffffff; &",
            ),
            ("<at>cdsw", "cdsw"),
            ("<at>cdsw</at>", ""),
        ] {
            assert_eq!(plain(mention(html).1), text, "{html}");
        }
        assert_eq!(mention("<at>cdsw</at> x").0, Some("cdsw"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(html in "([<>&;#x]|at|/|\\PC){0,60}") {
            plain(mention(&html).1);
        }
    }
}
