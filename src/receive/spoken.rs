//! The answer to a command in chat: which runs it started, or which commands the user can give.
//!
//! It is made after the store has committed. It names no route that this user could not start in this
//! channel, and quotes no condition of a route.

use super::answer::{Answer, Brief};
use crate::config::{Plan, RoutePlan};
use crate::event::Event;
use crate::matching::{ARGS_TEST, CONDITION_TEST, Explanation, On, RouteExplanation, may_command};
use crate::model::{ChatCommand, RunState};

/// The command's prefix where the chat program does not name one.
const SLASH: &str = "/cdsw";

/// The lines of the answer; none where the event is no command, or was not stored.
pub(super) fn lines(
    plan: &Plan,
    event: &Event,
    explanation: &Explanation,
    kept: &Answer,
) -> Option<Vec<String>> {
    let command = event.command.as_deref().filter(|command| !command.is_act)?;
    let told = Told { plan, event, command, explanation };
    match kept {
        Answer::Kept { runs, .. } if runs.is_empty() => Some(told.nothing()),
        Answer::Kept { runs, .. } => Some(told.runs(runs)),
        Answer::Repeat { runs, .. } if runs.is_empty() => {
            Some([vec!["this command was given before".to_owned()], told.nothing()].concat())
        }
        Answer::Repeat { runs, .. } => {
            let first = "this command was given before; it stands so:".to_owned();
            Some(std::iter::once(first).chain(runs.iter().map(|run| told.stands(run))).collect())
        }
        _ => None,
    }
}

struct Told<'a> {
    plan: &'a Plan,
    event: &'a Event,
    command: &'a ChatCommand,
    explanation: &'a Explanation,
}

impl Told<'_> {
    /// The runs of a new delivery. A run that failed since its variables could not be made is followed by
    /// the command's usage.
    fn runs(&self, runs: &[Brief]) -> Vec<String> {
        let mut lines = Vec::new();
        for run in runs {
            match run.state {
                RunState::Queued => {
                    let Brief { route, job, id, .. } = run;
                    lines.push(format!("{route} starts job {job}, run {id}"));
                }
                _ => lines.push(self.stands(run)),
            }
            if run.state == RunState::Failed
                && let Some(route) = self.plan.route(&run.route)
            {
                let blocks = route.on.iter().filter(|on| may_command(on, self.event));
                let usages = blocks.flat_map(|on| self.usage(route, on));
                lines.extend(usages.map(|usage| format!("usage: {usage}")));
            }
        }
        lines
    }

    /// A run's state. Where it failed because the command lacks values, it says what to type.
    fn stands(&self, run: &Brief) -> String {
        let missing = self.missing(run);
        if missing.is_empty() {
            return stands(run);
        }
        let are = if missing.len() == 1 { "is" } else { "are" };
        let typed: Vec<String> = missing.iter().map(|name| format!("{name}=…")).collect();
        let (missing, typed) = (missing.join(", "), typed.join(" "));
        format!("{}: nothing is started, since {missing} {are} missing: type {typed}", run.route)
    }

    /// The names of values that a failed run's route needs and the command does not give.
    fn missing(&self, run: &Brief) -> Vec<&str> {
        let (Some(route), Ok(line)) = (self.plan.route(&run.route), &self.command.line) else {
            return Vec::new();
        };
        let needed = route.takes.needed.iter().map(|name| &**name);
        let is_missing = |name: &&str| !line.args.contains_key(*name);
        needed.filter(|_| run.state == RunState::Failed).filter(is_missing).collect()
    }

    /// Why nothing was started, and which commands the user can give here.
    fn nothing(&self) -> Vec<String> {
        let mut lines: Vec<String> = match &self.command.line {
            Err(fault) => vec![fault.clone()],
            Ok(line) => {
                let near: Vec<_> = self.explanation.routes.iter().filter_map(near).collect();
                match &line.name {
                    Some(name) if near.is_empty() => {
                        vec![format!("there is no command {name} here")]
                    }
                    _ => near,
                }
            }
        };
        let routes = self.plan.index.of_source(&self.event.source).iter();
        let routes = routes.map(|position| &*self.plan.routes[*position]);
        let mut usages: Vec<String> = routes
            .flat_map(|route| route.on.iter().map(move |on| (route, on)))
            .filter(|(_, on)| may_command(on, self.event))
            .flat_map(|(route, on)| self.usage(route, on))
            .collect();
        usages.sort();
        usages.dedup();
        if usages.is_empty() {
            lines.push("there are no commands that you can give here".to_owned());
        } else {
            lines.push("commands that you can give here:".to_owned());
            lines.extend(usages);
        }
        lines
    }

    /// How to start a route: one line for each command name that it has.
    fn usage(&self, route: &RoutePlan, on: &On) -> impl Iterator<Item = String> {
        let slash = self.command.slash.as_deref().unwrap_or(SLASH);
        let names = match &on.command {
            None => vec!["…".to_owned()],
            Some(patterns) => match patterns.literals() {
                Some(names) => names.into_iter().map(str::to_owned).collect(),
                None => vec![patterns.to_string()],
            },
        };
        let takes = &route.takes;
        let mut values: String = takes.needed.iter().map(|name| format!(" {name}=…")).collect();
        values.extend(takes.optional.iter().map(|name| format!(" [{name}=…]")));
        if takes.any {
            values.push_str(" [NAME=…]");
        }
        // A slash command that is the route's own name is not written twice.
        let line = move |name: String| match slash.strip_prefix('/') == Some(&name) {
            true => format!("{slash}{values}"),
            false => format!("{slash} {name}{values}"),
        };
        names.into_iter().map(line).collect::<Vec<_>>().into_iter()
    }
}

/// Why a route that the command was meant for did not start. These two tests come after those for user
/// and channel, so the answer tells only people who may start the route.
fn near(said: &RouteExplanation) -> Option<String> {
    let RouteExplanation { route, test, words, .. } = said;
    match test.as_deref()? {
        ARGS_TEST => Some(format!("{route}: {}", words.as_ref()?)),
        CONDITION_TEST => Some(format!("{route}: its condition does not hold for this command")),
        _ => None,
    }
}

fn stands(run: &Brief) -> String {
    let Brief { route, job, id, state, reason } = run;
    let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{route}: run {id} of job {job} is {state}{why}")
}
