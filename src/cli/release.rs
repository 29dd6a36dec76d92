//! `release`: a person's decision on a held run.

use clap::Args;

use super::client::Remote;
use super::failure::Failure;
use super::runs::show_run;
use super::screen::Screen;
use crate::admin::views::{ReleaseAsk, ReleaseWord, RunView};
use crate::model::RunId;

/// Settle a held run.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway release 0193a6f2-… --started cwg6wclmg0x482u0   the workbench shows that it runs\n  \
    cdsw-gateway release 0193a6f2-… --retry                      it does not run; try again\n  \
    cdsw-gateway release 0193a6f2-… --fail --note \"not needed\"   leave it\n\n\
    Look at the job's history on the workbench first: only a person can know whether the last\n\
    attempt started it.")]
pub(super) struct Release {
    #[command(flatten)]
    remote: Remote,
    /// The run's id
    id: RunId,
    #[command(flatten)]
    word: Word,
    /// Why, kept with the act
    #[arg(long)]
    note: Option<String>,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Word {
    /// It was not started: try again
    #[arg(long)]
    retry: bool,
    /// It was started, as this engine
    #[arg(long, value_name = "ENGINE_ID")]
    started: Option<String>,
    /// Give it up
    #[arg(long)]
    fail: bool,
}

impl Release {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let what = match &self.word {
            Word { retry: true, .. } => ReleaseWord::Retry,
            Word { started: Some(_), .. } => ReleaseWord::Started,
            Word { .. } => ReleaseWord::Fail,
        };
        let ask = ReleaseAsk { what, engine_id: self.word.started, note: self.note };
        let id = self.id.to_string();
        let run: RunView = self.remote.api()?.post(&["runs", &id, "release"], &ask).await?;
        if screen.json() {
            screen.value(&run);
        } else {
            show_run(screen, &run);
        }
        Ok(())
    }
}
