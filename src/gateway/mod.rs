//! The running gateway: wires the receiver, the dispatcher and the admin side together in one process.
//!
//! `serve`, `demo` and the tests all start it through [`Gateway::start`], with the same wiring.

mod listeners;
mod membership;
mod retention;
mod route_files;
mod stopping;
mod stores;

use std::fmt;
use std::sync::Arc;

use tokio_util::task::TaskTracker;

use crate::admin::{self, Admin};
use crate::clock::Clock;
use crate::config::{Live, ServerPlan};
use crate::dispatch::{Dispatcher, Parts, Writer};
use crate::issuers::{Issuers, Transport};
use crate::model::{Listen, Role};
use crate::observe::{Metrics, Observation, Observer};
use crate::random::Random;
use crate::receive::{self, Finders, Greetings, Proofs, Rates, Receiver, Refusals};
use crate::serving::{Bound, Listener, PassedSockets, Strangers, serve};
use crate::store::{Act, Store, StoreFault};
use stopping::Stop;

pub use crate::store::postgres::Logins;
pub use listeners::prepare_process;
pub use stopping::longest_stop;
pub use stores::{backup, grant, migrate, open};

/// What the program takes from its environment. Tests replace it.
#[derive(Clone)]
pub struct Environs {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bits.
    pub random: Arc<dyn Random>,
    /// The client with which the published keys of issuers are fetched.
    pub transport: Transport,
    /// The sockets that systemd opened before the process started.
    pub passed: PassedSockets,
}

/// Which part of the gateway's work this process does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Part {
    /// Its role.
    pub role: Role,
    /// Whether to migrate the tables of a shared store first.
    pub migrate: bool,
}

/// A running gateway.
pub struct Gateway {
    role: Role,
    hooks: Option<Bound>,
    admin: Bound,
    health: Option<Bound>,
    live: Arc<Live>,
    store: Arc<dyn Store>,
    observer: Arc<Observer>,
    dispatcher: Arc<Dispatcher>,
    issuers: Arc<Issuers>,
    clock: Arc<dyn Clock>,
    stop: Stop,
    tasks: TaskTracker,
}

/// The sockets that were opened at the start.
struct Sockets {
    hooks: Option<Listener>,
    admin: Listener,
    health: Option<Listener>,
}

/// Why a gateway did not start.
#[derive(Debug)]
pub enum StartFault {
    /// The store cannot be opened.
    Store(StoreFault),
    /// The role needs a store that several processes can share.
    Alone(Role),
    /// A listener cannot listen where it is to.
    Listen {
        /// Which one.
        what: &'static str,
        /// Where.
        place: Listen,
        /// The system's error.
        error: std::io::Error,
    },
    /// systemd opened sockets that no listener takes.
    Passed(String),
}

impl fmt::Display for StartFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(fault) => fault.fmt(f),
            Self::Alone(role) => write!(
                f,
                "role `{}` leaves work to other processes, and an SQLite file serves one; write \
                 `store: postgres://…`, or serve with role `all`",
                role.as_str()
            ),
            Self::Listen { what, place: Listen::Tcp(address), error } => write!(
                f,
                "cannot listen on {address} (server.{what}): {error}; another process may have \
                 it, or the address is not this machine's"
            ),
            Self::Listen { what, place, error } => {
                write!(f, "cannot listen on {place} (server.{what}): {error}")
            }
            Self::Passed(sockets) => write!(
                f,
                "systemd opened sockets that no listener of this role takes: {sockets}; write `listen: \
                 systemd:NAME` (or `admin:`, `health:`), or remove them from the .socket unit"
            ),
        }
    }
}

impl std::error::Error for StartFault {}

impl Gateway {
    /// Opens the store, listens on the addresses of its role and starts the tasks.
    ///
    /// # Errors
    /// [`StartFault`]; nothing is left running.
    pub async fn start(
        live: Arc<Live>,
        environs: Environs,
        part: Part,
    ) -> Result<Self, StartFault> {
        let plan = live.plan();
        let role = part.role;
        let observer = Arc::new(Observer::new());
        let (version, report) = (&*plan.version, &*live.last_report());
        let at = environs.clock.now();
        observer.tell(Observation::ConfigurationLoaded { version, report, at });
        let sockets = Sockets::open(role, &plan.server, &environs.passed).await?;
        let store = open(&live, &*environs.random, part.migrate, &observer).await;
        let store = store.map_err(StartFault::Store)?;
        match store.shared() {
            Some(shared) if role.dispatches() => {
                let declared = membership::declared(role, &plan);
                shared.declare(declared, false).await.map_err(StartFault::Store)?;
            }
            None if role != Role::All => return Err(StartFault::Alone(role)),
            _ => {}
        }
        route_files::adopt(&live, &*store, &observer).await;
        if role.dispatches() {
            route_files::keep(&live, &*store, &observer, environs.clock.now()).await;
        }
        let plan = live.plan();
        if role.receives() {
            read_secrets(&live, &observer);
        }
        judge_secrets(role, &live, &observer);
        let dispatcher = Dispatcher::new(Parts {
            store: Arc::clone(&store),
            live: Arc::clone(&live),
            clock: Arc::clone(&environs.clock),
            random: Arc::clone(&environs.random),
            observer: Arc::clone(&observer),
            writer: Writer::beside(role),
        });
        let issuers = Issuers::new(
            Arc::clone(&environs.clock),
            Arc::clone(&observer),
            environs.transport.clone(),
        );
        let gateway = Self {
            role,
            issuers,
            clock: Arc::clone(&environs.clock),
            hooks: sockets.hooks.as_ref().map(|listener| listener.bound().clone()),
            admin: sockets.admin.bound().clone(),
            health: sockets.health.as_ref().map(|listener| listener.bound().clone()),
            live: Arc::clone(&live),
            store,
            observer,
            dispatcher,
            stop: Stop::default(),
            tasks: TaskTracker::new(),
        };
        gateway.spawn(live, &environs, sockets, &plan.server);
        gateway.observer.tell(Observation::Ready {
            role: role.as_str(),
            hooks: gateway.hooks.as_ref(),
            admin: &gateway.admin,
            health: gateway.health.as_ref(),
            config: &plan.version,
        });
        Ok(gateway)
    }

    fn spawn(&self, live: Arc<Live>, environs: &Environs, sockets: Sockets, server: &ServerPlan) {
        let refusals = Arc::new(Refusals::default());
        let proofs = Arc::new(Proofs::since(environs.clock.now()));
        let issuers = Arc::clone(&self.issuers);
        let waker = Arc::clone(&self.dispatcher);
        let receiver = Receiver {
            live: Arc::clone(&live),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&environs.clock),
            random: Arc::clone(&environs.random),
            issuers: Arc::clone(&issuers),
            observer: Arc::clone(&self.observer),
            refusals: Arc::clone(&refusals),
            proofs: Arc::clone(&proofs),
            rates: Arc::new(Rates::default()),
            finders: Finders::default(),
            greetings: Greetings::default(),
            judging: Arc::default(),
            on_new_runs: Arc::new(move || waker.wake()),
        };
        let tokens = Arc::<admin::TokenTraces>::default();
        let inner = Admin {
            role: self.role,
            live: Arc::clone(&live),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&environs.clock),
            random: Arc::clone(&environs.random),
            observer: Arc::clone(&self.observer),
            refusals,
            proofs,
            dispatcher: Arc::clone(&self.dispatcher),
            issuers: Arc::clone(&issuers),
            guesses: admin::WrongTokens::default(),
            tokens: Arc::clone(&tokens),
            slowing: Arc::default(),
            strangers: Strangers::new("admin", server.strangers_share, Arc::clone(&self.observer)),
            health: admin::LastLook::default(),
            stopping: self.stop.begun.clone(),
        };
        let limits = listeners::limits(server, &live, &self.observer);
        let (stop, observer) = (&self.stop, &self.observer);
        if let Some(health) = sockets.health {
            let share = server.strangers_share;
            let strangers = Strangers::new("health", share, Arc::clone(observer));
            let router =
                admin::health_router(Admin { strangers, ..inner.clone() }, server.health_metrics);
            let observed = Arc::clone(observer);
            self.tasks.spawn(serve(health, router, limits.health, observed, stop.rest.clone()));
        }
        self.tasks.spawn(admin::watch_tokens(
            self.role,
            Arc::clone(&live),
            tokens,
            Arc::clone(&environs.clock),
            Arc::clone(observer),
            stop.rest.clone(),
        ));
        let router = admin::router(inner);
        let observed = Arc::clone(observer);
        self.tasks.spawn(serve(sockets.admin, router, limits.admin, observed, stop.rest.clone()));
        if let Some(hooks) = sockets.hooks {
            let router = receive::router(receiver);
            let observed = Arc::clone(observer);
            self.tasks.spawn(serve(hooks, router, limits.hooks, observed, stop.hooks.clone()));
            self.tasks.spawn(issuers.run(Arc::clone(&live), stop.rest.clone()));
        }
        if !self.role.dispatches() {
            return;
        }
        self.tasks.spawn(Arc::clone(&self.dispatcher).run(stop.dispatch.clone()));
        self.tasks.spawn(membership::keep_up(
            self.role,
            Arc::clone(&live),
            Arc::clone(&self.store),
            Arc::clone(&environs.clock),
            Arc::clone(&self.observer),
            stop.rest.clone(),
        ));
        self.tasks.spawn(retention::apply_forever(
            live,
            Arc::clone(&self.store),
            Arc::clone(&self.observer),
            Arc::clone(&environs.clock),
            stop.rest.clone(),
        ));
    }

    /// Where webhooks are received; `None` where the role receives none.
    pub fn hooks(&self) -> Option<&Bound> {
        self.hooks.as_ref()
    }

    /// Where health, metrics and the admin API are.
    pub fn admin(&self) -> &Bound {
        &self.admin
    }

    /// Where health alone is; `None` where the configuration has no listener for it.
    pub fn health(&self) -> Option<&Bound> {
        self.health.as_ref()
    }

    /// The configuration in force.
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The observer, which writes the log and the metrics.
    pub fn observer(&self) -> &Observer {
        &self.observer
    }

    /// The metrics.
    pub fn metrics(&self) -> &Metrics {
        self.observer.metrics()
    }

    /// Writes into the audit log that the configuration was reloaded, and who caused it. A failure to write
    /// is only logged.
    pub async fn note_reload(&self, who: &str, note: Option<String>, at: jiff::Timestamp) {
        let act = Act { who: who.to_owned(), at, origin: None, note };
        let version = self.live.plan().version.to_string();
        let noted = self.store.note("reload".into(), "configuration".into(), version, act).await;
        if let Err(fault) = noted {
            self.observer.tell(Observation::store_fault("audit", &fault));
        }
    }

    /// Wakes the dispatcher, and looks at the secrets and the published keys, after the configuration has changed.
    pub fn wake(&self) {
        self.dispatcher.wake();
        self.issuers.look_again();
        self.keep_route_files();
        judge_secrets(self.role, &self.live, &self.observer);
    }

    /// Keeps the files of `routes.d/` that are in force, in the background.
    fn keep_route_files(&self) {
        if !self.role.dispatches() {
            return;
        }
        let (live, store) = (Arc::clone(&self.live), Arc::clone(&self.store));
        let (observer, clock) = (Arc::clone(&self.observer), Arc::clone(&self.clock));
        self.tasks.spawn(async move {
            route_files::keep(&live, &*store, &observer, clock.now()).await;
        });
    }
}

impl Sockets {
    /// Listens wherever the role does. No socket of systemd may be left over: what arrives on it would wait for ever.
    async fn open(
        role: Role,
        server: &ServerPlan,
        passed: &PassedSockets,
    ) -> Result<Self, StartFault> {
        let open = async |what: &'static str, place: &Listen| {
            let opened = Listener::open(place, passed).await;
            opened.map_err(|error| StartFault::Listen { what, place: place.clone(), error })
        };
        let hooks = match role.receives() {
            true => Some(open("listen", &server.listen).await?),
            false => None,
        };
        let admin = open("admin", &server.admin).await?;
        let health = match &server.health {
            Some(place) => Some(open("health", place).await?),
            None => None,
        };
        match passed.left() {
            Some(sockets) => Err(StartFault::Passed(sockets)),
            None => Ok(Self { hooks, admin, health }),
        }
    }
}

/// Starts to read the secrets of every source, in the background. Few requests then wait for a program that
/// prints a secret, and a missing secret is reported before a sender runs into it. A program that hangs does
/// not delay the start.
fn read_secrets(live: &Arc<Live>, observer: &Arc<Observer>) {
    for source in live.plan().sources.values() {
        let (live, source) = (Arc::clone(live), Arc::clone(source));
        let observer = Arc::clone(observer);
        tokio::spawn(async move {
            if let Err(fault) = live.source_secrets(&source).await {
                let (source, reason) = (&*source.name, &*fault.to_string());
                observer.tell(Observation::SourceUnusable { source, reason });
            }
        });
    }
}

/// Reports weak secrets and those that serve two purposes, in the background. A process that dispatches
/// nothing does not look at API keys.
fn judge_secrets(role: Role, live: &Arc<Live>, observer: &Arc<Observer>) {
    let (live, observer) = (Arc::clone(live), Arc::clone(observer));
    tokio::spawn(async move {
        for doubt in live.doubts(role.dispatches()).await {
            observer.tell(Observation::SecretDoubtful { reason: &doubt.words, hint: &doubt.hint });
        }
    });
}
