//! `audit`: what people did, newest first.

use clap::Args;

use super::client::Remote;
use super::failure::Failure;
use super::screen::Screen;
use super::tones::when;
use crate::admin::views::AuditView;

/// Show what people and tokens did.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  cdsw-gateway audit -n 100\n\n\
    Every replay, release, cancel, pause, resume and reload is a line. Nothing in it is ever changed\n\
    or removed.")]
pub(super) struct Audit {
    #[command(flatten)]
    remote: Remote,
    /// Older than this entry
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,
    /// How many
    #[arg(long, short = 'n', default_value_t = 50)]
    limit: usize,
}

impl Audit {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let mut query = vec![("limit", self.limit.to_string())];
        query.extend(self.before.map(|before| ("before", before.to_string())));
        let view: AuditView = self.remote.api()?.get(&["audit"], &query).await?;
        if screen.json() {
            screen.value(&view);
            return Ok(());
        }
        if view.acts.is_empty() {
            screen.line("no act is recorded");
            return Ok(());
        }
        let rows: Vec<Vec<String>> = view
            .acts
            .iter()
            .map(|act| {
                vec![
                    act.number.to_string(),
                    when(screen, act.at),
                    act.who.clone(),
                    act.origin.clone().unwrap_or_default(),
                    act.act.clone(),
                    format!("{} {}", act.kind, act.name),
                    act.note.clone().unwrap_or_default(),
                ]
            })
            .collect();
        screen.table(&["NUMBER", "AT", "WHO", "FROM", "ACT", "ON", "NOTE"], &rows);
        Ok(())
    }
}
