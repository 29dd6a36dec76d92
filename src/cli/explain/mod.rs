//! `explain`: judges a payload or a saved request as the gateway would, without a gateway, a store or a
//! network.

mod claims;
mod github_page;
mod given;
mod har;
mod kind;
mod raw;
mod request;
mod saved;
mod show;

use std::path::PathBuf;

use bytes::Bytes;
use clap::Args;
use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde::Serialize;

use super::ConfigFile;
use super::failure::Failure;
use super::screen::{Screen, Tone};
use crate::admin::views::ExplanationView;
use crate::authenticate::{Proof, Refusal, Unverified, kept};
use crate::clock::{Clock, SystemClock};
use crate::config::{Effect, Fault, Live, Report, SourcePlan, SourceSecrets};
use crate::content::{self, Bounds, ContentFault};
use crate::event::{Event, Understood, understand};
use crate::judge::{Detail, Judged, judge};
use crate::model::{DeliveryId, Environment, Value};
use crate::random::{Random, SystemRandom};
pub(super) use given::{find_source, parse_header, read};
use given::{moment, number};
use kind::KindFrom;
pub(super) use kind::stand_in;
use request::SavedRequest;
use saved::Given;
use show::{Shown, parts, show};

/// Show what a payload would start, and why each route does or does not match.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway explain github push.json\n  \
    cdsw-gateway explain github push.json --event pull_request\n  \
    cdsw-gateway explain ci build.json --header 'X-Event: build.finished'\n  \
    cdsw-gateway explain ci build.json --claims claims.json\n  \
    cdsw-gateway explain github push.json --header 'X-GitHub-Event: push' \\\n      \
      --header \"X-Hub-Signature-256: sha256=…\" --verify\n  \
    cdsw-gateway explain github saved.http --verify --at 2026-03-01T12:00:00Z\n  \
    cdsw-gateway explain github network.har --entry 12 --verify\n\n\
    A saved request is raw HTTP (a first line, headers, an empty line, the body; the first line may\n\
    be missing), a HAR file, or what GitHub shows under Recent Deliveries (the block \"Headers\" and the\n\
    payload): its content tells which.\n\n\
    Starts nothing. Without --verify the payload is taken as authentic and no secret is read. Exit\n\
    status 1 when no route matches, or when the request is not authentic; 3 when a file or a route is\n\
    held back because of a fault, whatever the others match.")]
pub(super) struct Explain {
    #[command(flatten)]
    file: ConfigFile,
    /// The source that would receive it
    source: String,
    /// The payload, or a request that was saved with its headers; `-` reads standard input
    payload: PathBuf,
    /// The kind of event, in the sender's words; sets the header that the sender would
    #[arg(long, short)]
    event: Option<String>,
    /// A header of the request; may be given several times
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The claims of the sender's token, as a JSON object in a file; else those of the token in a header are
    /// read, which nothing checks
    #[arg(long, value_name = "FILE", conflicts_with = "verify")]
    claims: Option<PathBuf>,
    /// Check the signature too, with the source's secrets
    #[arg(long)]
    verify: bool,
    /// Judge a signed time as if it were this moment: an RFC 3339 time or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = moment, requires = "verify")]
    at: Option<Timestamp>,
    /// Which entry of a HAR file, counted from 1; the last one that posts something unless given
    #[arg(long, value_name = "N", value_parser = number)]
    entry: Option<usize>,
}

#[derive(Serialize)]
struct Answer<'a> {
    source: &'a str,
    provider: &'a str,
    authentic: Option<bool>,
    /// Faults that keep files or routes out of force; they come first, since what follows lacks those routes.
    faults: Vec<&'a Fault>,
    kind: &'a str,
    /// Where the kind comes from.
    kind_from: KindFrom,
    name: Option<&'a str>,
    action: Option<&'a str>,
    delivery_key: String,
    repeats: String,
    /// The git facts of each event, as expressions see them; null where it has none.
    git: Vec<Option<serde_json::Value>>,
    /// The claims, and where they come from.
    claims: Option<&'a str>,
    explanation: ExplanationView,
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

/// The body that a saved request holds, or the whole of a payload; for the fuzzer.
///
/// # Errors
/// Why the file cannot be read as what it seems to be.
pub fn saved_body(bytes: Vec<u8>, entry: Option<usize>) -> Result<Vec<u8>, String> {
    saved::read(bytes, entry).map(|given| match given {
        Given::Payload(body) => body,
        Given::Request(request) => request.body,
    })
}

impl Explain {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let live = Live::start(&self.file.config)
            .map_err(|report| Failure::Config(report.render(screen.color())))?;
        let plan = live.plan();
        let report = live.last_report();
        let faults = out_of_force(&report);
        if !screen.json() {
            show_faults(screen, &faults);
        }
        let source = find_source(&plan, &self.source)?;
        let (saved, kind_from) = self.request(source)?;
        let usual = format!("/hooks/{}", self.source);
        let rest = saved.rest();
        let body = Bytes::copy_from_slice(&saved.body);
        let request = Unverified {
            method: &saved.method,
            path: saved.path.as_deref().unwrap_or(&usual),
            rest: &rest,
            query: &saved.query,
            headers: &saved.headers,
            body: &body,
        };
        let now = self.at.unwrap_or_else(|| SystemClock.now());
        let secrets = if self.verify {
            let secrets = live.source_secrets(source).await;
            secrets.map_err(|fault| Failure::Failed(fault.to_string()))?
        } else {
            SourceSecrets::default()
        };
        self.not_a_greeting(screen, source, &request, &secrets, saved.lacks, now)?;
        let claimed = claims::claimed(source, &saved.headers, self.claims.as_deref())?;
        let proof = self.proof(source, &saved, &request, &secrets, (now, &claimed.claims))?;
        let limit = source.body_limit.unwrap_or(plan.server.body_limit);
        let bounds = Bounds { most: limit, room: &mut |_| true };
        let plain = content::plain(&saved.headers, &body, bounds).map_err(|fault| {
            let status = fault.status().as_u16();
            Failure::Failed(format!("not readable, so it would get {status}: {fault}"))
        })?;
        let body = plain.as_ref().unwrap_or(&body);
        let verified = Unverified { body, ..request }.verified(proof);
        let understood = understand(&verified, source.provider, &source.options, &source.name)
            .map_err(|fault| {
                if content::is_multipart(&saved.headers, body) {
                    let kind = content::bare_type(&saved.headers).to_owned();
                    let fault = ContentFault::Multipart(kind);
                    return Failure::Failed(format!("not readable, so it would get 415: {fault}"));
                }
                let lacks = saved.lacks.filter(|_| saved.body.is_empty());
                let why = lacks.map_or_else(|| fault.to_string(), str::to_owned);
                Failure::Failed(format!("not readable, so it would get 400: {why}"))
            })?;
        let id = DeliveryId::new(now, SystemRandom.bits());
        let judged = judge(&plan, source, &understood, id, Detail::Every);
        let shown = Shown {
            verified: self.verify,
            kind_from,
            claims: claimed.words.as_deref().filter(|_| !self.verify),
            now,
        };
        if screen.json() {
            screen.value(&self.answer(source, &understood, &judged, &shown, faults.clone()));
        } else {
            show(screen, source, &understood, &judged, &shown);
        }
        match (faults.is_empty(), judged.runs.is_empty()) {
            (false, _) => Err(Failure::Config(String::new())),
            (true, true) => Err(Failure::Found),
            (true, false) => Ok(()),
        }
    }

    /// The request that was given: a saved one, or the one that the sender would make of a payload.
    fn request(&self, source: &SourcePlan) -> Result<(SavedRequest, KindFrom), Failure> {
        let bytes = read(&self.payload)?;
        let shown = self.payload.display();
        let given = saved::read(bytes, self.entry)
            .map_err(|why| Failure::Failed(format!("cannot read {shown}: {why}")))?;
        let mut headers = HeaderMap::new();
        for header in &self.headers {
            let (name, value) = parse_header(header)?;
            headers.insert(name, value);
        }
        let mut kind_from = KindFrom::Request;
        let mut request = match given {
            Given::Request(_) if self.event.is_some() => {
                let why = "--event goes with a payload; a saved request has its own headers";
                return Err(Failure::Usage(why.to_owned()));
            }
            Given::Request(request) => *request,
            Given::Payload(body) => {
                let mut request = SavedRequest::to("POST", None).map_err(Failure::Failed)?;
                if !self.verify {
                    let event = self.event.as_deref();
                    let now = SystemClock.now();
                    (request.headers, kind_from) = stand_in(source, &body, event, &headers, now);
                    if source.provider.tells_claims() {
                        // A token that stands in has claims that nobody gave.
                        for name in source.provider.signed_headers(&source.options) {
                            request.headers.remove(name);
                        }
                    }
                }
                request.lacks = Some(match &*body {
                    b"" => "the file is empty",
                    _ => {
                        "the file holds only a payload and no headers; save the whole request, or \
                          add its headers with --header"
                    }
                });
                request.body = body;
                request
            }
        };
        headers.iter().for_each(|(name, value)| {
            request.headers.insert(name.clone(), value.clone());
        });
        Ok((request, kind_from))
    }

    /// An error where the request is a greeting that is not signed as deliveries are, or has another
    /// method than POST, which only greetings may have.
    fn not_a_greeting(
        &self,
        screen: Screen,
        source: &SourcePlan,
        request: &Unverified<'_>,
        secrets: &SourceSecrets,
        lacks: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        match source.provider.greet(request, &source.verification(secrets.held(), now)) {
            Some(Ok(greeting)) => {
                let what = greeting.what;
                screen.line(format!("a greeting ({what}): it is answered and starts nothing"));
                Err(Failure::Found)
            }
            Some(Err(refusal)) if self.verify => Err(refused(&refusal, lacks, request.body)),
            _ if request.method != Method::POST => Err(Failure::Failed(format!(
                "webhooks are sent with POST, and this is {}, so it would get 405",
                request.method
            ))),
            _ => Ok(()),
        }
    }

    fn proof(
        &self,
        source: &SourcePlan,
        saved: &SavedRequest,
        request: &Unverified<'_>,
        secrets: &SourceSecrets,
        (now, claims): (Timestamp, &Value),
    ) -> Result<Proof, Failure> {
        if !self.verify {
            return Ok(kept::kept(claims.clone()));
        }
        if let Some(doubt) = &saved.doubt {
            return Err(Failure::Failed(format!("its signature cannot be checked: {doubt}")));
        }
        source
            .prove(request, secrets.held(), now)
            .map_err(|refusal| refused(&refusal, saved.lacks, request.body))
    }

    fn answer<'a>(
        &self,
        source: &'a SourcePlan,
        understood: &'a Understood,
        judged: &'a Judged,
        shown: &Shown<'a>,
        faults: Vec<&'a Fault>,
    ) -> Answer<'a> {
        Answer {
            source: &source.name,
            provider: source.provider.name(),
            authentic: self.verify.then_some(true),
            faults,
            kind: &understood.kind,
            kind_from: shown.kind_from,
            name: understood.name.as_deref(),
            action: understood.action.as_deref(),
            delivery_key: understood.identity.key().to_string(),
            repeats: source.repeats_in_words(&understood.identity, shown.now),
            git: understood.events.iter().map(git_facts).collect(),
            claims: shown.claims,
            explanation: (&judged.explanation).into(),
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

/// The faults that keep a file or a route out of force.
fn out_of_force(report: &Report) -> Vec<&Fault> {
    let matters =
        |fault: &&Fault| matches!(fault.effect, Effect::FileHeldBack | Effect::RouteHeldBack);
    report.faults.iter().filter(matters).collect()
}

/// Names the files that are held back, and their faults.
fn show_faults(screen: Screen, faults: &[&Fault]) {
    if faults.is_empty() {
        return;
    }
    let files: std::collections::BTreeSet<&str> = faults.iter().map(|fault| &*fault.file).collect();
    let files: Vec<&str> = files.into_iter().collect();
    let faults = faults.iter().map(|fault| (*fault).clone()).collect();
    screen.report(&Report { faults, ..Report::default() });
    let words =
        format!("held back because of these faults, so not asked below: {}", files.join(", "));
    screen.line(screen.paint(Tone::Bad, words));
    screen.line("");
}

/// The git facts of an event, as expressions see them.
pub(super) fn git_facts(event: &Event) -> Option<serde_json::Value> {
    event.git.as_ref()?;
    // No git fact depends on the delivery's id.
    let variables = event.variables(DeliveryId::from_bytes([0; 16]));
    let (_, git) = variables.iter().find(|(name, _)| *name == "git")?;
    let mut text = String::new();
    git.write_json(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Why the request is not authentic, with a hint where there is one.
fn refused(refusal: &Refusal, lacks: Option<&str>, body: &[u8]) -> Failure {
    let is_missing = matches!(refusal, Refusal::MissingHeader(_) | Refusal::MissingField(_));
    let is_empty = body.is_empty() && matches!(refusal, Refusal::BadSignature);
    if let Some(lacks) = lacks.filter(|_| is_missing || is_empty) {
        return Failure::Failed(format!("its signature cannot be checked: {lacks}"));
    }
    let hint = match refusal {
        Refusal::Stale { .. } => "; --at TIME judges it as of the time when it was sent",
        Refusal::BadSignature if body.ends_with(b"\n") => {
            "; the body ends with a line break, which may have been added when it was saved"
        }
        _ => "",
    };
    Failure::Failed(format!("not authentic, so it would get 401: {refusal}{hint}"))
}
