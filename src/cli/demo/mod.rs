//! `demo`: the whole path on this machine. A gateway on an embedded store, a simulated workbench,
//! and signed deliveries as GitHub, GitLab and a Standard Webhooks sender would send them.

mod stage;
mod story;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;
use super::screen::{Screen, Tone};
use stage::Stage;

/// See it work: gateway, simulated workbench and signed webhooks on this machine.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway demo            tells the story, then stays up for you to try things\n  \
    cdsw-gateway demo --once     ends after the story; exit status 0 when all went as it should\n\n\
    Everything is on loopback and in a temporary directory, which is removed at the end.")]
pub(super) struct Demo {
    /// End after the account, with status 0 only if every delivery ended as it should
    #[arg(long)]
    once: bool,
}

impl Demo {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let stage = Stage::set().await?;
        let told = story::tell(&stage, screen).await;
        let good = matches!(told, Ok(true));
        if !self.once && told.is_ok() {
            invite(&stage, screen);
            ended_by_a_person().await;
        }
        stage.clear().await;
        told?;
        if good { Ok(()) } else { Err(Failure::Found) }
    }
}

/// Ends when somebody presses Ctrl-C, closes the terminal, or tells the process to end.
async fn ended_by_a_person() {
    let ended = async |kind| match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = ended(SignalKind::hangup()) => {}
        () = ended(SignalKind::terminate()) => {}
    }
}

/// Shows what the reader can try while the demo keeps running.
fn invite(stage: &Stage, screen: Screen) {
    if screen.json() {
        return;
    }
    let config = stage.config();
    let program = std::env::current_exe()
        .map_or_else(|_| "cdsw-gateway".to_owned(), |path| path.display().to_string());
    screen.line("");
    screen.line(screen.paint(Tone::Strong, "It stays up. In another terminal:"));
    screen.line(format!("  export CDSW_GATEWAY_CONFIG={}", config.display()));
    screen.line(format!("  export CDSW_GATEWAY_URL={}", stage.admin_url()));
    screen.line(format!("  export CDSW_GATEWAY_TOKEN_FILE={}", stage.token_file().display()));
    screen.line(format!(
        "  {program} send github --payload {}",
        stage.payload("push-models.json").display()
    ));
    screen.line(format!("  {program} deliveries list"));
    screen.line(format!("  {program} runs list --state held"));
    screen.line(format!("  curl -si {}/hooks/github -d '{{}}'", stage.hooks_url()));
    screen.line(format!("  curl -s {}/metrics | grep cdsw_gateway_deliveries", stage.admin_url()));
    screen.line(format!(
        "  curl -s {}/requests    # what the simulated workbench saw",
        stage.control_url()
    ));
    screen.line("Ctrl-C ends it.");
}
