//! The configuration as the steps use it: complete, checked and immutable. It holds references to
//! secrets, and never a secret.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;

use super::networks::Networks;
use super::repeats::Repeats;
use super::secrets::SecretRef;
pub use super::shape::{OnUnknown, Probe, ProxyHeader, Rate};
use crate::authenticate::{Proof, Refusal, Unverified, open};
use crate::expression::{Expression, Template};
use crate::mapping::Mapping;
use crate::matching::{Index, Indexed, On, Patterns, Takes, UnknownPaths};
use crate::model::{Backlog, BreakerPolicy, Listen, Role, Secret, Target};
use crate::providers::{Options, Provider, Verification};

/// Everything that a configuration says.
#[derive(Debug)]
pub struct Plan {
    /// A short digest of all files that it was made from.
    pub version: Arc<str>,
    /// The addresses that the gateway listens on, and its limits.
    pub server: ServerPlan,
    /// Where deliveries and runs are stored.
    pub store: StorePlan,
    /// How long deliveries and runs are kept.
    pub retention: RetentionPlan,
    /// Workbenches by name.
    pub workbenches: BTreeMap<Arc<str>, Arc<WorkbenchPlan>>,
    /// Jobs by name.
    pub jobs: BTreeMap<Arc<str>, Arc<JobPlan>>,
    /// Sources by name.
    pub sources: BTreeMap<Arc<str>, Arc<SourcePlan>>,
    /// Routes, sorted by name.
    pub routes: Vec<Arc<RoutePlan>>,
    /// Finds the routes that may match an event, by their position in `routes`.
    pub index: Index,
    /// What is not in force, for its faults.
    pub held_back: HeldBack,
}

/// What the files say and is not in force, for their faults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldBack {
    /// Names of routes that several files claim.
    pub routes: BTreeSet<String>,
    /// Files of `routes.d/` whose newest version is not in force.
    pub files: Vec<String>,
}

/// The addresses that the gateway listens on, and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerPlan {
    /// The address for webhooks.
    pub listen: Listen,
    /// The path that may stand in front of `/hooks/`, without a slash at its end; empty where there is none.
    pub path_prefix: String,
    /// The address for the admin API, metrics and health.
    pub admin: Listen,
    /// The address for health alone; `None` where there is no such listener.
    pub health: Option<Listen>,
    /// Whether the metrics are served there too.
    pub health_metrics: bool,
    /// The tokens of the admin API, by the name of the person who holds each.
    pub admin_tokens: BTreeMap<Arc<str>, SecretRef>,
    /// Host names by which the admin listener is reached, in lower case.
    pub admin_hosts: Vec<String>,
    /// The tokens that a process of role `ingest` accepts instead.
    pub ingest_tokens: BTreeMap<Arc<str>, SecretRef>,
    /// Proxies that are trusted to tell the client address of a request.
    pub trusted_proxies: Networks,
    /// The header in which those proxies write the client address.
    pub proxy_header: ProxyHeader,
    /// Largest body in bytes, for sources that set no limit of their own.
    pub body_limit: u64,
    /// Bytes of bodies that may be in memory at once.
    pub bytes_in_flight: u64,
    /// Requests that may be in progress at once.
    pub requests_in_flight: usize,
    /// Percent of the connections, requests and bytes that one client may hold.
    pub client_share: u32,
    /// Percent of the processors' time that refused requests of strangers may take, on each listener.
    pub strangers_share: u32,
    /// Time for the headers of a request to arrive.
    pub header_timeout: Duration,
    /// Time that a connection may be idle after an answer.
    pub idle_timeout: Duration,
    /// Time for the body of a request to arrive.
    pub body_timeout: Duration,
    /// Bytes a second that a body must bring while it is waited for.
    pub body_min_rate: u64,
    /// Time for a client to read a part of an answer.
    pub write_timeout: Duration,
    /// How long work in progress may take to finish after the gateway was told to stop.
    pub shutdown_grace: Duration,
    /// How long deliveries are still taken after that.
    pub drain: Duration,
    /// Runs that have been held for longer than this are counted and reported.
    pub hold_alert: Duration,
}

impl ServerPlan {
    /// The tokens that a process of this role accepts. One that faces the internet reads no token that another process
    /// accepts.
    pub fn tokens(&self, role: Role) -> &BTreeMap<Arc<str>, SecretRef> {
        match role {
            Role::Ingest => &self.ingest_tokens,
            Role::All | Role::Dispatch => &self.admin_tokens,
        }
    }
}

/// Where deliveries and runs are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorePlan {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Box<PostgresPlan>),
}

/// How to connect to a PostgreSQL database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresPlan {
    /// Hosts and database, for messages.
    pub shown: String,
    /// How to connect, without the password; without a user where [`PostgresPlan::user`] says where that is.
    pub config: tokio_postgres::Config,
    /// Where the user's name is, where the address names none.
    pub user: Option<DatabaseUser>,
    /// The password.
    pub password: Option<SecretRef>,
    /// Certificate authorities to trust in addition to those of the system.
    pub ca_file: Option<PathBuf>,
    /// Whether connections are unencrypted.
    pub allow_plain: bool,
    /// The largest number of connections at once.
    pub connections: usize,
    /// Whether a pooler runs each transaction on any of its connections.
    pub pooled: bool,
    /// How to connect without that pooler.
    pub direct: Option<tokio_postgres::Config>,
}

/// Where the name of the database's user is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUser {
    /// In this variable of the environment.
    Env(String),
    /// In this file.
    File(PathBuf),
}

/// How long deliveries and runs are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPlan {
    /// Age after which they may be deleted.
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
    /// Path of its job API; starts with `/`.
    pub api_prefix: String,
    /// Certificate authorities to trust in addition to those of the system.
    pub ca_file: Option<PathBuf>,
    /// The HTTP proxy to connect through.
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
    /// Identifies what is started, so that processes can compare it: the job's name, a space, and a
    /// digest of the workbench, the target and the name of the API key.
    pub declared: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// The workbench that it is on.
    pub workbench: Arc<WorkbenchPlan>,
    /// Where it is on that workbench.
    pub target: Target,
    /// The name of the API key to start it with. The workbench holds the reference to the key.
    pub api_key: Arc<str>,
    /// How long after its delivery a run may be started.
    pub deadline: Duration,
    /// Start requests for this job that may be in flight at once; at least 1.
    pub starts_at_once: u32,
    /// The largest number of starts in any minute.
    pub starts_per_minute: Option<u32>,
    /// The largest number of runs in any hour. Further runs are held for a person's decision.
    pub starts_per_hour: Option<u32>,
    /// How long after it became due a run may be sent. Set only if it is less than the deadline.
    pub max_age: Option<Duration>,
    /// What to do with the runs that waited during a pause.
    pub on_resume: Backlog,
    /// The largest number of starts in any minute while waiting runs are sent at a pace. `None`: the pace
    /// follows the number of waiting runs ([`crate::model::pace`]).
    pub resume_per_minute: Option<u32>,
    /// What to do if it is unknown whether an attempt started the job.
    pub on_unknown: OnUnknown,
    /// How to find out the result of an attempt whose outcome is unknown.
    pub probe: Option<Probe>,
    /// First pause between attempts.
    pub retry_first: Duration,
    /// Longest pause between attempts.
    pub retry_max: Duration,
    /// The largest total size in bytes of all variables.
    pub env_max: usize,
    /// The reserved names of variables that its routes may set, in capital letters.
    pub allow_reserved: Vec<String>,
    /// A description for people.
    pub description: Option<String>,
}

/// One source.
#[derive(Clone)]
pub struct SourcePlan {
    /// Its name; it is reached at `/hooks/{name}`.
    pub name: Arc<str>,
    /// The kind of sender.
    pub provider: &'static dyn Provider,
    /// The settings that are particular to the provider.
    pub options: Options,
    /// Largest body in bytes, if the source sets its own limit.
    pub body_limit: Option<u64>,
    /// The addresses that may send. `None` allows any address.
    pub allow_from: Option<Networks>,
    /// The largest number of authentic deliveries in a length of time.
    pub rate: Option<Rate>,
    /// What counts as a repeat. `None` where the sender's identity of its deliveries decides.
    pub repeats: Option<Repeats>,
    /// The kinds of event that may start something. `None` allows every kind.
    pub events: Option<Patterns>,
    /// The accounts whose events start nothing.
    pub ignore_actors: Option<Patterns>,
    /// Its secrets. Empty for an open source, and for a provider that needs no secret.
    pub secrets: Vec<SecretRef>,
    /// Tokens of which one must come with every request, in addition to its signature. Empty if no
    /// token is required.
    pub access_tokens: Vec<SecretRef>,
    /// Whether every request is accepted without a signature or token.
    pub unauthenticated: bool,
}

/// How to send only the newest of several runs.
#[derive(Clone, Debug)]
pub struct LatestPlan {
    /// The text that such runs have in common.
    pub per: Template,
    /// How long a run waits for a newer one.
    pub wait: Duration,
    /// The longest time that a series of such runs waits, counted from the first.
    pub wait_at_most: Duration,
}

/// One route.
#[derive(Clone, Debug)]
pub struct RoutePlan {
    /// Its name.
    pub name: Arc<str>,
    /// The sources that it listens to, of all blocks of its `on:` together.
    pub sources: Vec<Arc<str>>,
    /// The blocks of its `on:`, of which one must hold.
    pub on: Vec<On>,
    /// One more condition, from `if:`.
    pub condition: Option<Expression>,
    /// The job that it starts.
    pub job: Arc<JobPlan>,
    /// The environment variables that the job gets.
    pub mapping: Mapping,
    /// Set if only the newest of several runs is to be sent.
    pub latest: Option<LatestPlan>,
    /// The arguments that it takes from a chat command.
    pub takes: Takes,
    /// What to do if the sender's list of changed files may be incomplete.
    pub on_unknown_paths: UnknownPaths,
    /// The file that it is written in.
    pub file: Arc<str>,
    /// The line that it is written on.
    pub line: usize,
    /// A description for people.
    pub description: Option<String>,
}

impl Plan {
    /// The route of this name.
    pub fn route(&self, name: &str) -> Option<&RoutePlan> {
        let found = self.routes.binary_search_by(|route| (*route.name).cmp(name));
        found.ok().map(|position| &*self.routes[position])
    }

    /// Whether something changed that is set up only once, at the start.
    pub(super) fn starts_unlike(&self, other: &Self) -> bool {
        // These settings are looked up for each request, so they are made equal before comparing.
        let server = ServerPlan {
            admin_tokens: other.server.admin_tokens.clone(),
            admin_hosts: other.server.admin_hosts.clone(),
            ingest_tokens: other.server.ingest_tokens.clone(),
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

/// The secrets of a source that could be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held<'a> {
    /// The secrets that it may sign with.
    pub secrets: &'a [Secret],
    /// The tokens of which one must come in addition to a signature.
    pub access_tokens: &'a [Secret],
}

impl<'a> From<&'a [Secret]> for Held<'a> {
    fn from(secrets: &'a [Secret]) -> Self {
        Self { secrets, access_tokens: &[] }
    }
}

impl SourcePlan {
    /// Whether requests from this address are accepted for verification. If the address is unknown,
    /// only a source without `allow_from` accepts them.
    pub fn may_send(&self, from: Option<IpAddr>) -> bool {
        match &self.allow_from {
            Some(allowed) => from.is_some_and(|from| allowed.contain(from)),
            None => true,
        }
    }

    /// What is needed to verify the source's requests.
    pub fn verification<'a>(&'a self, held: Held<'a>, now: Timestamp) -> Verification<'a> {
        let Held { secrets, access_tokens } = held;
        Verification { access_tokens, ..Verification::new(secrets, &self.options, now) }
    }

    /// Verifies that the request comes from a sender who holds one of the source's secrets.
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

    /// Verifies a request like [`SourcePlan::prove`], with a verification that may also hold keys
    /// that the sender publishes.
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
    fn on(&self) -> &[On] {
        &self.on
    }
}
