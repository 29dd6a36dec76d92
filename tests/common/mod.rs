//! The stage of the flow tests: a real gateway on a real store, the simulator as its workbench,
//! signed requests over sockets. Time is a clock that a test moves.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test binary uses a part of it")]

pub mod postgres;
pub mod process;
pub mod reading;
pub mod skip;
pub mod tls;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cdsw_gateway::clock::{Clock, ManualClock, between};
use cdsw_gateway::config::Live;
use cdsw_gateway::gateway::{Environs, Gateway, Part};
use cdsw_gateway::issuers::Transport;
use cdsw_gateway::model::{RunId, RunState, Secret, Target};
use cdsw_gateway::providers::Outgoing;
use cdsw_gateway::random::SeededRandom;
use cdsw_gateway::simulator::{Simulator, SimulatorOptions};
use cdsw_gateway::store::{Run, RunFilter};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

/// The secrets of the tests. No log, page, metric, database or error may ever hold one: the suite
/// looks for them in all that it leaves behind.
pub const API_KEY: &str = "canary-api-key-uysgxtj7jzkps96njextnxxmq05usp0b";
pub const WEBHOOK_SECRET: &str = "canary-webhook-secret-5d1f0a9be2";
pub const GITLAB_TOKEN: &str = "canary-gitlab-token-77c0ffee";
pub const ADMIN_TOKEN: &str = "canary-admin-token-1b2c3d4e";

pub const PROJECT: &str = "alice/risk-analysis";

/// How long a test waits for something that is a matter of milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// A directory with a configuration and its secrets.
pub struct Site {
    pub directory: tempfile::TempDir,
}

impl Site {
    /// Writes the usual secrets and `gateway.yaml`: the usual workbench, jobs and sources, then
    /// `routes`, which is indented YAML under `routes:`.
    pub fn new(workbench: &str, routes: &str) -> Self {
        Self::with(workbench, routes, "", "")
    }

    /// The same with more lines under `server:` and under the workbench.
    pub fn with(workbench: &str, routes: &str, server: &str, bench: &str) -> Self {
        let site = Self { directory: tempfile::tempdir().expect("a directory") };
        std::fs::create_dir(site.path("secrets")).expect("a directory");
        for (name, secret) in [
            ("api-key", API_KEY),
            ("webhook", WEBHOOK_SECRET),
            ("gitlab", GITLAB_TOKEN),
            ("admin", ADMIN_TOKEN),
        ] {
            site.private(name, secret);
        }
        site.write_config(&config(workbench, routes, server, bench));
        site
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn config(&self) -> PathBuf {
        self.path("gateway.yaml")
    }

    pub fn write_config(&self, text: &str) {
        std::fs::write(self.config(), text).expect("written");
    }

    /// A secret's file, readable by its owner alone.
    pub fn private(&self, name: &str, secret: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path("secrets").join(name);
        std::fs::write(&path, secret).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
    }
}

/// The configuration that most tests use. Jobs `retrain` (208) and `report` (209, which is tried
/// again when nobody knows); sources `github`, `gitlab`, `open-ci` (generic HMAC).
/// Lines under the workbench that begin with the key of a usual one take its place.
pub fn config(workbench: &str, routes: &str, server: &str, bench: &str) -> String {
    let timeouts: String = [("connect_timeout", "2s"), ("timeout", "5s")]
        .into_iter()
        .filter(|(key, _)| {
            !bench.lines().any(|own| own.trim_start().starts_with(&format!("{key}:")))
        })
        .map(|(key, value)| format!("    {key}: {value}\n"))
        .collect();
    format!(
        r#"
server:
  listen: 127.0.0.1:0
  admin: 127.0.0.1:0
  admin_tokens: {{ ops: {{ file: secrets/admin }} }}
{server}
store: sqlite:gateway.db
workbenches:
  main:
    url: {workbench}
{timeouts}{bench}
    api_keys: {{ alice: {{ file: secrets/api-key }} }}
jobs:
  retrain:
    workbench: main
    project: {PROJECT}
    job: 208
    api_key: alice
    retry: {{ first: 1s, max: 60s }}
  report:
    workbench: main
    project: {PROJECT}
    job: 209
    api_key: alice
    on_unknown: retry
    retry: {{ first: 1s, max: 60s }}
sources:
  github: {{ provider: github, secrets: [{{ file: secrets/webhook }}] }}
  gitlab: {{ provider: gitlab, secrets: [{{ file: secrets/gitlab }}] }}
  open-ci:
    provider: hmac
    header: X-Signature
    event: {{ header: X-Event }}
    delivery_id: {{ header: X-Delivery }}
    secrets: [{{ file: secrets/webhook }}]
routes:
{routes}
"#
    )
}

/// A route of every push that starts `retrain`.
pub const ON_PUSH: &str = r#"
  on-push:
    on: { source: github, event: push }
    job: retrain
    env:
      GIT_SHA: ${{ git.sha }}
"#;

/// Pushes start `retrain`, which is held when nobody knows; tags that are created start `report`, which is
/// tried again.
pub const HOLD_AND_RETRY: &str = r#"
  retrain:
    on: { source: github, event: push }
    job: retrain
    env: { GIT_SHA: "${{ git.sha }}" }
  report:
    on: { source: github, event: create }
    job: report
    env: { GIT_SHA: "${{ body.after }}" }
"#;

/// Everything that runs in a test.
pub struct World {
    pub site: Site,
    pub simulator: Simulator,
    pub gateway: Gateway,
    pub live: Arc<Live>,
    pub clock: Arc<ManualClock>,
    pub client: reqwest::Client,
}

impl World {
    /// A gateway with these routes.
    pub async fn start(routes: &str) -> Self {
        Self::start_with(routes, "", "").await
    }

    /// The same with more lines under `server:` and under the workbench.
    pub async fn start_with(routes: &str, server: &str, bench: &str) -> Self {
        let simulator = simulator().await;
        let site = Site::with(&simulator.api_url(), routes, server, bench);
        Self::on(site, simulator).await
    }

    /// On a site that was prepared.
    pub async fn on(site: Site, simulator: Simulator) -> Self {
        Self::reaching(site, simulator, Transport::default()).await
    }

    /// The same, where issuers of keys are on this machine.
    pub async fn reaching(site: Site, simulator: Simulator, transport: Transport) -> Self {
        let now = "2026-03-01T12:00:00Z".parse().expect("a time");
        let world = Self::at(site, simulator, Arc::new(ManualClock::at(now)), transport).await;
        assert_eq!(world.live.faults(), 0, "{}", world.live.last_report().render(false));
        world
    }

    async fn at(
        site: Site,
        simulator: Simulator,
        clock: Arc<ManualClock>,
        transport: Transport,
    ) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let live = Arc::new(
            Live::start(&site.config()).unwrap_or_else(|report| panic!("{}", report.render(false))),
        );
        let environs = Environs {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::new(SeededRandom::new(1)),
            transport,
            passed: Default::default(),
        };
        let gateway = Gateway::start(Arc::clone(&live), environs, Part::default())
            .await
            .unwrap_or_else(|fault| panic!("{fault}"));
        let client = client();
        Self { site, simulator, gateway, live, clock, client }
    }

    /// Stops the gateway and starts it again on the same site, a second later.
    pub async fn restart(self) -> Self {
        let Self { site, simulator, gateway, clock, .. } = self;
        gateway.stop(Duration::from_secs(10)).await;
        clock.advance(Duration::from_secs(1));
        Self::at(site, simulator, clock, Transport::default()).await
    }

    /// Where webhooks are received.
    pub fn hooks(&self) -> std::net::SocketAddr {
        self.gateway.hooks().and_then(|bound| bound.tcp()).expect("it receives")
    }

    /// Where a source's webhooks go.
    pub fn hook(&self, source: &str) -> String {
        format!("http://{}/hooks/{source}", self.hooks())
    }

    /// An address of the admin side.
    pub fn admin(&self, path: &str) -> String {
        format!("http://{}{path}", self.gateway.admin())
    }

    /// A signed GitHub delivery. The payload of a push under another event's name is changed, so that it
    /// does not show that it is one.
    pub fn github(
        &self,
        event: &str,
        id: &str,
        body: impl Into<Vec<u8>>,
    ) -> reqwest::RequestBuilder {
        let mut body = body.into();
        if event != "push" && body == PUSH.as_bytes() {
            body = no_push().into_bytes();
        }
        self.client
            .post(self.hook("github"))
            .header("content-type", "application/json")
            .header("x-github-event", event)
            .header("x-github-delivery", id)
            .header("x-hub-signature-256", github_signature(&body))
            .body(body)
    }

    /// A delivery signed as the source's provider signs.
    pub fn signed(
        &self,
        source: &str,
        event: &str,
        id: &str,
        body: impl Into<Vec<u8>>,
        secret: &str,
    ) -> reqwest::RequestBuilder {
        let body = body.into();
        let plan = self.live.plan();
        let known = plan.sources.get(source).expect("a configured source");
        let path = format!("/hooks/{source}");
        let outgoing = Outgoing {
            method: &http::Method::POST,
            path: &path,
            event,
            body: &body,
            access_token: None,
        };
        let headers = known
            .provider
            .sign(&outgoing, &Secret::new(secret), &known.options, id, self.clock.now())
            .expect("it signs");
        self.client
            .post(self.hook(source))
            .headers(headers.headers.into_iter().collect())
            .body(body)
    }

    /// Sends it; gives status and JSON.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> (u16, serde_json::Value) {
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("text");
        (status, serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text)))
    }

    /// A push is sent and accepted; gives its first run.
    pub async fn push(&self, id: &str) -> RunId {
        let (status, answer) = self.send(self.github("push", id, PUSH)).await;
        assert_eq!(status, 202, "{answer}");
        answer["runs"][0]["id"].as_str().expect("a run").parse().expect("an id")
    }

    /// The run as it stands.
    pub async fn run(&self, id: RunId) -> Run {
        self.gateway.store().run(id).await.expect("read").expect("kept")
    }

    /// The run once it is in this state. Waits on the store's answers.
    pub async fn run_in(&self, id: RunId, state: RunState) -> Run {
        self.run_when(id, state.as_str(), |run| run.brief.state == state).await
    }

    /// The run once this many attempts have come to their end.
    pub async fn run_after(&self, id: RunId, attempts: usize) -> Run {
        let ended =
            |run: &Run| run.tries.iter().filter(|attempt| attempt.outcome.is_some()).count();
        self.run_when(id, "tried so often", |run| ended(run) >= attempts).await
    }

    /// The run once it is as it should be, looked at again and again for a time that only a fault
    /// uses up.
    async fn run_when(&self, id: RunId, what: &str, fits: impl Fn(&Run) -> bool) -> Run {
        let looking = async {
            loop {
                let run = self.run(id).await;
                if fits(&run) {
                    return run;
                }
                tokio::task::yield_now().await;
            }
        };
        match tokio::time::timeout(PATIENCE, looking).await {
            Ok(run) => run,
            Err(_) => panic!("run {id} is not {what}: {:#?}", self.run(id).await),
        }
    }

    /// Moves the clock on to this moment.
    pub fn advance_to(&self, moment: Timestamp) {
        self.clock.advance(between(self.clock.now(), moment));
    }

    /// Every run.
    pub async fn runs(&self) -> usize {
        let filter = RunFilter { limit: 1000, ..RunFilter::default() };
        self.gateway.store().runs(filter).await.expect("read").len()
    }

    /// Calls the admin API with the token.
    pub async fn api(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> (u16, serde_json::Value) {
        let mut request = self.client.request(method, self.admin(path)).bearer_auth(ADMIN_TOKEN);
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(request).await
    }
}

/// A client that talks to loopback alone.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(60))
        .build()
        .expect("a client")
}

/// A simulated workbench with jobs 208 and 209, whose log is gathered with those of all tests.
pub async fn simulator() -> Simulator {
    Simulator::start(simulator_options()).await.expect("starts on loopback")
}

pub fn simulator_options() -> SimulatorOptions {
    let (owner, project) = PROJECT.split_once('/').expect("a project");
    let job = |number| Target::V1 { owner: owner.to_owned(), project: project.to_owned(), number };
    let mut options = SimulatorOptions::single(API_KEY, job(208));
    options.add_job(job(209));
    options.log_file = std::env::var_os("SIMULATOR_LOGS").map(|directory| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("test").replace("::", "-");
        Path::new(&directory).join(format!("{name}-{}.jsonl", std::process::id()))
    });
    options
}

/// The usual payload, changed so that it does not show that it is a push.
pub fn no_push() -> String {
    PUSH.replace("\"before\"", "\"earlier\"")
}

/// `sha256=` and the HMAC of the body with the tests' webhook secret.
pub fn github_signature(body: &[u8]) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(WEBHOOK_SECRET.as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// A push to main of acme/risk that changes models/credit/train.py.
pub const PUSH: &str = include_str!("push.json");
