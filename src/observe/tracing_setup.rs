//! Starts the log: text on a terminal, one JSON object a line otherwise.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::visible::ToStandardError;

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Text when standard error is a terminal, JSON otherwise.
    #[default]
    Auto,
    /// One line of text each.
    Text,
    /// One JSON object a line each.
    Json,
}

/// Starts writing to standard error. `filter` is a list such as `info,cdsw_gateway=debug`.
///
/// # Errors
/// The filter cannot be read.
pub fn start_tracing(format: LogFormat, filter: &str, color: bool) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| format!("`{filter}` is not a log filter: {error}"))?;
    let json = match format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(ToStandardError { json })
        .with_target(false);
    // A second start (in tests) keeps the first one's settings.
    let _ = if json {
        builder.json().flatten_event(true).with_current_span(false).try_init()
    } else {
        builder.with_ansi(color && std::io::stderr().is_terminal()).try_init()
    };
    Ok(())
}
