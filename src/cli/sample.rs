//! `sample`: a payload of a sender, and what the gateway makes of it, before the first delivery.

use bytes::Bytes;
use clap::Args;
use http::HeaderMap;
use serde_json::{Value, json};

use super::explain::{git_facts, stand_in};
use super::failure::Failure;
use super::providers::find;
use super::screen::{Screen, Tone, raw};
use crate::authenticate::{Unverified, kept};
use crate::clock::{Clock, SystemClock};
use crate::config::{SourcePlan, documented_source};
use crate::event::{Understood, understand};
use crate::providers::Provider;

/// Print a payload of a sender, and nothing else.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway sample github > push.json\n  \
    cdsw-gateway sample github pull_request\n  \
    cdsw-gateway sample mlflow --meaning             what `event` and `git` are for it\n\n\
    `cdsw-gateway providers` lists the events that there are samples of.")]
pub(super) struct Sample {
    /// The provider
    provider: String,
    /// The kind of event, in the sender's words; the provider's usual one unless given
    event: Option<String>,
    /// Show also what the gateway makes of it: `event` and `git`, as routes see them
    #[arg(long)]
    meaning: bool,
}

impl Sample {
    pub(super) fn run(self, screen: Screen) -> Result<(), Failure> {
        let provider = find(&self.provider)?;
        show(screen, provider, self.event.as_deref(), self.meaning)
    }
}

/// Prints a sample of the provider, and with `meaning` what it means.
pub(super) fn show(
    screen: Screen,
    provider: &'static dyn Provider,
    event: Option<&str>,
    meaning: bool,
) -> Result<(), Failure> {
    let kind = event.unwrap_or_else(|| provider.sample_kind());
    let body = provider.sample_of(kind, "sample").ok_or_else(|| {
        let (name, there) = (provider.name(), provider.sample_kinds().join(", "));
        Failure::Missing(format!("there is no sample of `{kind}` for {name}; there are: {there}"))
    })?;
    if !meaning && !screen.json() {
        return raw(&body).map_err(|error| Failure::Failed(error.to_string()));
    }
    let means = means(provider, event, &body)?;
    if screen.json() {
        let payload = serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&body)));
        screen.value(&json!({ "provider": provider.name(), "payload": payload, "means": means }));
        return Ok(());
    }
    screen.line(screen.paint(Tone::Strong, "payload"));
    screen.lines(String::from_utf8_lossy(&body).trim_end());
    screen.line("");
    screen.line(screen.paint(Tone::Strong, "what routes see of it"));
    screen.value(&means);
    Ok(())
}

/// `event` and `git` of the sample, by the steps that a delivery goes through.
fn means(
    provider: &'static dyn Provider,
    event: Option<&str>,
    body: &[u8],
) -> Result<Value, Failure> {
    let source = documented_source(provider, &[]).map_err(|report| {
        Failure::Failed(format!("its documented source has a fault: {}", report.render(false)))
    })?;
    let kind = event.unwrap_or_else(|| provider.sample_kind());
    let (headers, _) = stand_in(&source, body, Some(kind), &HeaderMap::new(), SystemClock.now());
    let understood = judged(&source, &headers, body)?;
    let git: Vec<_> = understood.events.iter().map(git_facts).collect();
    Ok(json!({
        "event": { "kind": understood.kind, "name": understood.name, "action": understood.action },
        "git": git,
        "starts_nothing": understood.handshake.map(|handshake| handshake.to_string()),
    }))
}

fn judged(source: &SourcePlan, headers: &HeaderMap, body: &[u8]) -> Result<Understood, Failure> {
    let body = Bytes::copy_from_slice(body);
    let request = Unverified {
        method: &http::Method::POST,
        path: "/",
        rest: "",
        query: "",
        headers,
        body: &body,
    };
    let verified = request.verified(kept::kept(crate::model::Value::Null));
    understand(&verified, source.provider, &source.options, &source.name)
        .map_err(|fault| Failure::Failed(format!("the sample cannot be read: {fault}")))
}
