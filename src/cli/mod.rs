//! The command line: one command a file. Nothing else in the program depends on it.

mod audit;
mod backup;
mod check;
mod client;
mod complete_names;
mod completions;
mod deliveries;
mod demo;
mod doctor;
mod explain;
mod failure;
mod health;
mod inventory;
mod man;
mod migrate;
mod pauses;
mod providers;
mod refused;
mod release;
mod replay;
mod runs;
mod sample;
mod schema;
mod screen;
mod secrets;
mod send;
mod serve;
mod several;
mod signer;
mod signing;
mod simulate;
mod systemd;
mod table;
mod tones;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[doc(hidden)]
pub use explain::saved_body;

use crate::observe::{LogFormat, start_tracing};
use crate::serving::PassedSockets;
use failure::{ErrorView, Failure};
use screen::{Looks, Screen, Tone, aside, aside_report};

/// Receives signed webhooks and starts Cloudera Data Science Workbench jobs with a key that only
/// it holds
#[derive(Parser, Debug)]
#[command(
    name = "cdsw-gateway",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Examples:\n  \
        cdsw-gateway demo                                see it work, on this machine, in a minute\n  \
        cdsw-gateway check --config gateway.yaml         is the configuration right?\n  \
        cdsw-gateway serve --config gateway.yaml         run it\n  \
        cdsw-gateway explain github push.json            what would this payload start, and why?\n  \
        cdsw-gateway runs list --state held              what waits for a person?\n\n\
        Exit status: 0 done; 1 done, and the result is bad; 2 wrong usage; 3 faulty configuration;\n\
        4 gateway not reached, or token not accepted; 5 no such thing; 6 not allowed as things stand."
)]
struct Arguments {
    /// Write JSON instead of text
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    looks: Looks,
    #[command(flatten)]
    anywhere: client::Anywhere,
    /// How log lines are written
    #[arg(long, global = true, value_enum, default_value_t, env = "CDSW_GATEWAY_LOG_FORMAT")]
    log_format: LogFormat,
    /// What is logged, e.g. `info` or `warn,cdsw_gateway=debug`
    #[arg(long, global = true, default_value = "info", env = "CDSW_GATEWAY_LOG")]
    log: String,
    #[command(subcommand)]
    command: Command,
}

/// Where the configuration is.
#[derive(clap::Args, Clone, Debug)]
struct ConfigFile {
    /// The configuration file; `routes.d/` beside it is read too
    #[arg(long, short, default_value = "gateway.yaml", env = "CDSW_GATEWAY_CONFIG")]
    config: PathBuf,
}

impl ConfigFile {
    /// Where it is unless an option says otherwise.
    fn usual() -> PathBuf {
        let said = std::env::var_os("CDSW_GATEWAY_CONFIG").filter(|path| !path.is_empty());
        said.unwrap_or_else(|| "gateway.yaml".into()).into()
    }
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the gateway
    Serve(serve::Serve),
    /// See it work: gateway, simulated workbench and signed webhooks on this machine
    Demo(demo::Demo),
    /// Read the configuration and show every fault in it
    Check(check::Check),
    /// Show what a payload would start, and why each route does or does not match
    Explain(explain::Explain),
    /// Sign a sample as a provider would, and send it
    Send(send::Send),
    /// List the senders that are known, or show how to set one up
    Providers(providers::Providers),
    /// Print a payload of a sender
    Sample(sample::Sample),
    /// Look at kept deliveries of a running gateway
    Deliveries(deliveries::Deliveries),
    /// Look at runs of a running gateway
    Runs(runs::Runs),
    /// Put a kept delivery through today's routes again
    Replay(replay::Replay),
    /// Settle a held run
    Release(release::Release),
    /// List, pause and resume jobs
    Jobs(pauses::Jobs),
    /// List, pause and resume routes
    Routes(pauses::Routes),
    /// List, pause and resume API keys
    Keys(pauses::Keys),
    /// List workbenches, see open circuit breakers, and end their wait
    Workbenches(pauses::Workbenches),
    /// List sources, with their last delivery and refusal
    Sources(inventory::Sources),
    /// Pause and resume every start
    Starts(pauses::Starts),
    /// Show what people and tokens did
    Audit(audit::Audit),
    /// See which secrets still prove deliveries, to drop the old one of a rotation
    Secrets(secrets::Secrets),
    /// Check the running gateway, keys, certificates, store, clocks and workbenches
    Doctor(doctor::Doctor),
    /// Ask a gateway whether it is ready, for the health check of a container
    Health(health::Health),
    /// Copy the store into a new file, while the gateway runs
    Backup(backup::Backup),
    /// Bring the store's tables up to date
    Migrate(migrate::Migrate),
    /// Run a simulated workbench
    Simulate(simulate::Simulate),
    /// Print the JSON Schema of the configuration
    Schema(schema::Schema),
    /// Print completions for a shell
    Completions(completions::Completions),
    /// Write manual pages
    Man(man::Man),
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    crate::process::keep_memory_private();
    if complete_names::answered() {
        return ExitCode::SUCCESS;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(fault) => return unread(&fault),
    };
    let screen = Screen::new(arguments.json, arguments.looks);
    // There is one thread yet. Programs that other commands start may be meant to have these sockets.
    let passed = match arguments.command {
        Command::Serve(_) => PassedSockets::from_environment(),
        _ => PassedSockets::default(),
    };
    // Commands that end by themselves print what matters, so they log only when asked to.
    let lasting = matches!(arguments.command, Command::Serve(_) | Command::Simulate(_));
    let filter = if lasting || arguments.log != "info" { arguments.log.as_str() } else { "off" };
    if let Err(why) = start_tracing(arguments.log_format, filter, screen.color()) {
        aside(why);
        return ExitCode::from(2);
    }
    // Servers and clients in this process use the same TLS implementation.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            aside(format!("cannot start: {error}"));
            return ExitCode::from(1);
        }
    };
    let ended = runtime.block_on(perform(arguments.command, screen, arguments.anywhere, passed));
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let words = failure.to_string();
            if !words.is_empty() {
                screen.error(&ErrorView::of(&failure));
                say(screen, &failure, &words);
            }
            ExitCode::from(failure.status())
        }
    }
}

/// Says why the arguments cannot be read, or prints the help that was asked for.
fn unread(fault: &clap::Error) -> ExitCode {
    let asked_for_json = std::env::args_os().any(|argument| argument == "--json");
    if fault.use_stderr() && asked_for_json {
        let words = fault.to_string();
        let words = words.trim_start_matches("error:").split("\n\n").next().unwrap_or_default();
        let failure = Failure::Usage(words.split_whitespace().collect::<Vec<_>>().join(" "));
        Screen::new(true, Looks::default()).error(&ErrorView::of(&failure));
    }
    // It writes to the stream that fits: help to standard output, a fault to standard error.
    let _ = fault.print();
    ExitCode::from(u8::try_from(fault.exit_code()).unwrap_or(2))
}

fn say(screen: Screen, failure: &Failure, words: &str) {
    match failure {
        // A report is already formatted.
        Failure::Config(_) => aside_report(words),
        _ => aside(format!("{} {words}", screen.paint(Tone::Bad, "error:"))),
    }
}

async fn perform(
    command: Command,
    screen: Screen,
    anywhere: client::Anywhere,
    passed: PassedSockets,
) -> Result<(), Failure> {
    match command {
        Command::Serve(command) => command.run(passed).await,
        Command::Demo(command) => Box::pin(command.run(screen)).await,
        Command::Check(command) => command.run(screen),
        Command::Explain(command) => command.run(screen).await,
        Command::Send(command) => Box::pin(command.run(screen, &anywhere)).await,
        Command::Providers(command) => command.run(screen),
        Command::Sample(command) => command.run(screen),
        Command::Deliveries(command) => command.run(screen).await,
        Command::Runs(command) => command.run(screen).await,
        Command::Replay(command) => command.run(screen).await,
        Command::Release(command) => command.run(screen).await,
        Command::Jobs(command) => command.run(screen).await,
        Command::Routes(command) => command.run(screen).await,
        Command::Keys(command) => command.run(screen).await,
        Command::Workbenches(command) => command.run(screen).await,
        Command::Sources(command) => command.run(screen).await,
        Command::Starts(command) => command.run(screen).await,
        Command::Audit(command) => command.run(screen).await,
        Command::Secrets(command) => command.run(screen).await,
        Command::Migrate(command) => command.run(screen).await,
        Command::Backup(command) => command.run(screen).await,
        Command::Health(command) => command.run(screen).await,
        Command::Doctor(command) => Box::pin(command.run(screen)).await,
        Command::Simulate(command) => command.run(screen).await,
        Command::Schema(command) => command.run(screen),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(screen),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// The commands below this one that have none below them, each with its words.
    fn leaves(command: &clap::Command, words: &str, found: &mut Vec<(String, clap::Command)>) {
        let below: Vec<_> =
            command.get_subcommands().filter(|below| below.get_name() != "help").collect();
        if below.is_empty() {
            found.push((words.to_owned(), command.clone()));
        }
        for command in below {
            leaves(command, &format!("{words} {}", command.get_name()), found);
        }
    }

    #[test]
    fn every_command_has_an_example_of_itself_in_its_help() {
        let mut found = Vec::new();
        leaves(&Arguments::command(), "cdsw-gateway", &mut found);
        assert!(found.len() > 25, "{}", found.len());
        for (words, command) in found {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let last = words.rsplit(' ').next().unwrap_or_default();
            let mut examples = help.lines().filter(|line| line.contains("cdsw-gateway "));
            let shows = examples.any(|line| line.split(' ').any(|word| word == last));
            assert!(shows, "`{words} --help` shows no example of it:\n{help}");
        }
    }

    #[test]
    fn the_arguments_of_every_command_fit_together() {
        Arguments::command().debug_assert();
    }
}
