//! `runs`: lists runs, shows one with its attempts, cancels one.

use clap::{Args, Subcommand};

use super::client::Remote;
use super::failure::Failure;
use super::screen::{Screen, Tone};
use super::tones::{state, time};
use crate::admin::views::{self, RunSummary, RunView};
use crate::model::{Environment, Outcome, RunId, RunState};

/// Look at runs of a running gateway.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway runs list --state held\n  \
    cdsw-gateway runs list --job retrain -n 5\n  \
    cdsw-gateway runs show 0193a6f2-…\n  \
    cdsw-gateway runs cancel 0193a6f2-… --note \"not needed\"\n\n\
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
    List {
        /// In this state only
        #[arg(long)]
        state: Option<RunState>,
        /// Of this job only
        #[arg(long)]
        job: Option<String>,
        /// Older than this run
        #[arg(long, value_name = "ID")]
        before: Option<RunId>,
        /// How many
        #[arg(long, short = 'n', default_value_t = 20)]
        limit: usize,
    },
    /// Cancel a run that is not in flight
    Cancel {
        /// The run's id
        id: RunId,
        /// Why, kept with the act
        #[arg(long)]
        note: Option<String>,
    },
    /// One run: environment, attempts, what people did
    Show {
        /// The run's id
        id: RunId,
    },
}

impl Runs {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let api = self.remote.api()?;
        match self.what {
            What::List { state, job, before, limit } => {
                let mut query = vec![("limit", screen.rows_to_ask(limit).to_string())];
                query.extend(state.map(|state| ("state", state.to_string())));
                query.extend(job.map(|job| ("job", job)));
                query.extend(before.map(|before| ("before", before.to_string())));
                list(screen, &api.get(&["runs"], &query).await?, limit);
            }
            What::Cancel { id, note } => {
                let ask = views::NoteAsk { note };
                show(screen, &api.post(&["runs", &id.to_string(), "cancel"], &ask).await?);
            }
            What::Show { id } => show(screen, &api.get(&["runs", &id.to_string()], &[]).await?),
        }
        Ok(())
    }
}

fn show(screen: Screen, run: &RunView) {
    if screen.json() {
        screen.value(run);
    } else {
        show_run(screen, run);
    }
}

fn list(screen: Screen, view: &views::Runs, limit: usize) {
    if screen.json() {
        return screen.value(view);
    }
    if view.runs.is_empty() {
        return screen.line("no runs");
    }
    let rows: Vec<Vec<String>> = view
        .runs
        .iter()
        .take(limit)
        .map(|run| {
            vec![
                run.id.to_string(),
                time(run.accepted_at),
                run.route.clone(),
                run.job.clone(),
                run.state.to_string(),
                run.attempts.to_string(),
                said(run).unwrap_or_default(),
            ]
        })
        .collect();
    screen.table(
        &["RUN", "ACCEPTED", "ROUTE", "JOB", "STATE", "ATTEMPTS", "ENGINE OR REASON"],
        &rows,
    );
    screen.more(view.runs.len(), limit);
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
    if let Some(engine_id) = &summary.engine_id {
        screen.line(format!("  engine    {engine_id}"));
    }
    if let Some(what) = &summary.waits_for {
        screen.line(format!("  waits     {what}"));
    }
    if let Some(reason) = &summary.reason {
        screen.line(format!("  reason    {reason}"));
    }
    if summary.state == RunState::Queued {
        screen.line(format!("  due       {}", time(summary.due_at)));
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
        let took = attempt.took_ms.map(|took| format!(", {took} ms")).unwrap_or_default();
        let reason = attempt.reason.as_deref().unwrap_or_default();
        screen.line(format!(
            "  attempt {} {}  {status}{outcome}{took}: {reason}",
            attempt.number,
            time(attempt.begun_at)
        ));
        if let Some(reply) = &attempt.reply {
            screen.line(screen.paint(Tone::Dim, format!("      reply: {reply}")));
        }
    }
    for (what, act) in &run.acts {
        let note = act.note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
        screen.line(format!("  {what} by {} at {}{note}", act.who, time(act.at)));
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
