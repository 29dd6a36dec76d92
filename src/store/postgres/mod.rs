//! The store that several processes can share: PostgreSQL, version 14 or later.
//!
//! Any number of replicas share the queue. Deliveries that arrive together share one transaction and one
//! flush (`group`); the same holds for outcomes. Leases, rate limits and open circuit breakers are rows of
//! the database and use its clock, so that they hold for all replicas together.

mod batches;
mod claims;
mod connection;
mod deliveries;
mod erase;
mod group;
mod migrate;
mod notifications;
mod password;
mod queue;
mod read;
mod replicas;
mod retention;
mod roles;
mod runs;
mod settle;
mod statements;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use super::pack::{Packed, Packer};
use super::shared::{Declared, Notifications, OpenCircuit, Shared};
use super::statements::Statements as _;
use super::tables::Row as _;
use super::{Pending, Store, StoreFault, steps};
use crate::failpoint::reached;
use crate::model::{Backlog, DeliveryId, IdPrefix, RunId};
use crate::store::{
    Accepted, Act, Audited, Counts, Delivery, DeliveryFilter, DeliverySummary, Erasure, Failures,
    Finish, Lately, Lease, LeaseAsk, Leased, NewDelivery, Pausable, Pause, Queue, Reading, Release,
    ReplayRequest, Replayed, Retention, RetentionStep, RouteFile, Run, RunBrief, RunFilter,
};

use connection::{Connection, Connections};
use group::Group;
use values::params;

pub use connection::Options;
pub use migrate::Migrated;
pub use password::Password;
pub use roles::Logins;

/// The channel of the notifications between replicas.
const CHANNEL: &str = "cdsw_gateway";
/// Payload of a notification: there may be runs to take from the queue.
const RUNS: &str = "runs";
/// Payload of a notification, a word that processes of the version before listen for: something was paused or
/// resumed, a circuit breaker has opened or closed, or
/// another configuration is in force.
const PAUSES: &str = "rests";

/// Most bytes of deliveries in one transaction. A larger delivery has a transaction of its own.
const BATCH_BYTES: usize = 8 << 20;

/// Whose clock leases, rate limits and circuit breakers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseClock {
    /// The database's clock, which is the same for all replicas.
    Database,
    /// The time that the caller passes. For tests, which set the time.
    Caller,
}

/// The store on PostgreSQL.
pub struct PostgresStore {
    pool: Connections,
    accepts: Group<Packed, Accepted>,
    finishes: Group<Finish, ()>,
    notifications: watch::Receiver<Notifications>,
    clock: LeaseClock,
    replica: Uuid,
    /// The table with the row that this process writes to prove that a commit can be made.
    probe: &'static str,
    packer: Packer,
}

/// Applies the missing migrations; gives the version before and after.
///
/// # Errors
/// [`StoreFault`]. Its message says what to do.
pub async fn migrate(options: &Options) -> Result<Migrated, StoreFault> {
    migrate::migrate(&options.pool()?).await
}

/// Grants each role its rights, and the roles to these logins. The user must own the tables.
///
/// # Errors
/// [`StoreFault`]. Its message says what to do.
pub async fn grant(options: &Options, logins: &Logins) -> Result<(), StoreFault> {
    roles::grant(&options.pool()?, logins).await
}

/// Applies the migrations up to an older version. Only for tests.
///
/// # Errors
/// [`StoreFault`]. Its message says what to do.
#[doc(hidden)]
pub async fn migrate_to(options: &Options, version: usize) -> Result<Migrated, StoreFault> {
    migrate::migrate_to(&options.pool()?, version).await
}

impl PostgresStore {
    /// Connects, and checks that this program can use the tables and that the server's commits are durable.
    /// `listening` says how to reach the database without a pooler, for notifications.
    ///
    /// # Errors
    /// [`StoreFault::Unusable`] where the tables or the settings are not suitable;
    /// [`StoreFault::Unavailable`] where the database cannot be reached.
    pub async fn open(
        options: &Options,
        listening: Option<&Options>,
        clock: LeaseClock,
        replica: u128,
    ) -> Result<Self, StoreFault> {
        let pool = options.pool()?;
        let connection = pool.connection().await?;
        migrate::check(&connection).await?;
        is_durable(&connection).await?;
        let probe = probe_of(&connection).await?;
        drop(connection);
        let notifications = match listening {
            Some(options) => notifications::listen(options)?,
            None if options.pooled => notifications::none(),
            None => notifications::listen(options)?,
        };
        let (accepting, finishing) = (pool.clone(), pool.clone());
        Ok(Self {
            accepts: Group::start(BATCH_BYTES, batches::weight, move |batch| {
                batches::keep_together(accepting.clone(), batch)
            }),
            finishes: Group::start(
                usize::MAX,
                |_| 0,
                move |batch| batches::finish_together(finishing.clone(), batch),
            ),
            pool,
            notifications,
            clock,
            replica: Uuid::from_u128(replica),
            probe,
            packer: Packer::default(),
        })
    }

    async fn leasing_time(
        &self,
        connection: &Connection,
        told: Timestamp,
    ) -> Result<Timestamp, StoreFault> {
        if self.clock == LeaseClock::Caller {
            return Ok(told);
        }
        let row = connection.one(&format!("SELECT {} AS now", replicas::NOW), params![]).await?;
        row.map_or(Ok(told), |row| row.moment("now"))
    }
}

impl Store for PostgresStore {
    fn accept(&self, delivery: NewDelivery) -> Pending<'_, Accepted> {
        Box::pin(async move {
            let packed = self.packer.pack(delivery).await?;
            let accepted = self.accepts.ask(packed).await;
            reached("accept.committed");
            accepted
        })
    }

    fn lease_due(&self, ask: LeaseAsk) -> Pending<'_, Leased> {
        Box::pin(async move {
            let told = (self.clock == LeaseClock::Caller).then_some(ask.now);
            let mut seen = self.pool.connection().await?.see(&ask, told).await?;
            if seen.is_late() {
                // One connection at a time: whoever holds one and waits for another may wait forever.
                let now = seen.now;
                self.pool
                    .transact(async |connection| steps::queue::promote(connection, now).await)
                    .await?;
                seen = self.pool.connection().await?.see(&ask, told).await?;
            }
            let permits = seen.open(&ask);
            if permits.is_empty() {
                return Ok(seen.nothing());
            }
            self.pool
                .transact(async |connection| {
                    let leased =
                        steps::queue::take(connection, &ask, &seen, &permits, told).await?;
                    if !leased.leases.is_empty() {
                        reached("lease.written");
                    }
                    Ok(leased)
                })
                .await
        })
    }

    fn finish(&self, finish: Finish) -> Pending<'_, ()> {
        Box::pin(async move {
            let finished = self.finishes.ask(finish).await;
            reached("finish.committed");
            finished
        })
    }

    fn expired_leases(&self, now: Timestamp) -> Pending<'_, Vec<Lease>> {
        Box::pin(async move {
            let connection = self.pool.connection().await?;
            let leasing = self.leasing_time(&connection, now).await?;
            queue::expired_leases(&connection, leasing, now).await
        })
    }

    fn fail_overdue(
        &self,
        now: Timestamp,
        waits: Vec<(Arc<str>, String)>,
    ) -> Pending<'_, BTreeMap<String, usize>> {
        Box::pin(async move {
            self.pool
                .transact(async |connection| {
                    steps::pauses::free_left_behind(connection, now).await?;
                    steps::settle::fail_overdue(connection, now, &waits).await
                })
                .await
        })
    }

    fn pull_in(&self, latest: Timestamp, now: Timestamp) -> Pending<'_, usize> {
        Box::pin(async move { queue::pull_in(&self.pool.connection().await?, latest, now).await })
    }

    fn replay(&self, request: ReplayRequest) -> Pending<'_, Replayed> {
        Box::pin(async move {
            self.pool
                .transact(async |connection| steps::people::replay(connection, &request).await)
                .await
        })
    }

    fn erase(&self, delivery: DeliveryId, act: Act) -> Pending<'_, Erasure> {
        Box::pin(async move {
            let erasure = self
                .pool
                .transact(async |connection| steps::erase::erase(connection, delivery, &act).await)
                .await?;
            Ok(Erasure { left: Some(erase::LEFT.to_owned()), ..erasure })
        })
    }

    fn release(&self, run: RunId, release: Release, act: Act) -> Pending<'_, Run> {
        Box::pin(async move {
            self.pool
                .transact(async |connection| {
                    steps::people::release(connection, run, &release, &act).await
                })
                .await
        })
    }

    fn cancel(&self, run: RunId, act: Act) -> Pending<'_, Run> {
        Box::pin(async move {
            self.pool
                .transact(async |connection| steps::people::cancel(connection, run, &act).await)
                .await
        })
    }

    fn pause(&self, what: Pausable, mark: Option<Vec<u8>>, act: Act) -> Pending<'_, ()> {
        Box::pin(async move {
            let mark = mark.as_deref();
            self.pool
                .transact(async |connection| {
                    steps::pauses::pause(connection, &what, mark, &act).await
                })
                .await
        })
    }

    fn resume(
        &self,
        what: Pausable,
        backlogs: Vec<(Arc<str>, Backlog)>,
        act: Act,
    ) -> Pending<'_, bool> {
        Box::pin(async move {
            self.pool
                .transact(async |connection| {
                    steps::pauses::resume(connection, &what, &backlogs, &act).await
                })
                .await
        })
    }

    fn pauses(&self) -> Pending<'_, Vec<Pause>> {
        Box::pin(async move { read::paused(&self.pool.connection().await?).await })
    }

    fn release_backlog(&self, job: Arc<str>, how: Backlog, now: Timestamp) -> Pending<'_, usize> {
        Box::pin(async move {
            self.pool
                .transact(async |connection| {
                    steps::pauses::release_backlog(connection, &job, how, now).await
                })
                .await
        })
    }

    fn note(&self, what: String, kind: String, name: String, act: Act) -> Pending<'_, ()> {
        Box::pin(async move {
            let connection = self.pool.connection().await?;
            connection.audit(&what, &kind, &name, &act).await
        })
    }

    fn audit(&self, before: Option<u64>, limit: usize) -> Pending<'_, Vec<Audited>> {
        Box::pin(async move { read::audited(&self.pool.connection().await?, before, limit).await })
    }

    fn read_delivery(&self, id: DeliveryId, reading: Reading) -> Pending<'_, Option<Delivery>> {
        Box::pin(async move {
            self.pool
                .snapshot(async |connection| read::delivery(connection, id, reading).await)
                .await
        })
    }

    fn deliveries(&self, filter: DeliveryFilter) -> Pending<'_, Vec<DeliverySummary>> {
        Box::pin(async move {
            self.pool.snapshot(async |connection| read::deliveries(connection, &filter).await).await
        })
    }

    fn deliveries_like(&self, prefix: IdPrefix) -> Pending<'_, Vec<DeliveryId>> {
        Box::pin(async move {
            let connection = self.pool.connection().await?;
            let ids = read::ids_like(&connection, "deliveries", &prefix).await?;
            Ok(ids.into_iter().map(DeliveryId::from_bytes).collect())
        })
    }

    fn runs_like(&self, prefix: IdPrefix) -> Pending<'_, Vec<RunId>> {
        Box::pin(async move {
            let connection = self.pool.connection().await?;
            let ids = read::ids_like(&connection, "runs", &prefix).await?;
            Ok(ids.into_iter().map(RunId::from_bytes).collect())
        })
    }

    fn run(&self, id: RunId) -> Pending<'_, Option<Run>> {
        Box::pin(async move {
            self.pool.snapshot(async |connection| read::run(connection, id).await).await
        })
    }

    fn runs(&self, filter: RunFilter) -> Pending<'_, Vec<RunBrief>> {
        Box::pin(async move { read::runs(&self.pool.connection().await?, &filter).await })
    }

    fn counts(&self) -> Pending<'_, Counts> {
        Box::pin(async move { read::counts(&self.pool.connection().await?).await })
    }

    fn queue(&self) -> Pending<'_, Queue> {
        Box::pin(async move {
            self.pool.snapshot(async |connection| read::queue(connection).await).await
        })
    }

    fn late(&self, job: Arc<str>, before: Timestamp) -> Pending<'_, u64> {
        Box::pin(async move { read::late(&self.pool.connection().await?, &job, before).await })
    }

    fn failed_since(&self, since: Timestamp) -> Pending<'_, Vec<Failures>> {
        Box::pin(async move { read::failed_since(&self.pool.connection().await?, since).await })
    }

    fn lately(&self, since: Timestamp) -> Pending<'_, Lately> {
        Box::pin(async move {
            self.pool.snapshot(async |connection| read::lately(connection, since).await).await
        })
    }

    fn held_since(&self, before: Timestamp) -> Pending<'_, u64> {
        Box::pin(async move { read::held_since(&self.pool.connection().await?, before).await })
    }

    fn apply_retention(&self, retention: Retention, now: Timestamp) -> Pending<'_, RetentionStep> {
        Box::pin(async move {
            self.pool
                .transact(async |connection| retention::step(connection, retention, now).await)
                .await
        })
    }

    fn route_files(&self) -> Pending<'_, Vec<RouteFile>> {
        Box::pin(async move { read::route_files(&self.pool.connection().await?).await })
    }

    fn keep_route_files(
        &self,
        files: Vec<(String, String)>,
        names: Vec<String>,
        now: Timestamp,
    ) -> Pending<'_, ()> {
        Box::pin(async move {
            self.pool
                .transact(async |connection| {
                    read::keep_route_files(connection, &files, &names, now).await
                })
                .await
        })
    }

    fn probe(&self, now: Timestamp) -> Pending<'_, ()> {
        Box::pin(async move {
            let connection = self.pool.connection().await?;
            let sql = format!(
                "INSERT INTO {} (one, at) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET at = excluded.at",
                self.probe
            );
            connection.execute(&sql, params![values::millis(now)]).await?;
            Ok(())
        })
    }

    fn shared(&self) -> Option<&dyn Shared> {
        Some(self)
    }
}

impl Shared for PostgresStore {
    fn declare(&self, declared: Declared, changed: bool) -> Pending<'_, ()> {
        Box::pin(async move {
            let replica = self.replica;
            self.pool
                .transact(async |connection| {
                    replicas::declare(connection, replica, &declared, changed).await
                })
                .await
        })
    }

    fn leave(&self) -> Pending<'_, ()> {
        Box::pin(async move { replicas::leave(&self.pool.connection().await?, self.replica).await })
    }

    fn open_circuit(&self, circuit: OpenCircuit) -> Pending<'_, ()> {
        Box::pin(async move {
            let connection = self.pool.connection().await?;
            let now = self.leasing_time(&connection, Timestamp::UNIX_EPOCH).await?;
            replicas::open_circuit(&connection, &circuit, now).await
        })
    }

    fn half_open(&self, workbench: Arc<str>) -> Pending<'_, ()> {
        Box::pin(
            async move { replicas::half_open(&self.pool.connection().await?, &workbench).await },
        )
    }

    fn close_circuit(&self, workbench: Arc<str>) -> Pending<'_, ()> {
        Box::pin(async move {
            replicas::close_circuit(&self.pool.connection().await?, &workbench).await
        })
    }

    fn no_trial(&self, workbench: Arc<str>) -> Pending<'_, ()> {
        Box::pin(
            async move { replicas::no_trial(&self.pool.connection().await?, &workbench).await },
        )
    }

    fn open_circuits(&self) -> Pending<'_, Vec<OpenCircuit>> {
        Box::pin(async move { replicas::open_circuits(&self.pool.connection().await?).await })
    }

    fn notifications(&self) -> watch::Receiver<Notifications> {
        self.notifications.clone()
    }
}

/// The table with the probe row of this process: its own zone's, so that no process of another zone can lock it.
async fn probe_of(connection: &Connection) -> Result<&'static str, StoreFault> {
    let sql = "SELECT has_table_privilege('dispatch_probe', 'INSERT') AS inside";
    let row = connection.one(sql, params![]).await?;
    let inside = row.map_or(Ok(false), |row| row.flag("inside"))?;
    Ok(if inside { "dispatch_probe" } else { "probe" })
}

/// Checks that a commit is on disk when the server reports it, since a sender is then answered with 2xx. Two
/// settings of the server can turn that off.
async fn is_durable(connection: &Connection) -> Result<(), StoreFault> {
    let row = connection
        .one(
            "SELECT current_setting('fsync'), current_setting('synchronous_commit'), \
             current_setting('synchronous_standby_names') <> ''",
            params![],
        )
        .await?;
    let Some(row) = row else { return Ok(()) };
    let (fsync, commit): (&str, &str) = (values::get(&row, 0)?, values::get(&row, 1)?);
    // Where a synchronous standby is configured, `local` would not wait for it.
    let behind = values::get::<bool>(&row, 2)? && commit == "local";
    if fsync == "off" || commit == "off" || behind {
        return Err(StoreFault::Unusable(format!(
            "the server says that a commit is done before it is on disk (fsync = {fsync}, \
             synchronous_commit = {commit}), and what is accepted must not be lost; turn both on"
        )));
    }
    Ok(())
}
