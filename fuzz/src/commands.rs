//! Chat commands: whatever is typed is read the same way in every chat program and each time, within
//! bounds, and comes back in an answer as text that can neither mention nor link.

use bytes::Bytes;
use cdsw_gateway::model::ChatCommand;
use cdsw_gateway::providers::{self, Dialect};
use http::HeaderMap;
use serde_json::json;

/// Most words and values of a command together.
const MOST: usize = 64;
/// A space without a width, which keeps two letters apart.
const APART: char = '\u{200b}';

/// What is typed behind `/cdsw`.
pub fn run(data: &[u8]) {
    let typed = String::from_utf8_lossy(data);
    let slack = typed.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let discord = json!({
        "id": "1", "type": 2,
        "data": { "name": "cdsw", "options": [{ "name": "command", "type": 3, "value": typed }] },
    });
    let lines = [
        read("slack", form(&slack)).line,
        read("mattermost", form(&typed)).line,
        read("discord", discord.to_string()).line,
    ];
    assert!(lines.iter().all(|line| *line == lines[0]), "{lines:?}");
    // Teams hands on HTML, in which other text is meant.
    let html = json!({ "type": "message", "id": "1", "text": format!("<at>cdsw</at> {typed}") });
    let _ = read("ms-teams-outgoing", html.to_string());
    match &lines[0] {
        Ok(line) => {
            assert!(line.words.len() + line.args.len() <= MOST);
            assert!(line.name.is_some() || line.words.is_empty() && line.args.is_empty());
        }
        Err(fault) => assert!(!fault.is_empty() && fault.len() < 1000, "{fault}"),
    }
    for dialect in Dialect::ALL {
        tame(dialect, &dialect.escape(&typed));
        let _ = dialect.reply(&[typed.clone().into_owned(), "second".to_owned()]);
    }
}

fn read(provider: &str, body: String) -> ChatCommand {
    let provider = providers::find(provider).expect("a provider of the table");
    let body = Bytes::from(body);
    let command = || provider.decode(&HeaderMap::new(), &body).expect("a lawful body").command;
    let read = command().expect("a command");
    assert_eq!(Some(&read), command().as_ref());
    read
}

fn form(typed: &str) -> String {
    let escaped: String = typed.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("command=%2Fcdsw&channel_id=C1&user_id=U1&trigger_id=1&text={escaped}")
}

/// Nothing in it begins a mention or an address.
fn tame(dialect: Dialect, escaped: &str) {
    assert!(!escaped.contains("://") && !escaped.contains('\n'), "{dialect:?}: {escaped}");
    let mut letters = escaped.chars().peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied().unwrap_or(' ');
        let apart = next == APART || next.is_whitespace();
        assert!(letter != '@' || apart, "{dialect:?}: {escaped}");
        let raw = matches!(letter, '<' | '>') && (dialect == Dialect::Slack || before != '\\');
        assert!(!raw, "{dialect:?}: {escaped}");
        before = letter;
    }
}
