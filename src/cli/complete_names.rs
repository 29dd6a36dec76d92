//! `complete-names`: the names that may stand where somebody presses Tab. The scripts of `completions` call it.
//!
//! It reads the configuration and no secret, connects to nothing, and never fails: where it knows nothing, it says
//! nothing.

use std::path::PathBuf;

use clap::{Command, CommandFactory as _};

use super::screen::{Looks, Screen};
use super::{Arguments, ConfigFile};
use crate::config::{Plan, names_in};
use crate::model::RunState;
use crate::providers;

/// The word in front of the question. It is no command: nobody types it, so no help and no completion names it.
const QUESTION: &str = "complete-names";

/// Answers `cdsw-gateway complete-names PLACE -- WORD…`, where the process was started with it: prints the names that
/// may stand in this place of these words, counted from 0, one a line.
pub(super) fn answered() -> bool {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let [question, place, dashes, words @ ..] = &arguments[..] else { return false };
    if (&**question, &**dashes) != (QUESTION, "--") {
        return false;
    }
    let screen = Screen::new(false, Looks::default());
    for name in offered(place.parse().unwrap_or(words.len()), words) {
        screen.line(name);
    }
    true
}

/// What a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Route,
    Job,
    Source,
    Key,
    Workbench,
    State,
    Provider,
    /// An event of which there is a sample, of the provider that was named.
    Sample,
}

fn offered(at: usize, words: &[String]) -> Vec<String> {
    let begun = words.get(at).map(String::as_str).unwrap_or_default();
    // To bash, `=` is a word of its own.
    let begun = begun.strip_prefix('=').unwrap_or(begun);
    let before = words.get(..at).unwrap_or(words);
    let place = Place::of(&Arguments::command(), before);
    let names = place.kind().map(|kind| names(kind, &place)).unwrap_or_default();
    names.into_iter().filter(|name| name.starts_with(begun)).collect()
}

/// Where on the command line somebody is.
#[derive(Debug, Default)]
struct Place {
    /// The commands, such as `jobs` and `pause`.
    commands: Vec<String>,
    /// The words behind them that are no options.
    plain: Vec<String>,
    /// The option whose value is to be written.
    option: Option<String>,
    /// The configuration that was named.
    config: Option<PathBuf>,
}

impl Place {
    /// The place behind these words, of which the first is the program.
    fn of(program: &Command, before: &[String]) -> Self {
        let mut place = Self::default();
        let mut command = program;
        for word in before.iter().skip(1).filter(|word| *word != "=") {
            if let Some(option) = place.option.take() {
                if matches!(&*option, "config" | "c") {
                    place.config = Some(word.into());
                }
            } else if let Some(option) = word.strip_prefix('-') {
                let name = option.trim_start_matches('-');
                if let Some(file) = name.strip_prefix("config=") {
                    place.config = Some(file.into());
                }
                let takes = takes_value(command, name) || takes_value(program, name);
                place.option = takes.then(|| name.to_owned());
            } else if let Some(below) = command.find_subcommand(word)
                && place.plain.is_empty()
            {
                command = below;
                place.commands.push(below.get_name().to_owned());
            } else {
                place.plain.push(word.clone());
            }
        }
        place
    }

    /// What is to be written here.
    fn kind(&self) -> Option<Kind> {
        if let Some(option) = &self.option {
            return match &**option {
                "source" => Some(Kind::Source),
                "job" => Some(Kind::Job),
                "route" => Some(Kind::Route),
                "state" => Some(Kind::State),
                "provider" => Some(Kind::Provider),
                _ => None,
            };
        }
        let commands: Vec<&str> = self.commands.iter().map(String::as_str).collect();
        let acts = ["pause", "resume"];
        match (&commands[..], self.plain.len()) {
            (["jobs", "list"], _) => Some(Kind::Job),
            (["routes", "list"], _) => Some(Kind::Route),
            (["keys", "list"], _) => Some(Kind::Key),
            (["workbenches", "list"], _) => Some(Kind::Workbench),
            (["sources", "list"], _) => Some(Kind::Source),
            (["jobs", act], 0) if acts.contains(act) => Some(Kind::Job),
            (["routes", act], 0) if acts.contains(act) => Some(Kind::Route),
            (["keys", act], 0) if acts.contains(act) => Some(Kind::Key),
            (["workbenches", "resume"], 0) => Some(Kind::Workbench),
            (["explain" | "send"] | ["deliveries", "refused"], 0) => Some(Kind::Source),
            (["providers" | "sample"], 0) => Some(Kind::Provider),
            (["sample"], 1) => Some(Kind::Sample),
            _ => None,
        }
    }
}

fn takes_value(command: &Command, name: &str) -> bool {
    let is_it = |argument: &&clap::Arg| {
        argument.get_long() == Some(name)
            || argument.get_short().is_some_and(|short| name == short.to_string())
    };
    command.get_arguments().find(is_it).is_some_and(|found| found.get_action().takes_values())
}

fn names(kind: Kind, place: &Place) -> Vec<String> {
    match kind {
        Kind::State => RunState::ALL.iter().map(ToString::to_string).collect(),
        Kind::Provider => providers::names().map(ToString::to_string).collect(),
        Kind::Sample => {
            let provider = place.plain.first().and_then(|name| providers::find(name));
            let kinds = provider.map(|provider| provider.sample_kinds()).unwrap_or_default();
            kinds.iter().map(ToString::to_string).collect()
        }
        configured => {
            let file = place.config.clone().unwrap_or_else(ConfigFile::usual);
            names_in(&file).map(|plan| of_plan(configured, &plan)).unwrap_or_default()
        }
    }
}

fn of_plan(kind: Kind, plan: &Plan) -> Vec<String> {
    match kind {
        Kind::Route => plan.routes.iter().map(|route| route.name.to_string()).collect(),
        Kind::Job => plan.jobs.keys().map(ToString::to_string).collect(),
        Kind::Source => plan.sources.keys().map(ToString::to_string).collect(),
        Kind::Workbench => plan.workbenches.keys().map(ToString::to_string).collect(),
        Kind::Key => {
            let benches = plan.workbenches.values();
            let keys = benches.flat_map(|bench| {
                bench.api_keys.keys().map(move |key| format!("{}/{key}", bench.name))
            });
            keys.collect()
        }
        Kind::State | Kind::Provider | Kind::Sample => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(line: &str) -> Option<Kind> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Place::of(&Arguments::command(), &words).kind()
    }

    #[test]
    fn each_place_of_a_name_is_known_behind_options_and_their_values() {
        for (line, wanted) in [
            ("cdsw-gateway jobs pause", Some(Kind::Job)),
            ("cdsw-gateway jobs --url http://127.0.0.1:1 pause --note resume", Some(Kind::Job)),
            ("cdsw-gateway --token-file jobs routes resume", Some(Kind::Route)),
            ("cdsw-gateway jobs pause retrain", None),
            ("cdsw-gateway jobs list retrain", Some(Kind::Job)),
            ("cdsw-gateway keys pause", Some(Kind::Key)),
            ("cdsw-gateway workbenches resume", Some(Kind::Workbench)),
            ("cdsw-gateway runs list --state", Some(Kind::State)),
            ("cdsw-gateway runs list --job", Some(Kind::Job)),
            ("cdsw-gateway runs list --state =", Some(Kind::State)),
            ("cdsw-gateway runs list --limit", None),
            ("cdsw-gateway deliveries list --source", Some(Kind::Source)),
            ("cdsw-gateway deliveries refused --unknown", Some(Kind::Source)),
            ("cdsw-gateway explain --json", Some(Kind::Source)),
            ("cdsw-gateway sample", Some(Kind::Provider)),
            ("cdsw-gateway sample github", Some(Kind::Sample)),
            ("cdsw-gateway send --provider", Some(Kind::Provider)),
            ("cdsw-gateway replay 0193a6f2 --route", Some(Kind::Route)),
            ("cdsw-gateway", None),
            ("", None),
        ] {
            assert_eq!(kind(line), wanted, "{line}");
        }
    }
}
