//! `jobs`, `routes`, `keys`, `starts`: let something rest, and let it go on.

use clap::{Args, Subcommand};

use super::client::{Api, Remote};
use super::deliveries::time;
use super::failure::Failure;
use super::screen::{Screen, Tone, printable};
use crate::admin::views::{PauseAsk, PausesView, ResumeAsk, Resumed};
use crate::store::Pausable;

/// Let jobs rest, and go on.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway jobs pause retrain --note \"the cluster is being upgraded\"\n  \
    cdsw-gateway jobs resume retrain\n\n\
    Deliveries go on being kept and their runs wait. What becomes of them afterwards, the job's\n\
    `on_resume` says.")]
pub(super) struct Jobs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: Named,
}

/// Let routes rest, and go on.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  cdsw-gateway routes pause retrain-on-push\n\n\
    Deliveries go on being kept and matched; the runs of the route wait.")]
pub(super) struct Routes {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: Named,
}

/// Let API keys rest, and go on.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  cdsw-gateway keys resume main/alice\n\n\
    A key that a workbench refused rests by itself, until it changes or somebody lets it go on.")]
pub(super) struct Keys {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: Named,
}

/// Stop all starts, and let them go on: the switch for emergencies.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  cdsw-gateway starts stop --note \"incident 4711\"\n\n\
    Deliveries go on being kept; nothing is started until `starts resume`.")]
pub(super) struct Starts {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: Switch,
}

#[derive(Subcommand, Debug)]
enum Named {
    /// What rests now
    Paused,
    /// Let it rest
    Pause {
        /// Its name
        name: String,
        /// Why, kept with the act
        #[arg(long)]
        note: Option<String>,
    },
    /// Let it go on
    Resume {
        /// Its name
        name: String,
        /// Why, kept with the act
        #[arg(long)]
        note: Option<String>,
    },
}

#[derive(Subcommand, Debug)]
enum Switch {
    /// What rests now
    Paused,
    /// Stop all starts
    Stop {
        /// Why, kept with the act
        #[arg(long)]
        note: Option<String>,
    },
    /// Let them go on
    Resume {
        /// Why, kept with the act
        #[arg(long)]
        note: Option<String>,
    },
}

impl Jobs {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        named(&self.remote, self.what, screen, Pausable::Job).await
    }
}

impl Routes {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        named(&self.remote, self.what, screen, Pausable::Route).await
    }
}

impl Keys {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        named(&self.remote, self.what, screen, Pausable::Key).await
    }
}

impl Starts {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let api = self.remote.api()?;
        match self.what {
            Switch::Paused => paused(&api, screen).await,
            Switch::Stop { note } => pause(&api, screen, Pausable::All, note).await,
            Switch::Resume { note } => resume(&api, screen, Pausable::All, note).await,
        }
    }
}

async fn named(
    remote: &Remote,
    what: Named,
    screen: Screen,
    kind: fn(String) -> Pausable,
) -> Result<(), Failure> {
    let api = remote.api()?;
    match what {
        Named::Paused => paused(&api, screen).await,
        Named::Pause { name, note } => pause(&api, screen, kind(name), note).await,
        Named::Resume { name, note } => resume(&api, screen, kind(name), note).await,
    }
}

async fn pause(
    api: &Api,
    screen: Screen,
    what: Pausable,
    note: Option<String>,
) -> Result<(), Failure> {
    let said = format!("{what} rests; deliveries go on being kept");
    let view: PausesView = api.post(&["pause"], &PauseAsk { what, note }).await?;
    if screen.json() {
        screen.value(&view);
    } else {
        screen.line(screen.paint(Tone::Warn, said));
    }
    Ok(())
}

async fn resume(
    api: &Api,
    screen: Screen,
    what: Pausable,
    note: Option<String>,
) -> Result<(), Failure> {
    let name = what.to_string();
    let resumed: Resumed = api.post(&["resume"], &ResumeAsk { what, note }).await?;
    if screen.json() {
        screen.value(&resumed);
    } else if resumed.rested {
        screen.line(screen.paint(Tone::Good, format!("{name} goes on")));
    } else {
        screen.line(format!("{name} did not rest"));
    }
    Ok(())
}

async fn paused(api: &Api, screen: Screen) -> Result<(), Failure> {
    let view: PausesView = api.get(&["pauses"], &[]).await?;
    if screen.json() {
        screen.value(&view);
        return Ok(());
    }
    let pauses = view.pauses.iter().map(|pause| {
        let note = pause.note.as_deref().map(printable).unwrap_or_default();
        vec![pause.what.to_string(), time(pause.since), printable(&pause.who), note]
    });
    let resting = view.resting.iter().map(|resting| {
        let until = resting.until.map_or_else(|| "being tried".to_owned(), time);
        let what = format!("workbench {}", resting.workbench);
        vec![what, String::new(), "gateway".to_owned(), format!("starts failed; until {until}")]
    });
    let rows: Vec<Vec<String>> = pauses.chain(resting).collect();
    if rows.is_empty() {
        screen.line("nothing rests");
    } else {
        screen.table(&["WHAT", "SINCE", "BY", "WHY"], &rows);
    }
    Ok(())
}
