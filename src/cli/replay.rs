//! `replay`: judges a kept delivery again by the current routes.

use clap::Args;
use serde::Serialize;

use super::client::Remote;
use super::deliveries::show_explanation;
use super::failure::Failure;
use super::runs::show_environment;
use super::screen::{Screen, Tone};
use super::several::each;
use crate::admin::views::{ExplainView, ReplayAsk, ReplayView};
use crate::model::{IdPrefix, RunState};

/// Put kept deliveries through today's routes again.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway replay 0193a6f2-2097 --dry-run         what would today's routes do with it?\n  \
    cdsw-gateway replay 0193a6f2-2097                   queue what failed or was never asked for\n  \
    cdsw-gateway replay 0193a6f2-2097 0193a701-5c1d     several deliveries, one after the other\n  \
    cdsw-gateway replay 0193a6f2-2097 --route retrain --again   start it once more, on purpose\n\n\
    Without --again nothing is started twice: runs that have started, are held or wait are left as\n\
    they are.")]
pub(super) struct Replay {
    #[command(flatten)]
    remote: Remote,
    /// The deliveries' ids, or their beginnings
    #[arg(required = true, value_name = "DELIVERY")]
    ids: Vec<IdPrefix>,
    /// Only this route
    #[arg(long)]
    route: Option<String>,
    /// Start also what was already started, is held or waits
    #[arg(long)]
    again: bool,
    /// Only show what would happen
    #[arg(long, conflicts_with = "again")]
    dry_run: bool,
    /// Why, kept with the act
    #[arg(long)]
    note: Option<String>,
}

impl Replay {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let api = self.remote.api()?;
        if self.dry_run {
            let explain = async |id: &IdPrefix| -> Result<ExplainView, Failure> {
                api.get(&["deliveries", &id.to_string(), "explain"], &[]).await
            };
            let mut done = Vec::new();
            let ended = each(&self.ids, explain, |view| done.push(view)).await;
            show_all(screen, self.ids.len(), &done, show_explain);
            return ended;
        }
        let ask = ReplayAsk { route: self.route, again: self.again, note: self.note };
        let replay = async |id: &IdPrefix| -> Result<ReplayView, Failure> {
            api.post(&["deliveries", &id.to_string(), "replay"], &ask).await
        };
        let mut done = Vec::new();
        let ended = each(&self.ids, replay, |view| done.push(view)).await;
        show_all(screen, self.ids.len(), &done, show);
        ended
    }
}

/// Shows what was answered on each delivery. With JSON, the answers of several are one document.
fn show_all<V: Serialize>(screen: Screen, asked: usize, views: &[V], show: fn(Screen, &V)) {
    match views {
        [view] if asked == 1 && screen.json() => screen.value(view),
        [] if asked == 1 => {}
        views if screen.json() => screen.value(&serde_json::json!({ "deliveries": views })),
        views => views.iter().for_each(|view| show(screen, view)),
    }
}

fn show(screen: Screen, view: &ReplayView) {
    if view.runs.is_empty() {
        let why = "no route matches this delivery today; --dry-run shows why";
        screen.line(format!("{}: {why}", view.delivery));
    }
    for run in &view.runs {
        screen.line(format!("{}: {} (run {}, {})", run.route, run.what, run.id, run.state));
        if run.what == "left as it is" && run.state == RunState::Held {
            let advice = "`release` decides about it; --again makes a new run, and leaves it held";
            screen.line(format!("  {advice}"));
        }
    }
}

/// Shows what the current routes would do with a kept delivery.
fn show_explain(screen: Screen, view: &ExplainView) {
    show_explanation(screen, &view.explanation);
    for run in &view.runs {
        let title = match &run.kept {
            None => format!("would start {} by route {}", run.job, run.route),
            Some(kept) if kept.tried_again => format!(
                "would try run {} again ({}), which starts {} by route {}",
                kept.id, kept.state, run.job, run.route
            ),
            Some(kept) => format!(
                "would leave run {} as it is ({}); --again starts {} once more by route {}",
                kept.id, kept.state, run.job, run.route
            ),
        };
        screen.line(screen.paint(Tone::Strong, title));
        if let Some(environment) = &run.environment {
            show_environment(screen, environment);
        }
        if let Some(reason) = &run.reason {
            screen.line(format!("  but       {reason}"));
        }
    }
}
