//! One job, route, source, key or workbench as it is shown: a row of a table, or all that is said of it.

use crate::admin::views::{
    JobView, KeyView, LastRun, PauseView, RouteInForce, SecretView, SourceView, WorkbenchView,
};
use crate::cli::screen::{Screen, Tone};
use crate::cli::table::Cell;
use crate::cli::tones::{breaker, state_tone, when};
use crate::model::RunState;

/// One thing as it is shown: the cells of its row, and all that is said of it in full.
pub(super) struct Entry {
    pub(super) row: Vec<Cell>,
    pub(super) title: String,
    pub(super) full: Vec<(&'static str, String)>,
}

impl Entry {
    pub(super) fn of_job(screen: Screen, job: &JobView) -> Self {
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

    pub(super) fn of_route(screen: Screen, route: &RouteInForce) -> Self {
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

    pub(super) fn of_source(screen: Screen, source: &SourceView) -> Self {
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

    pub(super) fn of_key(screen: Screen, key: &KeyView) -> Self {
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

    pub(super) fn of_workbench(screen: Screen, workbench: &WorkbenchView) -> Self {
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
}
