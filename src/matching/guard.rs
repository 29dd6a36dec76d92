//! The loop guard: events that start nothing, whatever the routes say. It keeps a job that pushes
//! from starting itself again and again. It also stops commands that cannot be read.

use super::Patterns;
use super::words::Shown;
use crate::event::Event;

/// With this text in its head commit's message, a push starts nothing.
pub const SKIP_MARK: &str = "[skip cdsw]";

/// Why the source's `events` lets this event start nothing. `None` if the event is listed. An
/// exclusion applies to the gateway's name of the kind and to the sender's own name.
pub fn unlisted(events: Option<&Patterns>, kind: &str, name: Option<&str>) -> Option<String> {
    let events = events?;
    let verdicts = [events.verdict(kind), name.and_then(|name| events.verdict(name))];
    if verdicts.contains(&Some(true)) && !verdicts.contains(&Some(false)) {
        return None;
    }
    Some(format!("the source takes only {events} (events); this is {}", Shown(kind)))
}

/// Why the event starts nothing. `None` if the routes decide.
pub fn guard(event: &Event, ignore_actors: Option<&Patterns>) -> Option<String> {
    // In chat every message is for the gateway. A comment is for people first, and concerns other routes too.
    let in_chat = event.command.as_ref().filter(|command| command.comment.is_none());
    if let Some(Err(fault)) = in_chat.map(|command| &command.line) {
        return Some(format!("the command cannot be read: {fault}"));
    }
    let git = event.git.as_ref()?;
    if let (Some(ignored), Some(author)) = (ignore_actors, &git.author)
        && ignored.pass(author)
    {
        return Some(format!("the source ignores what {author} does (ignore_actors)"));
    }
    let marked = git.message.as_ref().is_some_and(|message| message.contains(SKIP_MARK));
    (marked && &*event.kind == "push").then(|| format!("the head commit says {SKIP_MARK}"))
}
