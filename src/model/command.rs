//! A command that a person gave in chat, or in a comment on a pull request; and what else a person did in chat.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A command in chat or in a comment, in one form for every chat program and forge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatCommand {
    /// How the gateway was addressed: `/cdsw`, or the name of a bot.
    pub slash: Option<Arc<str>>,
    /// The text after that, as typed.
    pub text: Arc<str>,
    /// The parsed text, or why it cannot be parsed, as a sentence for the person who typed it.
    pub line: Result<CommandLine, String>,
    /// The chat program's id of the person who gave it.
    pub user: Option<Arc<str>>,
    /// The person's name. They may be able to change it, so do not rely on it for access.
    pub user_name: Option<Arc<str>>,
    /// The chat program's id of the channel.
    pub channel: Option<Arc<str>>,
    /// The channel's name. Another channel may be able to take it, so do not rely on it for access.
    pub channel_name: Option<Arc<str>>,
    /// The chat program's id of the team, workspace or server.
    pub team: Option<Arc<str>>,
    /// Set where it was given in a comment on a pull request.
    pub comment: Option<InComment>,
    /// Whether the person gave no command, but did something else in the chat program: pressed a button, sent a form,
    /// mentioned the app. Then only the person and the place are known. Nothing is typed, and nothing is answered.
    pub is_act: bool,
}

/// What is known of the person who commented on a pull request. The person's `user` is the account's name, which
/// is all that forges let people write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InComment {
    /// What the person is to the repository, in the forge's own word (GitHub: `OWNER`, `MEMBER`,
    /// `COLLABORATOR`, `CONTRIBUTOR`, `NONE`, …). `None` where the forge does not say so.
    pub association: Option<Arc<str>>,
}

/// The parsed text of a command.
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
    /// What a person did in a chat program that is no command, by who did it and where: the ids of the person, the
    /// channel and the team. `None` where neither the person nor the channel is known.
    pub fn act(
        user: Option<Arc<str>>,
        channel: Option<Arc<str>>,
        team: Option<Arc<str>>,
    ) -> Option<Self> {
        (user.is_some() || channel.is_some()).then(|| Self {
            slash: None,
            text: "".into(),
            line: Ok(CommandLine::default()),
            user,
            user_name: None,
            channel,
            channel_name: None,
            team,
            comment: None,
            is_act: true,
        })
    }

    /// The command's name; none where the text cannot be parsed or is empty.
    pub fn name(&self) -> Option<&Arc<str>> {
        self.line.as_ref().ok()?.name.as_ref()
    }
}
