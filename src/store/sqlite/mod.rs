//! The embedded store: one SQLite file in WAL mode, used by one process.
//!
//! One thread (`writer`) does all writing: it commits everything that is waiting as one transaction with one
//! flush. Reads have a connection of their own. A file lock keeps other processes from using the file.

mod cases;
mod checkpoint;
mod damage;
mod deliveries;
mod erase;
mod file_lock;
mod look;
mod open;
mod private;
mod queue;
mod read;
mod retention;
mod runs;
mod statements;
mod values;
mod writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rusqlite::Connection;

use super::statements::Statements as _;
use super::{Pending, Store, StoreFault, steps};
use crate::failpoint::reached;
use crate::model::{Backlog, DeliveryId, IdPrefix, RunId};
use crate::store::pack::Packer;
use crate::store::{
    Accepted, Act, Audited, Counts, Delivery, DeliveryFilter, DeliverySummary, Erasure, Failures,
    Finish, Lately, Lease, LeaseAsk, Leased, NewDelivery, Pausable, Pause, Queue, Reading, Release,
    ReplayRequest, Replayed, Retention, RetentionStep, RouteFile, Run, RunBrief, RunFilter,
};

use damage::Damage;
pub use look::{Seen, copy, look};
pub use private::Exposed;
use statements::{Transaction, at_once};

/// The embedded store. Its fields are dropped in this order: the file lock after the last connection.
pub struct SqliteStore {
    writer: writer::Writer,
    reader: Arc<Reader>,
    path: PathBuf,
    damage: Damage,
    packer: Packer,
    exposed: Vec<Exposed>,
}

/// The reading side. A read in progress keeps it open even when the store has been dropped.
struct Reader {
    connection: Mutex<Connection>,
    _lock: file_lock::FileLock,
}

impl SqliteStore {
    /// Opens or creates the file and migrates its tables.
    ///
    /// # Errors
    /// [`StoreFault::Unusable`] where another process has the file open, or the file belongs to another
    /// program, is newer than this program or is damaged. [`StoreFault::Unavailable`] where the file system
    /// refuses. Both name the file.
    pub fn open(path: &Path) -> Result<Self, StoreFault> {
        let lock = file_lock::FileLock::take(path)?;
        let exposed = private::take_from_others(lock.real())?;
        let mut writing = open::connect(lock.real())?;
        open::migrate(&writing, path)?;
        open::end_leases(&writing, path)?;
        open::remember_more(&writing, path)?;
        let reading = open::connect(lock.real())?;
        open::read_only(&reading, path)?;
        let mut names = lock.names(path)?;
        names.check()?;
        let checkpoints = checkpoint::Checkpoints::start(&mut writing, lock.real())?;
        let writer = writer::Writer::start(writing, checkpoints, names, path)?;
        let reader = Reader { connection: Mutex::new(reading), _lock: lock };
        Ok(Self {
            writer,
            reader: Arc::new(reader),
            path: path.to_owned(),
            damage: Damage::default(),
            packer: Packer::default(),
            exposed,
        })
    }

    /// Files of the store that other users of this machine could use when it was opened.
    pub fn exposed(&self) -> &[Exposed] {
        &self.exposed
    }

    /// The path of the file, as configured.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn read<T, F>(&self, what: F) -> Pending<'_, T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreFault> + Send + 'static,
    {
        let reader = Arc::clone(&self.reader);
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || {
                let connection =
                    reader.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                what(&connection)
            })
            .await
            .unwrap_or_else(|stopped| Err(StoreFault::Unavailable(stopped.to_string())));
            self.damage.seen(read, &self.path)
        })
    }

    /// Leaves nothing of what was deleted in the files: the log holds pages as they were before. No reader of
    /// this process keeps it from that.
    ///
    /// # Errors
    /// Where bytes that were deleted may still be, for people.
    async fn clean(&self) -> Result<(), String> {
        let reader = Arc::clone(&self.reader);
        let cleaned = self.writer.clean()?;
        tokio::task::spawn_blocking(move || {
            let _no_reader =
                reader.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            cleaned.wait()
        })
        .await
        .unwrap_or_else(|stopped| Err(stopped.to_string()))
    }

    /// Writes, unless the file is known to be damaged: what is written to such a file may be lost.
    async fn write_if_whole<T, F>(&self, what: F) -> Result<T, StoreFault>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> Result<T, StoreFault> + Send + 'static,
    {
        self.damage.none_yet()?;
        self.damage.seen(self.writer.write(what).await, &self.path)
    }
}

impl Store for SqliteStore {
    fn accept(&self, delivery: NewDelivery) -> Pending<'_, Accepted> {
        Box::pin(async move {
            let packed = self.packer.pack(delivery).await?;
            let accepted = self
                .write_if_whole(move |connection| {
                    let accepted =
                        at_once(steps::accept::accept(&Transaction(connection), &packed));
                    reached("accept.written");
                    accepted
                })
                .await;
            reached("accept.committed");
            accepted
        })
    }

    fn lease_due(&self, ask: LeaseAsk) -> Pending<'_, Leased> {
        Box::pin(self.write_if_whole(move |connection| {
            let leased = cases::lease_due(connection, &ask)?;
            if !leased.leases.is_empty() {
                reached("lease.written");
            }
            Ok(leased)
        }))
    }

    fn finish(&self, finish: Finish) -> Pending<'_, ()> {
        Box::pin(async move {
            // Tried even where the file is damaged, since nobody else knows the outcome of the attempt.
            let finished = self
                .writer
                .write(move |connection| {
                    let finished = cases::finish(connection, &finish);
                    reached("finish.written");
                    finished
                })
                .await;
            reached("finish.committed");
            self.damage.seen(finished, &self.path)
        })
    }

    fn expired_leases(&self, now: Timestamp) -> Pending<'_, Vec<Lease>> {
        self.read(move |connection| queue::expired_leases(connection, now))
    }

    fn fail_overdue(
        &self,
        now: Timestamp,
        waits: Vec<(Arc<str>, String)>,
    ) -> Pending<'_, BTreeMap<String, usize>> {
        Box::pin(self.write_if_whole(move |connection| {
            at_once(steps::settle::fail_overdue(&Transaction(connection), now, &waits))
        }))
    }

    fn pull_in(&self, latest: Timestamp, now: Timestamp) -> Pending<'_, usize> {
        Box::pin(self.write_if_whole(move |connection| queue::pull_in(connection, latest, now)))
    }

    fn replay(&self, request: ReplayRequest) -> Pending<'_, Replayed> {
        Box::pin(self.write_if_whole(move |connection| {
            at_once(steps::people::replay(&Transaction(connection), &request))
        }))
    }

    fn erase(&self, delivery: DeliveryId, act: Act) -> Pending<'_, Erasure> {
        Box::pin(async move {
            let erasure = self
                .write_if_whole(move |connection| {
                    at_once(steps::erase::erase(&Transaction(connection), delivery, &act))
                })
                .await?;
            let left = self.clean().await.err();
            let left = left.map(|left| format!("{}: {left}", self.path.display()));
            Ok(Erasure { left, ..erasure })
        })
    }

    fn release(&self, run: RunId, release: Release, act: Act) -> Pending<'_, Run> {
        Box::pin(self.write_if_whole(move |connection| {
            at_once(steps::people::release(&Transaction(connection), run, &release, &act))
        }))
    }

    fn cancel(&self, run: RunId, act: Act) -> Pending<'_, Run> {
        Box::pin(self.write_if_whole(move |connection| {
            at_once(steps::people::cancel(&Transaction(connection), run, &act))
        }))
    }

    fn pause(&self, what: Pausable, mark: Option<Vec<u8>>, act: Act) -> Pending<'_, ()> {
        Box::pin(self.write_if_whole(move |connection| {
            at_once(steps::pauses::pause(&Transaction(connection), &what, mark.as_deref(), &act))
        }))
    }

    fn resume(
        &self,
        what: Pausable,
        backlogs: Vec<(Arc<str>, Backlog)>,
        act: Act,
    ) -> Pending<'_, bool> {
        Box::pin(self.write_if_whole(move |connection| {
            at_once(steps::pauses::resume(&Transaction(connection), &what, &backlogs, &act))
        }))
    }

    fn pauses(&self) -> Pending<'_, Vec<Pause>> {
        self.read(read::paused)
    }

    fn release_backlog(&self, job: Arc<str>, how: Backlog, now: Timestamp) -> Pending<'_, usize> {
        Box::pin(self.write_if_whole(move |connection| {
            at_once(steps::pauses::release_backlog(&Transaction(connection), &job, how, now))
        }))
    }

    fn note(&self, what: String, kind: String, name: String, act: Act) -> Pending<'_, ()> {
        Box::pin(self.write_if_whole(move |connection| {
            at_once(Transaction(connection).audit(&what, &kind, &name, &act))
        }))
    }

    fn audit(&self, before: Option<u64>, limit: usize) -> Pending<'_, Vec<Audited>> {
        self.read(move |connection| read::audited(connection, before, limit))
    }

    fn read_delivery(&self, id: DeliveryId, reading: Reading) -> Pending<'_, Option<Delivery>> {
        self.read(move |connection| read::delivery(connection, id, reading))
    }

    fn deliveries(&self, filter: DeliveryFilter) -> Pending<'_, Vec<DeliverySummary>> {
        self.read(move |connection| read::deliveries(connection, &filter))
    }

    fn deliveries_like(&self, prefix: IdPrefix) -> Pending<'_, Vec<DeliveryId>> {
        self.read(move |connection| {
            let ids = read::ids_like(connection, "deliveries", &prefix)?;
            Ok(ids.into_iter().map(DeliveryId::from_bytes).collect())
        })
    }

    fn runs_like(&self, prefix: IdPrefix) -> Pending<'_, Vec<RunId>> {
        self.read(move |connection| {
            let ids = read::ids_like(connection, "runs", &prefix)?;
            Ok(ids.into_iter().map(RunId::from_bytes).collect())
        })
    }

    fn run(&self, id: RunId) -> Pending<'_, Option<Run>> {
        self.read(move |connection| {
            // One snapshot, so that the attempts belong to the run as shown.
            let snapshot = connection.unchecked_transaction().map_err(values::fault)?;
            read::run(&snapshot, id)
        })
    }

    fn runs(&self, filter: RunFilter) -> Pending<'_, Vec<RunBrief>> {
        self.read(move |connection| read::runs(connection, &filter))
    }

    fn counts(&self) -> Pending<'_, Counts> {
        self.read(read::counts)
    }

    fn queue(&self) -> Pending<'_, Queue> {
        self.read(read::queue)
    }

    fn late(&self, job: Arc<str>, before: Timestamp) -> Pending<'_, u64> {
        self.read(move |connection| read::late(connection, &job, before))
    }

    fn failed_since(&self, since: Timestamp) -> Pending<'_, Vec<Failures>> {
        self.read(move |connection| read::failed_since(connection, since))
    }

    fn lately(&self, since: Timestamp) -> Pending<'_, Lately> {
        self.read(move |connection| read::lately(connection, since))
    }

    fn held_since(&self, before: Timestamp) -> Pending<'_, u64> {
        self.read(move |connection| read::held_since(connection, before))
    }

    fn apply_retention(&self, retention: Retention, now: Timestamp) -> Pending<'_, RetentionStep> {
        Box::pin(self.write_if_whole(move |connection| retention::step(connection, retention, now)))
    }

    fn route_files(&self) -> Pending<'_, Vec<RouteFile>> {
        self.read(read::route_files)
    }

    fn keep_route_files(
        &self,
        files: Vec<(String, String)>,
        names: Vec<String>,
        now: Timestamp,
    ) -> Pending<'_, ()> {
        Box::pin(self.write_if_whole(move |connection| {
            read::keep_route_files(connection, &files, &names, now)
        }))
    }

    fn probe(&self, now: Timestamp) -> Pending<'_, ()> {
        Box::pin(self.write_if_whole(move |connection| {
            connection
                .prepare_cached("INSERT INTO probe (one, at) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET at = excluded.at")
                .and_then(|mut statement| statement.execute([values::millis(now)]))
                .map(|_| ())
                .map_err(values::fault)
        }))
    }
}
