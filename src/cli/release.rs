//! `release`: a person's decision on held runs, and another try of failed ones.

use clap::Args;

use super::client::Remote;
use super::failure::Failure;
use super::runs::show_settled;
use super::screen::Screen;
use super::several::each;
use crate::admin::views::{ReleaseAsk, ReleaseWord, RunView};
use crate::model::IdPrefix;

/// Settle held runs, or queue failed ones again.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway release 0193a6f2-2097 --started cwg6wclmg0x482u0   the workbench shows that it runs\n  \
    cdsw-gateway release 0193a6f2-2097 --retry                      it does not run; try again\n  \
    cdsw-gateway release 0193a6f2-2097 --fail --note \"not needed\"   leave it\n\n\
    Look at the job's history on the workbench first: only a person can know whether the last\n\
    attempt started it.")]
pub(super) struct Release {
    #[command(flatten)]
    remote: Remote,
    /// The runs' ids, or their beginnings; an engine can be named for one run only
    #[arg(required = true, value_name = "RUN")]
    ids: Vec<IdPrefix>,
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
        if what == ReleaseWord::Started && self.ids.len() > 1 {
            let why = "an engine runs one run: give --started with one id";
            return Err(Failure::Usage(why.to_owned()));
        }
        let ask = ReleaseAsk { what, engine_id: self.word.started, note: self.note };
        let api = self.remote.api()?;
        let release = async |id: &IdPrefix| -> Result<RunView, Failure> {
            api.post(&["runs", &id.to_string(), "release"], &ask).await
        };
        let mut done = Vec::new();
        let ended = each(&self.ids, release, |run| done.push(run)).await;
        show_settled(screen, self.ids.len(), &done);
        ended
    }
}
