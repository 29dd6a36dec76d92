//! The loop guard: events that start nothing whatever the routes say, so that a job that pushes
//! does not start itself for ever, and commands that cannot be read.

use super::Patterns;
use super::words::Shown;
use crate::event::Event;

/// Words in a head commit's message that keep a push from starting anything.
pub const SKIP_MARK: &str = "[skip cdsw]";

/// Why a source lets no event of this kind start anything, if so. An exclusion holds for the
/// gateway's word and for the sender's alike.
pub fn unlisted(events: Option<&Patterns>, kind: &str, name: Option<&str>) -> Option<String> {
    let events = events?;
    let verdicts = [events.verdict(kind), name.and_then(|name| events.verdict(name))];
    if verdicts.contains(&Some(true)) && !verdicts.contains(&Some(false)) {
        return None;
    }
    Some(format!("the source takes only {events} (events); this is {}", Shown(kind)))
}

/// Why the event starts nothing, if so.
pub fn guard(event: &Event, ignore_actors: Option<&Patterns>) -> Option<String> {
    if let Some(Err(fault)) = event.command.as_ref().map(|command| &command.line) {
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
