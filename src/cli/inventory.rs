//! `jobs list`, `routes list`, `sources list`, `keys list`, `workbenches list`: what the running gateway has, and the
//! state of each. Without names a table; with names each of them in full.

mod entry;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::client::{Api, Remote};
use super::failure::Failure;
use super::screen::{Screen, Tone};
use super::table::Cell;
use super::tones::time;
use crate::admin::views::{
    JobsView, KeysView, LatelyView, RoutesView, SourcesView, WorkbenchesView,
};
use entry::Entry;

/// List the sources of a running gateway.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway sources list\n  \
    cdsw-gateway sources list github           one of them in full")]
pub(super) struct Sources {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: OfSources,
}

#[derive(Subcommand, Debug)]
enum OfSources {
    /// List them, each with its last delivery, its last refusal and its secrets
    #[command(after_help = "Examples:\n  \
        cdsw-gateway sources list\n  \
        cdsw-gateway sources list github           one of them in full\n\n\
        Refusals and uses of secrets are counted by the process that is asked, since it started.")]
    List {
        /// Only these, in full
        names: Vec<String>,
    },
}

impl Sources {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let OfSources::List { names } = self.what;
        sources(&self.remote.api()?, screen, &names).await
    }
}

pub(super) async fn jobs(api: &Api, screen: Screen, names: &[String]) -> Result<(), Failure> {
    let mut view: JobsView = api.get(&["jobs"], &[]).await?;
    only("job", names, &mut view.jobs, |job| &job.name)?;
    let headings = ["JOB", "WORKBENCH", "RUNS", "LAST", "STATE"];
    let rows = view.jobs.iter().map(|job| Entry::of_job(screen, job)).collect();
    show(screen, &view, names, &headings, rows);
    reach(screen, view.lately, "runs");
    Ok(())
}

pub(super) async fn routes(api: &Api, screen: Screen, names: &[String]) -> Result<(), Failure> {
    let mut view: RoutesView = api.get(&["routes"], &[]).await?;
    only("route", names, &mut view.routes, |route| &route.name)?;
    let headings = ["ROUTE", "SOURCES", "JOB", "WRITTEN IN", "RUNS 24 H", "LAST", "STATE"];
    let rows = view.routes.iter().map(|route| Entry::of_route(screen, route)).collect();
    show(screen, &view, names, &headings, rows);
    reach(screen, view.lately, "runs");
    Ok(())
}

pub(super) async fn keys(api: &Api, screen: Screen, names: &[String]) -> Result<(), Failure> {
    let mut view: KeysView = api.get(&["keys"], &[]).await?;
    only("API key", names, &mut view.keys, |key| &key.name)?;
    let headings = ["KEY", "JOBS", "ACCEPTED", "REFUSED", "STATE"];
    let rows = view.keys.iter().map(|key| Entry::of_key(screen, key)).collect();
    show(screen, &view, names, &headings, rows);
    reach(screen, view.lately, "runs");
    Ok(())
}

pub(super) async fn workbenches(
    api: &Api,
    screen: Screen,
    names: &[String],
) -> Result<(), Failure> {
    let mut view: WorkbenchesView = api.get(&["workbenches"], &[]).await?;
    only("workbench", names, &mut view.workbenches, |workbench| &workbench.name)?;
    let headings = ["WORKBENCH", "ADDRESS", "JOBS", "LAST", "STATE"];
    let rows = view.workbenches.iter().map(|bench| Entry::of_workbench(screen, bench)).collect();
    show(screen, &view, names, &headings, rows);
    reach(screen, view.lately, "runs");
    Ok(())
}

async fn sources(api: &Api, screen: Screen, names: &[String]) -> Result<(), Failure> {
    let mut view: SourcesView = api.get(&["sources"], &[]).await?;
    only("source", names, &mut view.sources, |source| &source.name)?;
    let headings = ["SOURCE", "PROVIDER", "KEPT 24 H", "LAST", "REFUSED", "SECRETS"];
    let rows = view.sources.iter().map(|source| Entry::of_source(screen, source)).collect();
    show(screen, &view, names, &headings, rows);
    reach(screen, view.lately, "deliveries");
    if !screen.json() {
        let words =
            format!("refusals and secrets: this process, since {}", time(view.process_since));
        screen.line(screen.paint(Tone::Dim, words));
    }
    Ok(())
}

/// Keeps those that were named. An error where a name is of none.
fn only<T>(
    what: &str,
    names: &[String],
    all: &mut Vec<T>,
    name: impl Fn(&T) -> &String,
) -> Result<(), Failure> {
    if let Some(unknown) = names.iter().find(|wanted| !all.iter().any(|one| name(one) == *wanted)) {
        let known: Vec<&str> = all.iter().take(20).map(|one| name(one).as_str()).collect();
        let hint = match known.is_empty() {
            true => "there is none at all".to_owned(),
            false => format!("there is {}", known.join(", ")),
        };
        return Err(Failure::Missing(format!("there is no {what} {unknown}; {hint}")));
    }
    if !names.is_empty() {
        all.retain(|one| names.contains(name(one)));
    }
    Ok(())
}

fn show(
    screen: Screen,
    view: &impl Serialize,
    names: &[String],
    headings: &[&str],
    entries: Vec<Entry>,
) {
    if screen.json() {
        return screen.value(view);
    }
    if entries.is_empty() {
        return screen.line("the configuration in force has none");
    }
    if names.is_empty() {
        let rows: Vec<Vec<Cell>> = entries.into_iter().map(|entry| entry.row).collect();
        return screen.table(headings, &rows);
    }
    for entry in entries {
        screen.line(screen.paint(Tone::Strong, entry.title));
        for (what, words) in entry.full.iter().filter(|(_, words)| !words.is_empty()) {
            screen.line(format!("  {what:<12}{words}"));
        }
    }
}

/// Says where what happened lately is not known in full.
fn reach(screen: Screen, lately: LatelyView, what: &str) {
    if let (false, Some(back_to)) = (screen.json(), lately.reaches_back_to) {
        let words = format!("only {what} since {} were looked at", time(back_to));
        screen.line(screen.paint(Tone::Dim, words));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_nothing_is_missing_and_the_others_are_left_out() {
        let mut all = vec!["retrain".to_owned(), "report".to_owned()];
        let wrong = only("job", &["retrian".to_owned()], &mut all, |name| name);
        assert_eq!(wrong.expect_err("unknown").status(), 5);
        only("job", &["report".to_owned()], &mut all, |name| name).expect("known");
        assert_eq!(all, ["report"]);
    }
}
