//! Group commit: one thread owns the writing connection and commits all that is waiting at once.
//!
//! The batch is whatever has arrived while the last commit was being flushed, never a timer, so a
//! lone write is as quick as the disk allows. Where one fails, the batch is rolled back and written
//! again, each write in a savepoint of its own, so that it takes nothing of the others with it: this is
//! rare, and savepoints for every write would cost more than a tenth of them. Nobody is answered before
//! the commit has returned.

use std::path::Path;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::checkpoint::Checkpoints;
use super::file_lock::Names;
use super::open::naming;
use super::values::fault;
use crate::store::StoreFault;

/// Most writes that share a transaction. Bounds how long the first of them waits for the last.
const BATCH: usize = 256;

/// Most writes that may wait. Receiving is bounded before this; the bound is a second wall.
const WAITING: usize = 8192;

/// A write that waits for its transaction.
trait Write: Send {
    /// Writes, inside a transaction. May be called again after that was rolled back.
    fn run(&mut self, connection: &Connection);
    /// Notes that there is no transaction.
    fn refuse(&mut self, fault: StoreFault);
    /// Whether it has written what it was to write.
    fn is_written(&self) -> bool;
    /// Tells whoever asked what it gave, or the fate of its commit.
    fn answer(self: Box<Self>, committed: Result<(), StoreFault>);
}

/// A write that gives a `T`.
struct Writing<T, F> {
    write: F,
    outcome: Result<T, StoreFault>,
    reply: oneshot::Sender<Result<T, StoreFault>>,
}

impl<T: Send, F: FnMut(&Connection) -> Result<T, StoreFault> + Send> Write for Writing<T, F> {
    fn run(&mut self, connection: &Connection) {
        self.outcome = (self.write)(connection);
    }

    fn refuse(&mut self, fault: StoreFault) {
        self.outcome = Err(fault);
    }

    fn is_written(&self) -> bool {
        self.outcome.is_ok()
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreFault>) {
        // Whoever asked may be gone; the write stands all the same.
        let _ = self.reply.send(self.outcome.and_then(|value| committed.map(|()| value)));
    }
}

type Job = Box<dyn Write>;
/// A batch whose fate is known.
type Settled = (Vec<Job>, Result<(), StoreFault>);

/// The writing side of the store.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        connection: Connection,
        checkpoints: Checkpoints,
        names: Names,
        path: &Path,
    ) -> Result<Self, StoreFault> {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let path = path.to_owned();
        let told = teller();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&connection, checkpoints, waiting, names, &path, told.as_ref()))
            .map_err(|error| {
                StoreFault::Unavailable(format!("no thread for the store: {error}"))
            })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs a write; ends when it is committed and flushed, or has changed nothing.
    pub(super) async fn write<T, F>(&self, write: F) -> Result<T, StoreFault>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> Result<T, StoreFault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let stopped = || StoreFault::Unavailable("the store has been closed".to_owned());
        let job: Job = Box::new(Writing { write, outcome: Err(stopped()), reply });
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        jobs.send(job).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    /// Lets the thread finish what is waiting, so that a store that was dropped is closed.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Tells from inside the runtime, where waking a task costs no system call. Without a runtime the
/// thread tells by itself.
fn teller() -> Option<mpsc::UnboundedSender<Settled>> {
    let runtime = tokio::runtime::Handle::try_current().ok()?;
    let (told, mut settled) = mpsc::unbounded_channel::<Settled>();
    runtime.spawn(async move {
        while let Some((batch, committed)) = settled.recv().await {
            tell(batch, &committed);
        }
    });
    Some(told)
}

fn tell(batch: Vec<Job>, committed: &Result<(), StoreFault>) {
    for job in batch {
        job.answer(committed.clone());
    }
}

fn run(
    connection: &Connection,
    mut checkpoints: Checkpoints,
    mut waiting: mpsc::Receiver<Job>,
    mut names: Names,
    path: &Path,
    told: Option<&mpsc::UnboundedSender<Settled>>,
) {
    loop {
        let mut batch = Vec::with_capacity(BATCH);
        if waiting.blocking_recv_many(&mut batch, BATCH) == 0 {
            break;
        }
        // Before, so that nothing is begun in a file that nobody finds again; and after, since a 2xx
        // is built on it.
        let found = names.check();
        let committed = commit(connection, found, &mut batch);
        let committed = committed.map_err(|error| naming(path, error)).and_then(|()| names.check());
        let left = match told {
            Some(told) => told.send((batch, committed)).err().map(|unsent| unsent.0),
            None => Some((batch, committed)),
        };
        if let Some((batch, committed)) = left {
            tell(batch, &committed);
        }
        checkpoints.go_on(connection);
    }
    checkpoints.finish(connection);
}

fn commit(
    connection: &Connection,
    found: Result<(), StoreFault>,
    batch: &mut [Job],
) -> Result<(), StoreFault> {
    if let Err(fault) = found.and_then(|()| prepared(connection, "BEGIN IMMEDIATE")) {
        batch.iter_mut().for_each(|job| job.refuse(fault.clone()));
        return Err(fault);
    }
    if all_at_once(connection, batch) {
        return Ok(());
    }
    roll_back(connection);
    match batch {
        // It has nobody to take with it, and knows why.
        [one] if !one.is_written() => Ok(()),
        _ => one_by_one(connection, batch),
    }
}

/// Writes all of them; false where one could not be written, or the commit failed.
fn all_at_once(connection: &Connection, batch: &mut [Job]) -> bool {
    for job in batch.iter_mut() {
        job.run(connection);
        if !job.is_written() || connection.is_autocommit() {
            return false;
        }
    }
    prepared(connection, "COMMIT").is_ok()
}

/// Writes each in a savepoint of its own.
fn one_by_one(connection: &Connection, batch: &mut [Job]) -> Result<(), StoreFault> {
    let mut usable = prepared(connection, "BEGIN IMMEDIATE");
    for job in batch {
        match &usable {
            Ok(()) => in_savepoint(connection, &mut **job),
            Err(fault) => job.refuse(fault.clone()),
        }
        // A full disk or a failed read makes SQLite give up the whole transaction by itself. What
        // came before is gone then, and nothing more may be written outside of a transaction.
        if usable.is_ok() && connection.is_autocommit() {
            usable = Err(StoreFault::Unavailable("the disk refused a write".to_owned()));
        }
    }
    // A failed COMMIT may leave the transaction open; the next batch needs a clean start.
    usable.and_then(|()| prepared(connection, "COMMIT")).inspect_err(|_| roll_back(connection))
}

fn in_savepoint(connection: &Connection, job: &mut dyn Write) {
    if let Err(fault) = prepared(connection, "SAVEPOINT one") {
        return job.refuse(fault);
    }
    job.run(connection);
    if job.is_written() {
        if let Err(fault) = prepared(connection, "RELEASE one") {
            job.refuse(fault);
        }
    } else {
        // When even this fails the whole transaction was rolled back by SQLite, and COMMIT will say so
        // to everybody.
        let _ = connection.execute_batch("ROLLBACK TO one; RELEASE one");
    }
}

fn prepared(connection: &Connection, sql: &str) -> Result<(), StoreFault> {
    let done = connection.prepare_cached(sql).and_then(|mut one| one.execute([]));
    done.map(drop).map_err(fault)
}

fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
}
