//! `explain`: a payload through the pure steps, without a gateway, a store or a network.

use std::path::{Path, PathBuf};

use clap::Args;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;

use super::ConfigFile;
use super::deliveries::show_explanation;
use super::failure::Failure;
use super::runs::show_environment;
use super::screen::{Screen, Tone, printable};
use crate::authenticate::{Unverified, kept};
use crate::chance::{Chance, SystemChance};
use crate::clock::{Clock, SystemClock};
use crate::config::{Live, Plan, SourcePlan};
use crate::event::{Understood, understand};
use crate::judge::{Detail, Judged, Mapped, judge};
use crate::matching::Explanation;
use crate::model::{DeliveryId, Environment, GitFacts, Value};
use crate::providers::Outgoing;

/// Show what a payload would start, and why each route does or does not match.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway explain github push.json\n  \
    cdsw-gateway explain github push.json --event pull_request\n  \
    cdsw-gateway explain ci build.json --header 'X-Event: build.finished'\n  \
    cdsw-gateway explain github push.json --header 'X-GitHub-Event: push' \\\n      \
      --header \"X-Hub-Signature-256: sha256=…\" --verify\n\n\
    Starts nothing. Without --verify the payload is taken as authentic and no secret is read. Exit\n\
    status 1 when no route matches, or when the request is not authentic.")]
pub(super) struct Explain {
    #[command(flatten)]
    file: ConfigFile,
    /// The source that would receive it
    source: String,
    /// The payload; `-` reads standard input
    payload: PathBuf,
    /// The kind of event, in the sender's words; sets the header that the sender would
    #[arg(long, short)]
    event: Option<String>,
    /// A header of the request; may be given several times
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Check the signature too, with the source's secrets
    #[arg(long)]
    verify: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    source: &'a str,
    provider: &'a str,
    authentic: Option<bool>,
    kind: &'a str,
    name: Option<&'a str>,
    action: Option<&'a str>,
    delivery_key: String,
    explanation: &'a Explanation,
    runs: Vec<Would<'a>>,
}

#[derive(Serialize)]
struct Would<'a> {
    route: &'a str,
    job: &'a str,
    part: u32,
    environment: Option<&'a Environment>,
    reason: Option<&'a str>,
}

impl Explain {
    pub(super) fn run(self, screen: Screen) -> Result<(), Failure> {
        let live = Live::start(&self.file.config)
            .map_err(|report| Failure::Config(report.render(screen.color())))?;
        let plan = live.plan();
        let source = find_source(&plan, &self.source)?;
        let body = read(&self.payload)?;
        let headers = self.request_headers(source, &body)?;
        let request = Unverified {
            method: &Method::POST,
            path: &format!("/hooks/{}", self.source),
            rest: "",
            query: "",
            headers: &headers,
            body: &body,
        };
        let now = SystemClock.now();
        let proof = if self.verify {
            let secrets =
                live.source_secrets(source).map_err(|fault| Failure::Failed(fault.to_string()))?;
            source.prove(&request, &secrets, now).map_err(|refusal| {
                Failure::Failed(format!("not authentic, so it would get 401: {refusal}"))
            })?
        } else {
            kept::kept(Value::Null)
        };
        let verified = request.verified(proof);
        let understood = understand(&verified, source.provider, &source.options, &source.name)
            .map_err(|fault| {
                Failure::Failed(format!("not readable, so it would get 400: {fault}"))
            })?;
        let id = DeliveryId::new(now, SystemChance.bits());
        let judged = judge(&plan, source, &understood, id, Detail::Every);
        if screen.json() {
            screen.value(&self.answer(source, &understood, &judged));
        } else {
            show(screen, source, &understood, &judged, self.verify);
        }
        if judged.runs.is_empty() { Err(Failure::Found) } else { Ok(()) }
    }

    /// The headers that were given, and those that the sender would set for this kind of event.
    fn request_headers(&self, source: &SourcePlan, body: &[u8]) -> Result<HeaderMap, Failure> {
        let mut headers = HeaderMap::new();
        let event = self.event.as_deref().unwrap_or("push");
        let outgoing = Outgoing { method: &Method::POST, path: "/", event, body };
        // Signed with a throw-away secret: only its other headers are of use here.
        let stand_in = source.provider.sample_signer();
        if let Ok(signed) = source.provider.sign(
            &outgoing,
            &stand_in,
            &source.options,
            "explained",
            SystemClock.now(),
        ) && !self.verify
        {
            headers.extend(signed.headers);
        }
        for header in &self.headers {
            let (name, value) = parse_header(header)?;
            headers.insert(name, value);
        }
        Ok(headers)
    }

    fn answer<'a>(
        &self,
        source: &'a SourcePlan,
        understood: &'a Understood,
        judged: &'a Judged,
    ) -> Answer<'a> {
        Answer {
            source: &source.name,
            provider: source.provider.name(),
            authentic: self.verify.then_some(true),
            kind: &understood.kind,
            name: understood.name.as_deref(),
            action: understood.action.as_deref(),
            delivery_key: understood.identity.key().to_string(),
            explanation: &judged.explanation,
            runs: judged
                .runs
                .iter()
                .map(|draft| {
                    let (environment, reason) = parts(&draft.mapped);
                    Would {
                        route: &draft.route.name,
                        job: &draft.route.job.name,
                        part: draft.part,
                        environment,
                        reason,
                    }
                })
                .collect(),
        }
    }
}

fn parts(mapped: &Mapped) -> (Option<&Environment>, Option<&str>) {
    match mapped {
        Mapped::Ready(environment) => (Some(environment), None),
        Mapped::Held(environment, reason) => (Some(environment), Some(reason)),
        Mapped::Failed(reason) => (None, Some(reason)),
    }
}

fn show(
    screen: Screen,
    source: &SourcePlan,
    understood: &Understood,
    judged: &Judged,
    verified: bool,
) {
    let authentic = if verified {
        screen.paint(Tone::Good, "authentic")
    } else {
        screen.paint(Tone::Dim, "signature not checked (--verify checks it)")
    };
    screen.line(format!("source    {} ({}), {authentic}", source.name, source.provider.title()));
    let name = understood
        .name
        .as_deref()
        .filter(|name| *name != &*understood.kind)
        .map(|name| format!(" ({})", printable(name)))
        .unwrap_or_default();
    let action = understood.action.as_deref().map(|action| format!(", {}", printable(action)));
    screen.line(format!(
        "event     {}{name}{}",
        printable(&understood.kind),
        action.unwrap_or_default()
    ));
    for event in &understood.events {
        if let Some(git) = &event.git {
            show_git(screen, git);
        }
    }
    show_explanation(screen, &judged.explanation);
    for draft in &judged.runs {
        let title = format!("would start {} by route {}", draft.route.job.name, draft.route.name);
        screen.line(screen.paint(Tone::Strong, title));
        let (environment, reason) = parts(&draft.mapped);
        if let Some(environment) = environment {
            show_environment(screen, environment);
        }
        if let Some(reason) = reason {
            screen.line(screen.paint(Tone::Warn, format!("  but       {}", printable(reason))));
        }
    }
    if judged.runs.is_empty() {
        screen.line(screen.paint(Tone::Warn, "would start nothing"));
    }
}

fn show_git(screen: Screen, git: &GitFacts) {
    let facts = [
        ("repository", &git.repository),
        ("branch", &git.branch),
        ("tag", &git.tag),
        ("sha", &git.sha),
        ("author", &git.author),
    ];
    let mut said: Vec<String> = facts
        .into_iter()
        .filter_map(|(name, fact)| Some(format!("{name} {}", printable(fact.as_ref()?))))
        .collect();
    if let Some(pull) = &git.pull_request {
        said.push(format!("pull request {}", pull.number));
    }
    if git.deleted {
        said.push("deleted".to_owned());
    }
    let whole = if git.paths.complete { "" } else { " (not known to be all)" };
    let files = match git.paths.files.len() {
        1 => "1 changed file".to_owned(),
        count => format!("{count} changed files"),
    };
    said.push(format!("{files}{whole}"));
    screen.line(format!("git       {}", said.join(", ")));
}

/// The source of this name, or which ones there are.
pub(super) fn find_source<'a>(plan: &'a Plan, name: &str) -> Result<&'a SourcePlan, Failure> {
    plan.sources.get(name).map(|source| &**source).ok_or_else(|| {
        let known: Vec<&str> = plan.sources.keys().map(|name| &**name).collect();
        Failure::Missing(format!("there is no source `{name}`; there are: {}", known.join(", ")))
    })
}

/// A payload from a file, or from standard input.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = if path == Path::new("-") {
        let mut body = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut body).map(|_| body)
    } else {
        std::fs::read(path)
    };
    read.map_err(|error| Failure::Missing(format!("cannot read {}: {error}", path.display())))
}

/// `Name: value`, as curl takes it.
pub(super) fn parse_header(text: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    let fault = || Failure::Usage(format!("`{text}` is not a header; write it as `Name: value`"));
    let (name, value) = text.split_once(':').ok_or_else(fault)?;
    let name = name.trim().parse().map_err(|_| fault())?;
    let value = HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| fault())?;
    Ok((name, value))
}
