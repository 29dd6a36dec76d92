//! `runs`: lists runs, shows one with its attempts, waits for one, settles and cancels them.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::client::{Api, Remote};
use super::failure::Failure;
use super::release::Release;
use super::screen::{Screen, Tone};
use super::several::each;
use super::table::Cell;
use super::tones::{ids, state, state_cell, time, time_and_when, when};
use crate::admin::views::{self, RunSummary, RunView};
use crate::model::{Environment, IdPrefix, Outcome, RunState, length};

/// How often a run that is waited for is asked about.
const EACH: Duration = Duration::from_millis(500);

/// Look at runs of a running gateway.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway runs list --state held\n  \
    cdsw-gateway runs show 0193a6f2-2097 --wait\n  \
    cdsw-gateway runs release 0193a6f2-2097 --retry\n  \
    cdsw-gateway runs cancel 0193a6f2-2097 --note \"not needed\"\n\n\
    The beginning of an id is enough where no other id begins so.\n\n\
    States: waiting (for a newer one), queued, sending, started, held (waits for a person), failed,\n\
    superseded (a newer one took its place), cancelled.")]
pub(super) struct Runs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Newest first
    #[command(after_help = "Examples:\n  \
        cdsw-gateway runs list --state held\n  \
        cdsw-gateway runs list --job retrain -n 5\n  \
        cdsw-gateway runs list --before 0193a6f2-2097 --json | jq -r '.runs[].id'\n\n\
        With --json, `next` is there where the list was cut: it is the id for --before.")]
    List {
        /// In this state only
        #[arg(long)]
        state: Option<RunState>,
        /// Of this job only
        #[arg(long)]
        job: Option<String>,
        /// Older than this run
        #[arg(long, value_name = "ID")]
        before: Option<IdPrefix>,
        /// How many, 1000 at most
        #[arg(long, short = 'n', default_value_t = 20)]
        limit: usize,
    },
    /// One run: environment, attempts, what people did
    #[command(after_help = "Examples:\n  \
        cdsw-gateway runs show 0193a6f2-2097\n  \
        cdsw-gateway runs show 0193a6f2-2097 --wait && echo started\n\n\
        With --wait, the exit status is 1 where the run was not started.")]
    Show {
        /// The run's id, or its beginning
        id: IdPrefix,
        /// Wait until it is started, or will not be without a person; a run that another one stands for is
        /// followed to that one
        #[arg(long)]
        wait: bool,
    },
    /// Settle held runs, or queue failed ones again
    Release(Release),
    /// Cancel runs that are not in flight
    #[command(after_help = "Examples:\n  \
        cdsw-gateway runs cancel 0193a6f2-2097 --note \"not needed\"\n  \
        cdsw-gateway runs cancel 0193a6f2-2097 0193a6f2-3a11")]
    Cancel {
        /// The runs' ids, or their beginnings
        #[arg(required = true, value_name = "RUN")]
        ids: Vec<IdPrefix>,
        /// Why, kept with the act
        #[arg(long)]
        note: Option<String>,
    },
}

impl Runs {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        match self.what {
            What::List { state, job, before, limit } => {
                let mut query = vec![("limit", limit.to_string())];
                query.extend(state.map(|state| ("state", state.to_string())));
                query.extend(job.map(|job| ("job", job)));
                query.extend(before.map(|before| ("before", before.to_string())));
                list(screen, &self.remote.api()?.get(&["runs"], &query).await?);
            }
            What::Show { id, wait: true } => {
                let run = wait(&self.remote.api()?, screen, id.to_string()).await?;
                show(screen, &run);
                if run.summary.state != RunState::Started {
                    return Err(Failure::Found);
                }
            }
            What::Show { id, wait: false } => {
                show(screen, &self.remote.api()?.get(&["runs", &id.to_string()], &[]).await?);
            }
            What::Release(release) => return release.run(screen).await,
            What::Cancel { ids, note } => {
                let api = self.remote.api()?;
                let ask = views::NoteAsk { note };
                let cancel = async |id: &IdPrefix| -> Result<RunView, Failure> {
                    api.post(&["runs", &id.to_string(), "cancel"], &ask).await
                };
                let mut done = Vec::new();
                let ended = each(&ids, cancel, |run| done.push(run)).await;
                show_settled(screen, ids.len(), &done);
                return ended;
            }
        }
        Ok(())
    }
}

/// Shows the runs that were settled: one in full, several in a line each.
pub(super) fn show_settled(screen: Screen, asked: usize, runs: &[RunView]) {
    match runs {
        [run] if asked == 1 => show(screen, run),
        [] if asked == 1 => {}
        runs if screen.json() => screen.value(&serde_json::json!({ "runs": runs })),
        runs => {
            for run in runs {
                screen.line(format!("run {}: {}", run.summary.id, state(screen, &run.summary)));
            }
        }
    }
}

/// Asks about a run until nothing more becomes of it by itself, or of the one that stands for it.
pub(super) async fn wait(api: &Api, screen: Screen, mut id: String) -> Result<RunView, Failure> {
    let mut told = None;
    loop {
        let run: RunView = api.get(&["runs", &id], &[]).await?;
        let summary = &run.summary;
        match (summary.state, summary.superseded_by) {
            (RunState::Superseded, Some(newer)) => id = newer.to_string(),
            (RunState::Waiting | RunState::Queued | RunState::Sending, _) => {}
            _ => return Ok(run),
        }
        let now = (summary.state, summary.waits_for.clone());
        if !screen.json() && told.as_ref() != Some(&now) {
            let why = now.1.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            screen.line(screen.paint(Tone::Dim, format!("run {} is {}{why}", summary.id, now.0)));
            told = Some(now);
        }
        tokio::time::sleep(EACH).await;
    }
}

fn show(screen: Screen, run: &RunView) {
    if screen.json() {
        screen.value(run);
    } else {
        show_run(screen, run);
    }
}

fn list(screen: Screen, view: &views::Runs) {
    if screen.json() {
        return screen.value(view);
    }
    if view.runs.is_empty() {
        return screen.line("no runs");
    }
    let ids = ids(screen, view.runs.iter().map(|run| run.id));
    let rows: Vec<Vec<Cell>> = view
        .runs
        .iter()
        .zip(ids)
        .map(|(run, id)| {
            vec![
                id,
                Cell::whole(when(screen, run.accepted_at)),
                run.route.clone().into(),
                run.job.clone().into(),
                state_cell(run.state),
                run.attempts.to_string().into(),
                said(run).unwrap_or_default().into(),
            ]
        })
        .collect();
    screen.table(&["RUN", "ACCEPTED", "ROUTE", "JOB", "STATE", "TRIES", "ENGINE OR REASON"], &rows);
    screen.more(view.runs.len(), view.next);
}

/// Shows one run in full.
pub(super) fn show_run(screen: Screen, run: &RunView) {
    let summary = &run.summary;
    screen.line(format!(
        "{}  {}",
        screen.paint(Tone::Strong, format!("run {}", summary.id)),
        state(screen, summary)
    ));
    screen.line(format!("  route     {} → job {}", summary.route, summary.job));
    screen.line(format!("  delivery  {}", summary.delivery));
    screen.line(format!("  accepted  {}", time_and_when(screen, summary.accepted_at)));
    if let Some(engine_id) = &summary.engine_id {
        screen.line(format!("  engine    {engine_id}"));
    }
    if let Some(what) = &summary.waits_for {
        screen.words(12, format!("  waits     {what}"));
    }
    if let Some(reason) = &summary.reason {
        screen.words(12, format!("  reason    {reason}"));
    }
    if summary.state == RunState::Queued {
        screen.line(format!("  due       {}", time_and_when(screen, summary.due_at)));
    }
    if summary.state == RunState::Waiting {
        screen.line(format!("  waits     until {}, for a newer one", time(summary.due_at)));
    }
    if summary.stands_for > 1 {
        screen.line(format!("  stands    for {} runs, itself included", summary.stands_for));
    }
    if let Some(newer) = &summary.superseded_by {
        screen.line(format!("  see       run {newer}, which stands for it"));
    }
    if let Some(environment) = &run.environment {
        show_environment(screen, environment);
    }
    for attempt in &run.tries {
        let outcome = match attempt.outcome {
            None => screen.paint(Tone::Warn, "on its way"),
            Some(outcome) => screen.paint(outcome_tone(outcome), outcome),
        };
        let status = attempt.status.map(|status| format!("{status} ")).unwrap_or_default();
        let took = attempt
            .took_ms
            .map(|took| format!(", {}", length(Duration::from_millis(took))))
            .unwrap_or_default();
        let reason = attempt.reason.as_deref().unwrap_or_default();
        let begun = time(attempt.begun_at);
        let number = attempt.number;
        screen.words(12, format!("  attempt {number} {begun}  {status}{outcome}{took}: {reason}"));
        if let Some(reply) = &attempt.reply {
            screen.words(13, screen.paint(Tone::Dim, format!("      reply: {reply}")));
        }
    }
    for (what, act) in &run.acts {
        let note = act.note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
        screen.words(4, format!("  {what} by {} at {}{note}", act.who, time(act.at)));
    }
    if summary.state == RunState::Held {
        screen.line(screen.paint(Tone::Warn, "  settle it:"));
        screen.line(format!("    cdsw-gateway release {} --retry", summary.id));
        screen.line(format!("    cdsw-gateway release {} --started ENGINE_ID", summary.id));
        screen.line(format!("    cdsw-gateway release {} --fail", summary.id));
    }
}

/// Variables, one a line.
pub(super) fn show_environment(screen: Screen, environment: &Environment) {
    for (name, value) in environment.iter() {
        screen.line(format!("  env       {name}={value}"));
    }
}

fn outcome_tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Started => Tone::Good,
        Outcome::NotStartedForNow | Outcome::Unknown => Tone::Warn,
        Outcome::NotStartedForGood => Tone::Bad,
    }
}

/// The last column of a list: the run's engine, what it waits for, or why it is in its state.
fn said(run: &RunSummary) -> Option<String> {
    let engine = run.engine_id.clone();
    engine.or_else(|| run.waits_for.clone()).or_else(|| run.reason.clone())
}
