//! Tests of commands that people give: in chat, and in comments on requests.

use std::sync::Arc;

use super::test::{ARGS_TEST, Miss, absent, kind, said, text, unwanted, without_git};
use super::words::Shown;
use super::{On, Takes};
use crate::event::Event;
use crate::model::ChatCommand;

/// Why an event that holds no command is not wanted.
const NO_COMMAND: &str = "this event is no command";

pub(super) fn command(on: &On, event: &Event) -> Result<(), Miss> {
    let Some(command) = &event.command else { return without_command(on) };
    if let Some(comment) = &command.comment {
        return commented(on, command, comment.association.as_ref());
    }
    if on.association.is_some() {
        return Err(absent("association", "this command was not given in a comment"));
    }
    if command.is_act && on.command.is_some() {
        return Err(absent("command", NO_COMMAND));
    }
    who_and_where(on, command)?;
    text("command", on.command.as_ref(), command.name())
}

/// Whoever may read a repository can comment in it. So a route that takes commands from comments has to say whose.
fn commented(on: &On, command: &ChatCommand, association: Option<&Arc<str>>) -> Result<(), Miss> {
    let says_who = on.association.is_some() || on.user.is_some() || on.author.is_some();
    if on.command.is_some() && !says_who {
        let words = "anybody may comment; a route that takes commands from comments says whose, by \
                     `association:`, `user:` or `author:`";
        return Err(absent("command", words));
    }
    if on.channel.is_some() {
        return Err(absent("channel", "a comment is in no channel"));
    }
    text("user", on.user.as_ref(), command.user.as_ref())?;
    if let (Some(_), None) = (&on.association, association) {
        let words = "the sender does not say what the person is to the repository";
        return Err(absent("association", words));
    }
    text("association", on.association.as_ref(), association)?;
    match (&on.command, &command.line) {
        (Some(_), Err(fault)) => {
            Err(said("command", format!("the command cannot be read: {fault}")))
        }
        _ => text("command", on.command.as_ref(), command.name()),
    }
}

fn who_and_where(on: &On, command: &ChatCommand) -> Result<(), Miss> {
    let (id, name) = (command.channel.as_deref(), command.channel_name.as_deref());
    if let Some(wanted) = &on.channel
        && !wanted.pass_any([id, name].into_iter().flatten())
    {
        let found: Vec<&str> = [id, name].into_iter().flatten().collect();
        let found = (!found.is_empty()).then(|| found.join(", named "));
        return Err(unwanted("channel", wanted, found.map(Into::into)));
    }
    text("user", on.user.as_ref(), command.user.as_ref()).map_err(|miss| match &command.user_name {
        Some(name) => {
            let words = format!("{} ({}); users are asked for by id", miss.words, Shown(name));
            Miss { words: words.into(), ..miss }
        }
        None => miss,
    })
}

fn without_command(on: &On) -> Result<(), Miss> {
    let asked = [
        ("command", on.command.is_some()),
        ("user", on.user.is_some()),
        ("channel", on.channel.is_some()),
        ("association", on.association.is_some()),
    ];
    match asked.into_iter().find(|(_, set)| *set) {
        Some((test, _)) => Err(absent(test, NO_COMMAND)),
        None => Ok(()),
    }
}

/// Whether some command of this user in this channel could start the route by this block.
pub fn may_command(on: &On, event: &Event) -> bool {
    let Some(command) = &event.command else { return false };
    if command.comment.is_some() || command.is_act {
        return false;
    }
    let is_wanted = kind(on, event).is_ok() && who_and_where(on, command).is_ok();
    is_wanted
        && on.sources.contains(&event.source)
        && (event.git.is_some() || without_git(on).is_ok())
}

/// Refuses an argument that the route does not read, since it would be lost silently.
/// A comment gives arguments only to routes that ask for its command.
pub(super) fn args(on: &On, takes: &Takes, event: &Event) -> Result<(), Miss> {
    let asked = |command: &&Arc<ChatCommand>| command.comment.is_none() || on.command.is_some();
    let command = event.command.as_ref().filter(asked);
    let line = command.and_then(|command| command.line.as_ref().ok());
    let mut given = line.into_iter().flat_map(|line| line.args.keys());
    match given.find(|name| !takes.takes(name)) {
        Some(name) => {
            let words = format!("the route takes {takes}, and not {}", Shown(name));
            Err(said(ARGS_TEST, words))
        }
        None => Ok(()),
    }
}
