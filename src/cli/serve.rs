//! `serve`: runs the gateway until it is told to stop.

use std::sync::Arc;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use super::ConfigFile;
use super::failure::Failure;
use super::screen::{Looks, Screen};
use super::systemd;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{self, Change, Live, Report, Watch, came_to};
use crate::gateway::{Environs, Gateway, Part, longest_stop, prepare_process};
use crate::issuers::Transport;
use crate::model::{Role, counted};
use crate::observe::Observation;
use crate::random::SystemRandom;
use crate::serving::PassedSockets;

/// Run the gateway.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway serve --config /etc/cdsw-gateway/gateway.yaml\n  \
    cdsw-gateway serve --log-format json --log info\n  \
    cdsw-gateway serve --role ingest       only receive; it holds no API key\n\n\
    SIGHUP reads the configuration again (it is also read when it changes). SIGTERM and SIGINT stop\n\
    it: what is in flight is finished first.")]
pub(super) struct Serve {
    #[command(flatten)]
    file: ConfigFile,
    /// Print the addresses on standard output once ready, for scripts: `hooks ADDRESS`, `admin ADDRESS`,
    /// `health ADDRESS`, each where there is one
    #[arg(long)]
    print_addresses: bool,
    /// What this process does; roles other than `all` share a PostgreSQL store
    #[arg(long, value_enum, default_value_t, env = "CDSW_GATEWAY_ROLE")]
    role: Role,
    /// Bring the tables of a PostgreSQL store up to date first
    #[arg(long)]
    migrate: bool,
}

impl ValueEnum for Role {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::All => "Receives, dispatches and shows",
            Self::Ingest => {
                "Only receives: it resolves no API key, connects to no workbench, and acts for nobody"
            }
            Self::Dispatch => "Only dispatches and shows: it listens on no public address",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}

impl Serve {
    pub(super) async fn run(self, passed: PassedSockets) -> Result<(), Failure> {
        let fault = |error: std::io::Error| Failure::Failed(format!("signals: {error}"));
        let mut hangup = signal(SignalKind::hangup()).map_err(fault)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(fault)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(fault)?;

        let screen = Screen::new(false, Looks::default());
        // A file system may never answer, so files are read on a thread that nobody has to wait for.
        let path = self.file.config.clone();
        let starting = tokio::task::spawn_blocking(move || Live::start(&path));
        let live = tokio::select! {
            live = starting => live.map_err(|stopped| Failure::Failed(stopped.to_string()))?,
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        };
        let live = live.map_err(|report| Failure::Config(report.render(screen.color())))?;
        let live = Arc::new(live);
        prepare_process(&live.plan().server);
        let environs = Environs {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            transport: Transport::default(),
            passed,
        };
        let part = Part { role: self.role, migrate: self.migrate };
        let exposed = config::out_of_place(&live.plan(), self.role, live.path());
        let gateway = Gateway::start(Arc::clone(&live), environs, part)
            .await
            .map_err(|fault| Failure::Failed(fault.to_string()))?;
        for warning in &exposed {
            let words = &*warning.to_string();
            gateway.observer().tell(Observation::SecretWithinReach { words });
        }
        if self.print_addresses {
            if let Some(hooks) = gateway.hooks() {
                screen.line(format!("hooks {hooks}"));
            }
            screen.line(format!("admin {}", gateway.admin()));
            if let Some(health) = gateway.health() {
                screen.line(format!("health {health}"));
            }
        }
        systemd::ready(&status_of(&gateway));
        let mut heartbeat = systemd::heartbeat();
        let (tell, mut reloads) = tokio::sync::mpsc::unbounded_channel();
        let watching = Arc::clone(&live);
        let _watch = Watch::start(watching, move |reloaded| {
            // Nobody listens once the gateway stops.
            let _ = tell.send(reloaded);
        })
        .map_err(fault)?;
        let (tell, mut asked) = tokio::sync::mpsc::unbounded_channel();
        loop {
            tokio::select! {
                _ = heartbeat.tick() => systemd::alive(),
                _ = hangup.recv() => {
                    systemd::reloading();
                    // A reload that hangs must not keep the process from ending.
                    let (live, tell) = (Arc::clone(&live), tell.clone());
                    tokio::task::spawn_blocking(move || {
                        // Nobody listens once the gateway stops.
                        let _ = tell.send(live.reload());
                    });
                }
                Some(done) = asked.recv() => {
                    gateway.note_reload("signal", Some(came_to(&done)), SystemClock.now()).await;
                    reloaded(&done, &gateway);
                }
                Some(done) = reloads.recv() => {
                    if done.as_ref().is_ok_and(|change| change.from != change.to) {
                        gateway.note_reload("changed files", None, SystemClock.now()).await;
                    }
                    reloaded(&done, &gateway);
                }
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
            }
        }
        let grace = live.plan().server.shutdown_grace;
        systemd::stopping(longest_stop(gateway.drain(), grace));
        gateway.stop(grace).await;
        Ok(())
    }
}

/// Reports the result of a reload and wakes the dispatcher.
fn reloaded(done: &Result<Change, Report>, gateway: &Gateway) {
    let report = gateway.live().last_report();
    gateway.observer().tell(Observation::reloaded(done, &report, SystemClock.now()));
    gateway.wake();
    systemd::ready(&status_of(gateway));
}

/// What `systemctl status` shows.
fn status_of(gateway: &Gateway) -> String {
    let live = gateway.live();
    let version = &live.plan().version;
    match live.faults() {
        0 => format!("configuration {version}"),
        faults => {
            let faults = counted(faults as u64, "fault");
            format!("configuration {version}; the files on disk have {faults}")
        }
    }
}
