//! The configuration as the steps use it: complete, checked, never changed. It holds references to
//! secrets and no secret.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;

use super::networks::Networks;
use super::secrets::SecretRef;
pub use super::shape::{OnUnknown, Probe, ProxyHeader, Rate};
use crate::authenticate::{Proof, Refusal, Unverified, open};
use crate::expression::{Expression, Template};
use crate::mapping::Mapping;
use crate::matching::{Index, Indexed, On, Patterns, Takes, UnknownPaths};
use crate::model::{Backlog, BreakerPolicy, Secret, Target};
use crate::providers::{Options, Provider, Verification};

/// Everything that a configuration says.
#[derive(Debug)]
pub struct Plan {
    /// A short digest of all files that it was made from.
    pub version: Arc<str>,
    /// Where the gateway listens, and its limits.
    pub server: ServerPlan,
    /// Where deliveries and runs are kept.
    pub store: StorePlan,
    /// How long they are kept.
    pub retention: RetentionPlan,
    /// Workbenches by name.
    pub workbenches: BTreeMap<Arc<str>, Arc<WorkbenchPlan>>,
    /// Jobs by name.
    pub jobs: BTreeMap<Arc<str>, Arc<JobPlan>>,
    /// Sources by name.
    pub sources: BTreeMap<Arc<str>, Arc<SourcePlan>>,
    /// Routes, sorted by name.
    pub routes: Vec<Arc<RoutePlan>>,
    /// Finds the routes that an event can match, by their position in `routes`.
    pub index: Index,
}

/// Where the gateway listens, and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerPlan {
    /// Where webhooks are received.
    pub listen: SocketAddr,
    /// Where the admin API, metrics and health are.
    pub admin: SocketAddr,
    /// Who may use the admin API, by name.
    pub admin_tokens: BTreeMap<Arc<str>, SecretRef>,
    /// Proxies whose word for a request's address is believed.
    pub trusted_proxies: Networks,
    /// The header in which they write it.
    pub proxy_header: ProxyHeader,
    /// Largest body, in bytes, unless a source says otherwise.
    pub body_limit: u64,
    /// Bytes of bodies in memory at once.
    pub bytes_in_flight: u64,
    /// Requests in progress at once.
    pub requests_in_flight: usize,
    /// Time for a request's head to arrive.
    pub header_timeout: Duration,
    /// Time for a request's body to arrive.
    pub body_timeout: Duration,
    /// Time for work in progress to end after the stop.
    pub shutdown_grace: Duration,
    /// Runs that have been held for longer are told of.
    pub hold_alert: Duration,
}

/// Where deliveries and runs are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorePlan {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Box<PostgresPlan>),
}

/// How a PostgreSQL database is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresPlan {
    /// Hosts and database, for messages.
    pub shown: String,
    /// Where it is, without a password.
    pub config: tokio_postgres::Config,
    /// The password.
    pub password: Option<SecretRef>,
    /// Certificate authorities to trust beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// The connection is in clear.
    pub allow_plain: bool,
    /// Most connections at once.
    pub connections: usize,
    /// A pooler stands between that hands each transaction to another connection.
    pub pooled: bool,
    /// Where it is without that pooler.
    pub direct: Option<tokio_postgres::Config>,
}

/// How long deliveries and runs are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPlan {
    /// Age at which they may go.
    pub keep: Duration,
    /// Bytes that they may take up.
    pub max_size: u64,
}

/// One workbench.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkbenchPlan {
    /// Its name.
    pub name: Arc<str>,
    /// Its address, without a path.
    pub url: Url,
    /// Path under which its job API is found; starts with `/`.
    pub api_prefix: String,
    /// Certificate authorities to trust beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// The HTTP proxy to reach it through.
    pub proxy: Option<Url>,
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Time for a whole request.
    pub timeout: Duration,
    /// When its circuit breaker opens.
    pub breaker: BreakerPolicy,
    /// API keys by name.
    pub api_keys: BTreeMap<Arc<str>, SecretRef>,
}

/// One job.
#[derive(Clone, Debug)]
pub struct JobPlan {
    /// What is started, for other processes to compare: its name and a digest of where it is and of
    /// the key that it is started with, with a space between.
    pub declared: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// The workbench that it is on.
    pub workbench: Arc<WorkbenchPlan>,
    /// Where it is on that workbench.
    pub target: Target,
    /// The name of the API key to start it with; the workbench has it.
    pub api_key: Arc<str>,
    /// How long after its delivery a run may be started.
    pub deadline: Duration,
    /// Start requests that may be on their way at once; at least 1.
    pub starts_at_once: u32,
    /// Starts in any minute.
    pub starts_per_minute: Option<u32>,
    /// Runs in any hour; more are held for a person.
    pub starts_per_hour: Option<u32>,
    /// How long after it fell due a run may be sent, where that is less than the deadline.
    pub max_age: Option<Duration>,
    /// What becomes of the runs that waited, after a pause.
    pub on_resume: Backlog,
    /// Starts in any minute while they are sent at a pace.
    pub resume_per_minute: u32,
    /// What to do when nobody knows whether it was started.
    pub on_unknown: OnUnknown,
    /// What an unknown outcome is looked up in first.
    pub probe: Option<Probe>,
    /// First pause between attempts.
    pub retry_first: Duration,
    /// Longest pause between attempts.
    pub retry_max: Duration,
    /// Bytes that all variables may have in sum.
    pub env_max: usize,
    /// What it is for.
    pub description: Option<String>,
}

/// One source.
#[derive(Clone)]
pub struct SourcePlan {
    /// Its name; it is reached at `/hooks/{name}`.
    pub name: Arc<str>,
    /// The kind of sender.
    pub provider: &'static dyn Provider,
    /// Its own settings.
    pub options: Options,
    /// Largest body, where it differs from the server's.
    pub body_limit: Option<u64>,
    /// The addresses that may send; any where there is none.
    pub allow_from: Option<Networks>,
    /// How many authentic deliveries are taken in how long a time.
    pub rate: Option<Rate>,
    /// The kinds of event that may start something; any where there is none.
    pub events: Option<Patterns>,
    /// Whose events start nothing.
    pub ignore_actors: Option<Patterns>,
    /// Its secrets; empty only for a source that is open to everyone.
    pub secrets: Vec<SecretRef>,
    /// Tokens of which one must come with every request beside its signature; empty where none must.
    pub access_tokens: Vec<SecretRef>,
    /// What anyone sends is accepted.
    pub unauthenticated: bool,
}

/// Of which runs only the newest is to be sent.
#[derive(Clone, Debug)]
pub struct LatestPlan {
    /// What runs of one kind have in common.
    pub per: Template,
    /// How long to wait for a newer one.
    pub wait: Duration,
    /// How long the first of them may be made to wait in all.
    pub wait_at_most: Duration,
}

/// One route.
#[derive(Clone, Debug)]
pub struct RoutePlan {
    /// Its name.
    pub name: Arc<str>,
    /// The sources that it listens to.
    pub sources: Vec<Arc<str>>,
    /// Its conditions.
    pub on: On,
    /// One more condition.
    pub condition: Option<Expression>,
    /// The job that it starts.
    pub job: Arc<JobPlan>,
    /// The environment that the job gets.
    pub mapping: Mapping,
    /// Set where only the newest run of a kind is to be sent.
    pub latest: Option<LatestPlan>,
    /// The names that it takes from a chat command.
    pub takes: Takes,
    /// What to do when the changed files are not known.
    pub on_unknown_paths: UnknownPaths,
    /// The file that it is written in.
    pub file: Arc<str>,
    /// The line that it is written on.
    pub line: usize,
    /// What it is for.
    pub description: Option<String>,
}

impl Plan {
    /// The route of this name.
    pub fn route(&self, name: &str) -> Option<&RoutePlan> {
        let found = self.routes.binary_search_by(|route| (*route.name).cmp(name));
        found.ok().map(|position| &*self.routes[position])
    }

    /// Whether a step that is set up once, at the start, would be set up otherwise.
    pub(super) fn starts_unlike(&self, other: &Self) -> bool {
        // What is looked up for each request is taken over from the other before comparing.
        let server = ServerPlan {
            admin_tokens: other.server.admin_tokens.clone(),
            trusted_proxies: other.server.trusted_proxies.clone(),
            proxy_header: other.server.proxy_header,
            body_limit: other.server.body_limit,
            body_timeout: other.server.body_timeout,
            hold_alert: other.server.hold_alert,
            ..self.server.clone()
        };
        server != other.server || self.store != other.store
    }
}

/// The secrets of a source that can be had.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held<'a> {
    /// Those that it may sign with.
    pub secrets: &'a [Secret],
    /// The tokens of which one must come beside a signature.
    pub access_tokens: &'a [Secret],
}

impl<'a> From<&'a [Secret]> for Held<'a> {
    fn from(secrets: &'a [Secret]) -> Self {
        Self { secrets, access_tokens: &[] }
    }
}

impl SourcePlan {
    /// Whether requests from this address are looked at. Where the address is not known, only a
    /// source that takes any looks at them.
    pub fn may_send(&self, from: Option<IpAddr>) -> bool {
        match &self.allow_from {
            Some(allowed) => from.is_some_and(|from| allowed.contain(from)),
            None => true,
        }
    }

    /// What its requests are judged by.
    pub fn verification<'a>(&'a self, held: Held<'a>, now: Timestamp) -> Verification<'a> {
        let Held { secrets, access_tokens } = held;
        Verification { access_tokens, ..Verification::new(secrets, &self.options, now) }
    }

    /// Whether the request comes from someone who holds one of the source's secrets.
    ///
    /// # Errors
    /// Why the request is refused.
    pub fn prove(
        &self,
        request: &Unverified<'_>,
        held: Held<'_>,
        now: Timestamp,
    ) -> Result<Proof, Refusal> {
        self.prove_by(request, &self.verification(held, now))
    }

    /// The same, on verification that may hold what the sender publishes.
    ///
    /// # Errors
    /// Why the request is refused.
    pub fn prove_by(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        if self.unauthenticated {
            return Ok(open::dangerously_unauthenticated());
        }
        self.provider.authenticate(request, verification)
    }
}

impl fmt::Debug for SourcePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourcePlan")
            .field("name", &self.name)
            .field("provider", &self.provider.name())
            .field("options", &self.options)
            .field("secrets", &self.secrets)
            .field("unauthenticated", &self.unauthenticated)
            .finish_non_exhaustive()
    }
}

impl Indexed for RoutePlan {
    fn sources(&self) -> &[Arc<str>] {
        &self.sources
    }

    fn on(&self) -> &On {
        &self.on
    }
}
