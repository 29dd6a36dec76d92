//! `jobs`, `routes`, `keys`, `starts`, `workbenches`: pause something, and resume it. Their lists are in `inventory`.

use clap::{Args, Subcommand};

use super::client::{Api, Remote};
use super::failure::Failure;
use super::inventory;
use super::screen::{Screen, Tone};
use super::tones::{breaker as breaker_words, when};
use crate::admin::views::{NoteAsk, Pausable, PauseAsk, PausesView, ResumeAsk, Resumed};

/// List, pause and resume jobs.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway jobs list\n  \
    cdsw-gateway jobs pause retrain --note \"the cluster is being upgraded\"\n  \
    cdsw-gateway jobs resume retrain\n\n\
    Deliveries are still kept, and their runs wait. The job's `on_resume` says what becomes of them\n\
    when it is resumed.")]
pub(super) struct Jobs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: Named,
}

/// List, pause and resume routes.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  cdsw-gateway routes pause retrain-on-push\n\n\
    Deliveries are still kept and matched; the runs of the route wait.")]
pub(super) struct Routes {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: Named,
}

/// List, pause and resume API keys.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  cdsw-gateway keys resume main/alice\n\n\
    A key that a workbench refused is paused by the gateway, until the key changes or somebody\n\
    resumes it.")]
pub(super) struct Keys {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: Named,
}

/// Pause and resume every start: the switch for emergencies.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  cdsw-gateway starts pause --note \"incident 4711\"\n\n\
    Deliveries are still kept; nothing is started until `starts resume`.")]
pub(super) struct Starts {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: Switch,
}

/// List workbenches, see open circuit breakers, and end their wait.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  cdsw-gateway workbenches resume main --note \"it is back\"\n\n\
    When starts on a workbench keep failing, its circuit breaker opens and none is sent for a while.\n\
    `resume` ends that wait: one start is tried now. If it succeeds, the others follow at the pace of\n\
    their job's `on_resume`; if it fails, the breaker opens again, for longer."
)]
pub(super) struct Workbenches {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: OfWorkbench,
}

#[derive(Subcommand, Debug)]
enum OfWorkbench {
    /// List them, each with its state and what happened lately; with names, those in full
    #[command(after_help = "Examples:\n  \
        cdsw-gateway workbenches list\n  \
        cdsw-gateway workbenches list main           one of them in full\n\n\
        Runs are counted for 24 hours, among the newest 5,000 of all jobs.")]
    List {
        /// Only these, in full
        names: Vec<String>,
    },
    /// List what is paused, and circuit breakers that are open
    #[command(after_help = "Example:\n  cdsw-gateway workbenches paused")]
    Paused,
    /// End the wait of an open circuit breaker: one start is tried now
    #[command(
        after_help = "Example:\n  cdsw-gateway workbenches resume main --note \"it is back\""
    )]
    Resume {
        /// Its name
        name: String,
        /// Why, kept with the act
        #[arg(long)]
        note: Option<String>,
    },
}

#[derive(Subcommand, Debug)]
enum Named {
    /// List them, each with its state and what happened lately; with names, those in full
    #[command(after_help = "Examples:\n  \
        cdsw-gateway jobs list\n  \
        cdsw-gateway jobs list retrain           one of them in full\n  \
        cdsw-gateway routes list\n  \
        cdsw-gateway keys list\n\n\
        Runs are counted for 24 hours, among the newest 5,000 of all jobs.")]
    List {
        /// Only these, in full
        names: Vec<String>,
    },
    /// List what is paused, and circuit breakers that are open
    #[command(after_help = "Example:\n  cdsw-gateway jobs paused")]
    Paused,
    /// Pause it
    #[command(after_help = "Examples:\n  \
        cdsw-gateway jobs pause retrain --note \"the cluster is being upgraded\"\n  \
        cdsw-gateway routes pause retrain-on-push\n  \
        cdsw-gateway keys pause main/alice")]
    Pause {
        /// Its name
        name: String,
        /// Why, kept with the act
        #[arg(long)]
        note: Option<String>,
    },
    /// Resume it
    #[command(after_help = "Examples:\n  \
        cdsw-gateway jobs resume retrain\n  \
        cdsw-gateway routes resume retrain-on-push\n  \
        cdsw-gateway keys resume main/alice")]
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
    /// List what is paused, and circuit breakers that are open
    #[command(after_help = "Example:\n  cdsw-gateway starts paused")]
    Paused,
    /// Pause every start
    #[command(
        alias = "stop",
        after_help = "Example:\n  cdsw-gateway starts pause --note \"incident 4711\""
    )]
    Pause {
        /// Why, kept with the act
        #[arg(long)]
        note: Option<String>,
    },
    /// Resume them
    #[command(
        after_help = "Example:\n  cdsw-gateway starts resume --note \"incident 4711 is over\""
    )]
    Resume {
        /// Why, kept with the act
        #[arg(long)]
        note: Option<String>,
    },
}

impl Jobs {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        if let Named::List { names } = &self.what {
            return inventory::jobs(&self.remote.api()?, screen, names).await;
        }
        named(&self.remote, self.what, screen, Pausable::Job).await
    }
}

impl Routes {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        if let Named::List { names } = &self.what {
            return inventory::routes(&self.remote.api()?, screen, names).await;
        }
        named(&self.remote, self.what, screen, Pausable::Route).await
    }
}

impl Keys {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        if let Named::List { names } = &self.what {
            return inventory::keys(&self.remote.api()?, screen, names).await;
        }
        named(&self.remote, self.what, screen, Pausable::Key).await
    }
}

impl Starts {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let api = self.remote.api()?;
        match self.what {
            Switch::Paused => paused(&api, screen).await,
            Switch::Pause { note } => pause(&api, screen, Pausable::All, note).await,
            Switch::Resume { note } => resume(&api, screen, Pausable::All, note).await,
        }
    }
}

impl Workbenches {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let api = self.remote.api()?;
        match self.what {
            OfWorkbench::List { names } => inventory::workbenches(&api, screen, &names).await,
            OfWorkbench::Paused => paused(&api, screen).await,
            OfWorkbench::Resume { name, note } => try_workbench(&api, screen, &name, note).await,
        }
    }
}

async fn try_workbench(
    api: &Api,
    screen: Screen,
    name: &str,
    note: Option<String>,
) -> Result<(), Failure> {
    let path = ["workbenches", name, "resume"];
    let resumed: Resumed = api.post(&path, &NoteAsk { note }).await?;
    if screen.json() {
        screen.value(&resumed);
    } else if resumed.was_paused() {
        let words = format!("one start on workbench {name} is tried now");
        screen.line(screen.paint(Tone::Good, words));
    } else {
        screen.line(format!("the circuit breaker of workbench {name} is closed"));
    }
    Ok(())
}

async fn named(
    remote: &Remote,
    what: Named,
    screen: Screen,
    kind: fn(String) -> Pausable,
) -> Result<(), Failure> {
    let api = remote.api()?;
    match what {
        // Each command lists its own things.
        Named::List { .. } => Ok(()),
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
    let said = format!("{what} is paused; deliveries are still kept");
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
    } else if resumed.was_paused() {
        screen.line(screen.paint(Tone::Good, format!("{name} is resumed")));
    } else {
        screen.line(format!("{name} was not paused"));
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
        let note = pause.note.clone().unwrap_or_default();
        vec![pause.what.to_string(), when(screen, pause.since), pause.who.clone(), note]
    });
    let breakers = view.breakers().into_iter().map(|breaker| {
        let what = format!("workbench {}", breaker.workbench);
        vec![what, String::new(), "gateway".to_owned(), breaker_words(&breaker)]
    });
    let rows: Vec<Vec<String>> = pauses.chain(breakers).collect();
    if rows.is_empty() {
        screen.line("nothing is paused");
    } else {
        screen.table(&["WHAT", "SINCE", "BY", "WHY"], &rows);
    }
    Ok(())
}
