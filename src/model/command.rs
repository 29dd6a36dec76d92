//! What someone told the gateway to do in chat.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A command, whichever chat program it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatCommand {
    /// How the gateway was addressed: `/cdsw`, or the name of a bot.
    pub slash: Option<Arc<str>>,
    /// Everything behind that, as typed.
    pub text: Arc<str>,
    /// What it says; or, in words for who typed it, why it cannot be read.
    pub line: Result<CommandLine, String>,
    /// Who gave it: the chat program's id.
    pub user: Option<Arc<str>>,
    /// Their name, which they may be able to change.
    pub user_name: Option<Arc<str>>,
    /// Where it was given: the chat program's id.
    pub channel: Option<Arc<str>>,
    /// The channel's name, which others may be able to give another channel.
    pub channel_name: Option<Arc<str>>,
    /// The team, workspace or server: the chat program's id.
    pub team: Option<Arc<str>>,
}

/// A command's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The first word; none where nothing was typed.
    pub name: Option<Arc<str>>,
    /// The other plain words.
    pub words: Vec<Arc<str>>,
    /// The `NAME=value` pairs.
    pub args: BTreeMap<Arc<str>, Arc<str>>,
}

impl ChatCommand {
    /// The command's name, where it can be read and has one.
    pub fn name(&self) -> Option<&Arc<str>> {
        self.line.as_ref().ok()?.name.as_ref()
    }
}
