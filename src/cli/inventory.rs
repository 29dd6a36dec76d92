//! `jobs list`, `routes list`, `sources list`, `keys list`, `workbenches list`: what the running gateway has, and the
//! state of each. Without names a table; with names each of them in full.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::client::{Api, Remote};
use super::failure::Failure;
use super::screen::{Screen, Tone};
use super::table::Cell;
use super::tones::{breaker, state_tone, time, when};
use crate::admin::views::{
    JobView, JobsView, KeyView, KeysView, LastRun, LatelyView, PauseView, RouteInForce, RoutesView,
    SecretView, SourceView, SourcesView, WorkbenchView, WorkbenchesView,
};
use crate::model::RunState;

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

/// One thing as it is shown: the cells of its row, and all that is said of it in full.
struct Entry {
    row: Vec<Cell>,
    title: String,
    full: Vec<(&'static str, String)>,
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

impl Entry {
    fn of_job(screen: Screen, job: &JobView) -> Self {
        let runs = [
            (job.waiting, RunState::Waiting),
            (job.queued, RunState::Queued),
            (job.sending, RunState::Sending),
            (job.held, RunState::Held),
        ];
        let runs = runs.into_iter().filter(|(count, _)| *count > 0);
        let mut runs: Vec<String> = runs.map(|(count, state)| format!("{count} {state}")).collect();
        if job.failed_lately > 0 {
            runs.push(format!("{} failed in 24 h", job.failed_lately));
        }
        let runs = or_none(runs.join(", "));
        let tone = match (job.failed_lately, job.held) {
            (1.., _) => Tone::Bad,
            (_, 1..) => Tone::Warn,
            _ => Tone::Dim,
        };
        let limit = |count: Option<u32>, unit| count.map(|count| format!(", {count} in {unit}"));
        Self {
            row: vec![
                job.name.clone().into(),
                job.workbench.clone().into(),
                Cell::from(runs.clone()).tone(tone),
                last(screen, job.last),
                state(job.waits_for.clone()),
            ],
            title: format!("job {}", job.name),
            full: vec![
                ("about", job.description.clone().unwrap_or_default()),
                ("workbench", job.workbench.clone()),
                ("project", job.target.clone()),
                ("API key", job.api_key.clone()),
                ("routes", or_none(job.routes.join(", "))),
                ("runs", runs),
                ("last start", moment(screen, job.last_start)),
                ("last run", last_words(screen, job.last)),
                (
                    "limits",
                    format!(
                        "{} at once{}{}",
                        job.starts_at_once,
                        limit(job.starts_per_minute, "a minute").unwrap_or_default(),
                        limit(job.starts_per_hour, "an hour (then held)").unwrap_or_default()
                    ),
                ),
                ("state", job.waits_for.clone().unwrap_or_else(|| "ready".to_owned())),
            ],
        }
    }

    fn of_route(screen: Screen, route: &RouteInForce) -> Self {
        let place = format!("{}:{}", route.file, route.line);
        // The end of a path tells files apart; a table would cut it off.
        let file = route.file.rsplit('/').next().unwrap_or(&route.file);
        Self {
            row: vec![
                route.name.clone().into(),
                route.sources.join(", ").into(),
                route.job.clone().into(),
                Cell::whole(format!("{file}:{}", route.line)),
                route.runs.to_string().into(),
                moment(screen, route.last_matched).into(),
                state(route.waits_for.clone()),
            ],
            title: format!("route {}", route.name),
            full: vec![
                ("about", route.description.clone().unwrap_or_default()),
                ("sources", route.sources.join(", ")),
                ("job", route.job.clone()),
                ("written in", place),
                ("runs", format!("{} in 24 h", route.runs)),
                ("matched", moment(screen, route.last_matched)),
                ("state", route.waits_for.clone().unwrap_or_else(|| "ready".to_owned())),
            ],
        }
    }

    fn of_source(screen: Screen, source: &SourceView) -> Self {
        let refused = source.last_refusal.as_ref().map(|refusal| {
            format!("{}: {} ({})", when(screen, refusal.at), refusal.reason, refusal.status)
        });
        let tone = if refused.is_some() { Tone::Warn } else { Tone::Dim };
        let refused = refused.unwrap_or_else(|| "none".to_owned());
        let secrets = in_use(&source.secrets);
        let tone_of_secrets = if secrets.contains("not used") { Tone::Warn } else { Tone::Dim };
        let each = source.secrets.iter().map(|secret| {
            let used = match secret.last {
                Some(last) => {
                    format!("{} deliveries, last {}", secret.deliveries, when(screen, last))
                }
                None => "not used".to_owned(),
            };
            format!("{} {} in {}: {used}", secret.key, secret.place, secret.reference)
        });
        Self {
            row: vec![
                source.name.clone().into(),
                source.provider.clone().into(),
                source.deliveries.to_string().into(),
                moment(screen, source.last_delivery).into(),
                Cell::from(refused.clone()).tone(tone),
                Cell::from(secrets).tone(tone_of_secrets),
            ],
            title: format!("source {}", source.name),
            full: [
                ("provider", source.provider.clone()),
                ("path", source.path.clone()),
                ("routes", or_none(source.routes.join(", "))),
                ("kept", format!("{} in 24 h", source.deliveries)),
                ("last kept", moment(screen, source.last_delivery)),
                ("refused", refused),
            ]
            .into_iter()
            .chain(each.map(|words| ("secret", words)))
            .collect(),
        }
    }

    fn of_key(screen: Screen, key: &KeyView) -> Self {
        let paused = key.paused.as_ref().map(|pause| paused(screen, pause));
        Self {
            row: vec![
                key.name.clone().into(),
                or_none(key.jobs.join(", ")).into(),
                moment(screen, key.last_accepted).into(),
                moment(screen, key.last_refused).into(),
                state(paused.clone()),
            ],
            title: format!("API key {}", key.name),
            full: vec![
                ("workbench", key.workbench.clone()),
                ("jobs", or_none(key.jobs.join(", "))),
                ("accepted", moment(screen, key.last_accepted)),
                ("refused", moment(screen, key.last_refused)),
                ("state", paused.unwrap_or_else(|| "ready".to_owned())),
            ],
        }
    }

    fn of_workbench(screen: Screen, workbench: &WorkbenchView) -> Self {
        let keys = workbench.paused_keys.iter();
        let keys = keys.map(|pause| format!("{} is {}", pause.what, paused(screen, pause)));
        let against: Vec<String> =
            workbench.circuit_breaker.iter().map(breaker).chain(keys).collect();
        let against = (!against.is_empty()).then(|| against.join("; "));
        Self {
            row: vec![
                workbench.name.clone().into(),
                workbench.url.clone().into(),
                or_none(workbench.jobs.join(", ")).into(),
                last(screen, workbench.last),
                state(against.clone()),
            ],
            title: format!("workbench {}", workbench.name),
            full: vec![
                ("address", workbench.url.clone()),
                ("jobs", or_none(workbench.jobs.join(", "))),
                ("last start", moment(screen, workbench.last_start)),
                ("last run", last_words(screen, workbench.last)),
                ("state", against.unwrap_or_else(|| "ready".to_owned())),
            ],
        }
    }
}

/// What is in the way, or that nothing is.
fn state(against: Option<String>) -> Cell {
    match against {
        Some(words) => Cell::from(words).tone(Tone::Warn),
        None => Cell::from("ready").tone(Tone::Good),
    }
}

fn paused(screen: Screen, pause: &PauseView) -> String {
    let note = pause.note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
    format!("paused by {}, {}{note}", pause.who, when(screen, pause.since))
}

/// Which secrets verified deliveries, by their places in the list.
fn in_use(secrets: &[SecretView]) -> String {
    let places = |used: bool| {
        let of = secrets.iter().filter(move |secret| secret.last.is_some() == used);
        of.map(|secret| secret.place.to_string()).collect::<Vec<_>>().join(", ")
    };
    let (used, unused) = (places(true), places(false));
    match (secrets.len(), used.is_empty(), unused.is_empty()) {
        (0, ..) => "none".to_owned(),
        (_, true, _) => "none used yet".to_owned(),
        (1, ..) => "in use".to_owned(),
        (.., true) => "all in use".to_owned(),
        _ => format!("{used} in use, {unused} not used"),
    }
}

fn last(screen: Screen, last: Option<LastRun>) -> Cell {
    let words = Cell::from(last_words(screen, last));
    words.tone(last.map_or(Tone::Dim, |last| state_tone(last.state)))
}

fn last_words(screen: Screen, last: Option<LastRun>) -> String {
    last.map_or_else(
        || "none".to_owned(),
        |last| format!("{} {}", last.state, when(screen, last.at)),
    )
}

fn moment(screen: Screen, at: Option<jiff::Timestamp>) -> String {
    at.map_or_else(|| "none".to_owned(), |at| when(screen, at))
}

fn or_none(words: String) -> String {
    if words.is_empty() { "none".to_owned() } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(place: usize, last: Option<i64>) -> SecretView {
        SecretView {
            source: "github".to_owned(),
            key: "secrets".to_owned(),
            place,
            reference: "env GITHUB".to_owned(),
            deliveries: u64::from(last.is_some()),
            last: last.map(|second| jiff::Timestamp::from_second(second).expect("in range")),
            leaks: 0,
        }
    }

    #[test]
    fn a_secret_that_is_not_used_is_named_beside_one_that_is() {
        assert_eq!(in_use(&[]), "none");
        assert_eq!(in_use(&[secret(0, None)]), "none used yet");
        assert_eq!(in_use(&[secret(0, Some(1))]), "in use");
        assert_eq!(in_use(&[secret(0, Some(1)), secret(1, Some(2))]), "all in use");
        assert_eq!(in_use(&[secret(0, Some(1)), secret(1, None)]), "0 in use, 1 not used");
    }

    #[test]
    fn a_name_of_nothing_is_missing_and_the_others_are_left_out() {
        let mut all = vec!["retrain".to_owned(), "report".to_owned()];
        let wrong = only("job", &["retrian".to_owned()], &mut all, |name| name);
        assert_eq!(wrong.expect_err("unknown").status(), 5);
        only("job", &["report".to_owned()], &mut all, |name| name).expect("known");
        assert_eq!(all, ["report"]);
    }
}
