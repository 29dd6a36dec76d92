//! What `explain` found, for a person to read.

use jiff::Timestamp;

use super::kind::KindFrom;
use crate::admin::views::GitView;
use crate::cli::deliveries::show_explanation;
use crate::cli::runs::show_environment;
use crate::cli::screen::{Screen, Tone};
use crate::config::SourcePlan;
use crate::event::Understood;
use crate::judge::{Judged, Mapped};
use crate::model::{ChatCommand, Environment, GitFacts};

/// The variables of a run, and why it would be held or fail.
pub(super) fn parts(mapped: &Mapped) -> (Option<&Environment>, Option<&str>) {
    match mapped {
        Mapped::Ready(environment) => (Some(environment), None),
        Mapped::Held(environment, reason) => (Some(environment), Some(reason)),
        Mapped::Failed(reason) => (None, Some(reason)),
    }
}

/// What is known of the request beside its content.
pub(super) struct Shown<'a> {
    pub(super) verified: bool,
    pub(super) kind_from: KindFrom,
    /// Where the claims come from, where that is to be said.
    pub(super) claims: Option<&'a str>,
    pub(super) now: Timestamp,
}

/// Everything, from the source to the runs.
pub(super) fn show(
    screen: Screen,
    source: &SourcePlan,
    understood: &Understood,
    judged: &Judged,
    shown: &Shown<'_>,
) {
    let Shown { verified, kind_from, claims, now } = *shown;
    let authentic = if verified {
        screen.paint(Tone::Good, "authentic")
    } else {
        screen.paint(Tone::Dim, "signature not checked (--verify checks it)")
    };
    screen.line(format!("source    {} ({}), {authentic}", source.name, source.provider.title()));
    let name = understood
        .name
        .as_deref()
        .filter(|name| *name != &*understood.kind)
        .map(|name| format!(" ({name})"))
        .unwrap_or_default();
    let action = understood.action.as_deref().map(|action| format!(", {action}"));
    screen.line(format!("event     {}{name}{}", understood.kind, action.unwrap_or_default()));
    if let Some(words) = kind_from.words() {
        screen.words(10, screen.paint(Tone::Warn, format!("          {words}")));
    }
    if let Some(words) = claims {
        screen.words(10, screen.paint(Tone::Warn, format!("claims    {words}")));
    }
    screen.words(10, format!("repeats   {}", source.repeats_in_words(&understood.identity, now)));
    if understood.events.len() > 1 {
        let more = understood.events.len() - 1;
        screen.words(
            10,
            format!("          and {more} more; behind a route stands which one it looks at"),
        );
    }
    for event in &understood.events {
        if let Some(git) = &event.git {
            show_git(screen, git);
        }
        if let Some(command) = &event.command {
            show_command(screen, command);
        }
    }
    show_explanation(screen, &(&judged.explanation).into());
    for draft in &judged.runs {
        let title = format!("would start {} by route {}", draft.route.job.name, draft.route.name);
        screen.line(screen.paint(Tone::Strong, title));
        let (environment, reason) = parts(&draft.mapped);
        if let Some(environment) = environment {
            show_environment(screen, environment);
        }
        if let Some(reason) = reason {
            screen.words(12, screen.paint(Tone::Warn, format!("  but       {reason}")));
        }
    }
    if judged.runs.is_empty() {
        screen.line(screen.paint(Tone::Warn, "would start nothing"));
    }
}

fn show_git(screen: Screen, git: &GitFacts) {
    let said = GitView::from(git).to_string();
    let whole = if git.paths.complete { "" } else { " (not known to be all)" };
    let files = match git.paths.files.len() {
        1 => "1 changed file".to_owned(),
        count => format!("{count} changed files"),
    };
    let between = if said.is_empty() { "" } else { ", " };
    screen.words(10, format!("git       {said}{between}{files}{whole}"));
}

fn show_command(screen: Screen, command: &ChatCommand) {
    let facts = [("user", &command.user), ("channel", &command.channel), ("team", &command.team)];
    let (title, mut said) = match command.is_act {
        true => ("person   ", Vec::new()),
        false => ("command  ", vec![command.text.to_string()]),
    };
    said.extend(
        facts.into_iter().filter_map(|(name, fact)| Some(format!("{name} {}", fact.as_ref()?))),
    );
    screen.words(10, format!("{title} {}", said.join(", ")));
}
