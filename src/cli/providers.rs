//! `providers`: the senders that the gateway knows, and how to set each of them up.

use std::io::Write as _;

use clap::Args;
use serde::Serialize;

use super::failure::Failure;
use super::screen::{Screen, Tone};
use crate::config;
use crate::providers::{self, Provider};

/// List the senders that are known, or show how to set one up.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway providers\n  \
    cdsw-gateway providers mlflow                        what to click, what to write\n  \
    cdsw-gateway providers mlflow --sample               a payload, and what routes see of it\n  \
    cdsw-gateway providers mlflow --sample-secret > secret.txt\n\n\
    The sample secret is in every copy of this program: use it to try things out, and nowhere else.")]
pub(super) struct Providers {
    /// The provider to show
    name: Option<String>,
    /// Print the secret that `send --provider` signs with when none is given; what a gateway needs
    /// to believe it
    #[arg(long, requires = "name")]
    sample_secret: bool,
    /// Show a payload of it, and what routes see of that: of this kind of event, or of its usual one
    #[arg(long, value_name = "EVENT", requires = "name", num_args = 0..=1, default_missing_value = "")]
    sample: Option<String>,
}

#[derive(Serialize)]
struct View {
    name: &'static str,
    title: &'static str,
    group: &'static str,
    setup: &'static [&'static str],
    source: &'static str,
    options: &'static [&'static str],
    carries: &'static str,
    yields: &'static str,
    samples: Vec<&'static str>,
    proven: String,
    sources: &'static [&'static str],
}

impl View {
    fn of(provider: &'static dyn Provider) -> Self {
        let about = provider.about();
        Self {
            name: provider.name(),
            title: provider.title(),
            group: about.group.title(),
            setup: about.setup,
            source: about.source,
            options: provider.takes(),
            carries: about.carries,
            yields: about.yields,
            samples: provider.sample_kinds(),
            proven: format!("{:?}", about.proven).to_lowercase(),
            sources: about.sources,
        }
    }
}

impl Providers {
    pub(super) fn run(self, screen: Screen) -> Result<(), Failure> {
        let Some(name) = &self.name else {
            list(screen);
            return Ok(());
        };
        let provider = find(name)?;
        if self.sample_secret {
            return std::io::stdout()
                .write_all(provider.sample_secret().expose())
                .map_err(|error| Failure::Failed(error.to_string()));
        }
        if let Some(event) = &self.sample {
            let event = Some(event.as_str()).filter(|event| !event.is_empty());
            return super::sample::show(screen, provider, event, true);
        }
        show(screen, provider);
        Ok(())
    }
}

/// Every provider, with the events that there are samples of.
pub(super) fn list(screen: Screen) {
    let views: Vec<View> = providers::names().filter_map(providers::find).map(View::of).collect();
    if screen.json() {
        return screen.value(&serde_json::json!({ "providers": views }));
    }
    let row =
        |view: &View| vec![view.name.to_owned(), view.title.to_owned(), view.samples.join(", ")];
    let rows: Vec<Vec<String>> = views.iter().map(row).collect();
    screen.table(&["PROVIDER", "SENDER", "SAMPLES"], &rows);
}

/// The provider of this name. The error suggests a known one.
pub(super) fn find(name: &str) -> Result<&'static dyn Provider, Failure> {
    providers::find(name).ok_or_else(|| {
        Failure::Missing(format!("there is no provider `{name}`; {}", config::provider_meant(name)))
    })
}

fn show(screen: Screen, provider: &'static dyn Provider) {
    let view = View::of(provider);
    if screen.json() {
        return screen.value(&view);
    }
    screen.line(screen.paint(Tone::Strong, format!("{} ({})", view.title, view.name)));
    screen.line("");
    screen.line(view.carries);
    screen.line("");
    screen.line(screen.paint(Tone::Strong, "at the sender"));
    for (number, step) in (1..).zip(view.setup) {
        screen.line(format!("  {number}. {step}"));
    }
    screen.line("");
    screen.line(screen.paint(Tone::Strong, "in gateway.yaml"));
    screen.line("  sources:");
    screen.line(format!("    {}:", view.name));
    view.source.lines().for_each(|line| screen.line(format!("      {line}")));
    screen.line("");
    let rows = [
        ("options", view.options.join(", ")),
        ("yields", view.yields.to_owned()),
        ("samples", view.samples.join(", ")),
        ("proven", provider.about().proven.words().to_owned()),
        ("sources", view.sources.join("; ")),
    ];
    for (name, text) in rows.iter().filter(|(_, text)| !text.is_empty()) {
        screen.line(format!("{name:<9} {text}"));
    }
}
