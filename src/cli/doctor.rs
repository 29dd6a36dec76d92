//! `doctor`: says whether the gateway answers, and checks everything that a configuration depends on outside the
//! program.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use reqwest::Url;

use super::ConfigFile;
use super::client::{Trust, address, over_http, place};
use super::failure::Failure;
use super::screen::{Screen, Tone};
use crate::admin::views::{Readiness, Ready, SecretsView, Status, TokenView};
use crate::checkup::{Finding, checkup, look_up, store};
use crate::config::{self, Live, Plan, Report};
use crate::error_chain::with_causes;
use crate::model::{Secret, counted, to_the_second};

/// Where a gateway has its admin listener, where nothing else is said.
const USUAL: &str = "http://127.0.0.1:8081";
/// How long the gateway may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take for its own checks: each address that it asks has a time-out of its own.
const CHECKS: Duration = Duration::from_secs(60);

/// Check the running gateway, keys, certificates, store, clocks and workbenches.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway doctor --config gateway.yaml\n  \
    cdsw-gateway doctor --offline          before the first start: no gateway has to answer\n  \
    cdsw-gateway doctor --look-up-jobs     ask the workbenches for each job with its key, too\n\n\
    Says first whether the gateway answers, and what it wants a person to look at. Then it reads every\n\
    secret, looks at the store and connects to every workbench; it starts no job and writes nothing.\n\
    Where the files on disk are faulty, the running gateway checks what is in force. Exit status 1 when\n\
    something is not as it should be, or the gateway does not answer; 3 when gateway.yaml is faulty.")]
pub(super) struct Doctor {
    #[command(flatten)]
    file: ConfigFile,
    /// Do not ask the running gateway
    #[arg(long)]
    offline: bool,
    /// Address of the running gateway's admin listener; `server.admin` of the configuration unless given
    #[arg(long, env = "CDSW_GATEWAY_URL", value_parser = address)]
    url: Option<Url>,
    /// File that holds an admin token; the first of the configuration unless given
    #[arg(long, value_name = "FILE", env = "CDSW_GATEWAY_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    trust: Trust,
    /// Ask for each job's description with its key; the call is not documented by the vendor
    #[arg(long)]
    look_up_jobs: bool,
}

impl Doctor {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let live = Live::start(&self.file.config);
        let mut findings = Vec::new();
        let mut in_force = None;
        if !self.offline {
            let asking = Asking::new(&self, live.as_ref().ok()).await?;
            let (found, is_whole) = asking.gateway().await;
            findings.extend(found);
            if is_whole {
                findings.extend(asking.tokens().await);
            }
            let is_good = live.as_ref().is_ok_and(|live| live.last_report().is_good());
            if is_whole && !is_good {
                in_force = Some(asking.checks().await);
            }
        }
        let faulty = match &live {
            Ok(live) => {
                findings.extend(self.of_files(live).await);
                None
            }
            Err(report) => {
                findings.push(faults(&self.file.config, report));
                Some(Failure::Config(report.render(screen.color())))
            }
        };
        findings.extend(in_force.into_iter().flatten());
        if findings.len() > 1 || faulty.is_none() {
            show(screen, &findings);
        }
        match faulty {
            Some(failure) => Err(failure),
            None if findings.iter().all(|finding| finding.good) => Ok(()),
            None => Err(Failure::Found),
        }
    }

    /// Checks the files on disk, and what they depend on.
    async fn of_files(&self, live: &Live) -> Vec<Finding> {
        let plan = live.plan();
        let report = live.last_report();
        let mut findings = vec![match report.is_good() {
            true => {
                let words = format!("{} is in order", live.path().display());
                Finding::new("configuration", Ok(words))
            }
            false => faults(live.path(), &report),
        }];
        findings.extend(exposed(&self.file.config, &plan));
        findings.push(store(live).await);
        findings.extend(checkup(live).await);
        if self.look_up_jobs {
            for job in plan.jobs.values() {
                findings.push(look_up(live, job).await);
            }
        }
        findings
    }
}

fn faults(path: &Path, report: &Report) -> Finding {
    let faults = counted(report.faults.len() as u64, "fault");
    Finding::new("configuration", Err(format!("{} has {faults} (run `check`)", path.display())))
}

/// What `check` says of the permissions of the store's files.
fn exposed(config: &Path, plan: &Plan) -> Vec<Finding> {
    let warnings = config::exposed(config, &plan.store);
    warnings.into_iter().map(|words| Finding::new("store files", Err(words))).collect()
}

/// The running gateway, and who asks it.
struct Asking {
    client: reqwest::Client,
    url: Url,
    token: Option<Secret>,
}

impl Asking {
    async fn new(doctor: &Doctor, live: Option<&Live>) -> Result<Self, Failure> {
        let url = match (&doctor.url, live) {
            (Some(url), _) => url.clone(),
            (None, Some(live)) => own_address(live)?,
            (None, None) => {
                USUAL.parse().map_err(|_| Failure::Failed("a literal address".to_owned()))?
            }
        };
        let token = match &doctor.token_file {
            Some(path) => {
                Some(Secret::new(std::fs::read_to_string(path).unwrap_or_default().trim()))
            }
            None => match std::env::var("CDSW_GATEWAY_TOKEN") {
                Ok(token) if !token.trim().is_empty() => Some(Secret::new(token.trim())),
                _ => match live {
                    Some(live) => first_token(live).await,
                    None => None,
                },
            },
        };
        let client = doctor.trust.client(&url, PATIENCE)?;
        Ok(Self { client, url, token })
    }

    /// What the gateway says of itself, and whether it knows the token.
    async fn gateway(&self) -> (Vec<Finding>, bool) {
        let one = |found| (vec![Finding::new("gateway", found)], false);
        let shown = &self.url;
        match self.get::<Ready>("readyz", PATIENCE).await {
            Err(why) => {
                one(Err(format!("none answers at {shown}: {why} (--offline checks without it)")))
            }
            Ok(Ready::Status(status)) => (of_status(shown, *status), true),
            Ok(Ready::Readiness(Readiness { ready, stopping, notes })) => {
                let state = match (ready, stopping) {
                    (true, _) => "ready",
                    (false, true) => "not ready, since it stops",
                    (false, false) => "not ready",
                };
                let words = format!(
                    "{shown} runs and is {state}, with {}; it accepts no admin token of this \
                     configuration, so it does not say more",
                    counted(notes as u64, "note")
                );
                one(if ready && notes == 0 { Ok(words) } else { Err(words) })
            }
        }
    }

    /// What the gateway has seen of its tokens.
    async fn tokens(&self) -> Vec<Finding> {
        match self.get::<SecretsView>("api/secrets", PATIENCE).await {
            Ok(view) => view.tokens.iter().map(|token| traced(token, view.since)).collect(),
            Err(why) => {
                let words = format!("the gateway did not say how they are used: {why}");
                vec![Finding::new("admin tokens", Err(words))]
            }
        }
    }

    /// What the gateway finds of the configuration that is in force.
    async fn checks(&self) -> Vec<Finding> {
        match self.get::<crate::admin::views::DoctorView>("api/doctor", CHECKS).await {
            Ok(view) => {
                let of = |finding: Finding| Finding {
                    what: format!("in force: {}", finding.what),
                    ..finding
                };
                view.findings.into_iter().map(of).collect()
            }
            Err(why) => {
                vec![Finding::new("in force", Err(format!("the gateway did not check it: {why}")))]
            }
        }
    }

    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        patience: Duration,
    ) -> Result<T, String> {
        let mut url = over_http(&self.url);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        let mut request = self.client.get(url).timeout(patience);
        if let Some(token) = &self.token {
            request = request.bearer_auth(String::from_utf8_lossy(token.expose()));
        }
        let why = |error: reqwest::Error| with_causes(&error.without_url());
        request.send().await.map_err(why)?.json().await.map_err(why)
    }
}

/// What the gateway has seen of a token.
fn traced(token: &TokenView, since: Timestamp) -> Finding {
    let used = match token.last {
        Some(last) => {
            let requests = counted(token.uses, "request");
            format!("used by {requests}, last at {}", to_the_second(last))
        }
        None => "not used".to_owned(),
    };
    let changed = token.changed.map(|at| format!("; its value changed at {}", to_the_second(at)));
    let words = format!("{used} since {}{}", to_the_second(since), changed.unwrap_or_default());
    Finding::new(format!("admin token {}", token.name), Ok(words))
}

/// The findings of a gateway that shows everything: whether it is ready, and its notes.
fn of_status(url: &Url, status: Status) -> Vec<Finding> {
    let counts = format!(
        "{url} answers (version {}, configuration {}): {} queued, {} in flight, {} held",
        status.version, status.config, status.queued, status.sending, status.held
    );
    let runs = if status.ready { Ok(counts) } else { Err(counts) };
    let notes = status.notes.into_iter().map(Err);
    std::iter::once(runs).chain(notes).map(|found| Finding::new("gateway", found)).collect()
}

/// Where the gateway of this configuration has its admin listener, as this machine reaches it.
fn own_address(live: &Live) -> Result<Url, Failure> {
    let admin = &live.plan().server.admin;
    place(admin).ok_or_else(|| {
        Failure::Usage(format!(
            "server.admin is {admin}, and only systemd knows where that listens; give its address with --url"
        ))
    })
}

async fn first_token(live: &Live) -> Option<Secret> {
    let plan = live.plan();
    for reference in plan.server.admin_tokens.values() {
        if let Ok(token) = live.secrets().resolve(reference).await {
            return Some(token);
        }
    }
    None
}

fn show(screen: Screen, findings: &[Finding]) {
    if screen.json() {
        let good = findings.iter().all(|finding| finding.good);
        return screen.value(&serde_json::json!({ "good": good, "findings": findings }));
    }
    for finding in findings {
        let mark = if finding.good {
            screen.paint(Tone::Good, "ok   ")
        } else {
            screen.paint(Tone::Bad, "FAULT")
        };
        screen.words(7, format!("{mark}  {}: {}", finding.what, finding.words));
    }
}
