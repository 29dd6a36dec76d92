//! Group commit: one thread owns the writing connection and commits all waiting writes together.
//!
//! A batch consists of the writes that arrived while the last commit was being flushed. There is no timer, so
//! a single write is as quick as the disk allows. Where one write fails, the batch is rolled back and written
//! again with a savepoint for each write, so that the others are kept. This is rare; savepoints for every
//! write would make writing more than a tenth slower. No caller is answered before the commit has returned.

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

/// Most writes that may wait. The receiver has its own limit; this one bounds the memory in any case.
const WAITING: usize = 8192;

/// A write that waits for its transaction.
trait Write: Send {
    /// Writes, inside a transaction. May be called again after that was rolled back.
    fn run(&mut self, connection: &Connection);
    /// Makes `fault` the result, since there is no transaction to write in.
    fn refuse(&mut self, fault: StoreFault);
    /// Whether the write has succeeded.
    fn is_written(&self) -> bool;
    /// Sends its result to the caller, or the fault of the commit.
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
        // The caller may have stopped waiting; the write is valid all the same.
        let _ = self.reply.send(self.outcome.and_then(|value| committed.map(|()| value)));
    }
}

type Job = Box<dyn Write>;

/// What the thread is asked for.
enum Asked {
    /// A write.
    Write(Job),
    /// To leave nothing of what was deleted in the files.
    Clean(oneshot::Sender<Result<(), String>>),
}

/// A request to clean the files, not made yet.
pub(super) struct Clean(mpsc::Sender<Asked>);

impl Clean {
    /// Makes the request, and waits until it is done.
    ///
    /// # Errors
    /// Where bytes that were deleted may still be, for people.
    pub(super) fn wait(self) -> Result<(), String> {
        let stopped = || "the store has been closed".to_owned();
        let (reply, answer) = oneshot::channel();
        self.0.blocking_send(Asked::Clean(reply)).map_err(|_| stopped())?;
        answer.blocking_recv().map_err(|_| stopped())?
    }
}
/// A batch after its commit, with the result of the commit.
type Settled = (Vec<Job>, Result<(), StoreFault>);

/// The writing side of the store.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Asked>>,
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

    /// Runs a write. Returns when it is committed and flushed, or has failed and changed nothing.
    pub(super) async fn write<T, F>(&self, write: F) -> Result<T, StoreFault>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> Result<T, StoreFault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let stopped = || StoreFault::Unavailable("the store has been closed".to_owned());
        let job: Job = Box::new(Writing { write, outcome: Err(stopped()), reply });
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        jobs.send(Asked::Write(job)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// A request to leave nothing of what was deleted in the files.
    ///
    /// # Errors
    /// The store has been closed.
    pub(super) fn clean(&self) -> Result<Clean, String> {
        let stopped = || "the store has been closed".to_owned();
        self.jobs.clone().map(Clean).ok_or_else(stopped)
    }
}

impl Drop for Writer {
    /// Waits until the thread has done the remaining writes, so that a dropped store is closed.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A task that answers the callers from inside the runtime, where waking a task costs no system call. `None`
/// without a runtime; the writer thread then answers them itself.
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
    mut waiting: mpsc::Receiver<Asked>,
    mut names: Names,
    path: &Path,
    told: Option<&mpsc::UnboundedSender<Settled>>,
) {
    loop {
        let mut asked = Vec::with_capacity(BATCH);
        if waiting.blocking_recv_many(&mut asked, BATCH) == 0 {
            break;
        }
        let mut batch = Vec::with_capacity(asked.len());
        let mut cleaning = Vec::new();
        for one in asked {
            match one {
                Asked::Write(job) => batch.push(job),
                Asked::Clean(reply) => cleaning.push(reply),
            }
        }
        // Checked before the commit, so that nothing is written to a file that was removed or replaced, and
        // again after it, since a sender is answered with 2xx on its result.
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
        if !cleaning.is_empty() {
            let cleaned = checkpoints.clean(connection);
            for reply in cleaning {
                // The caller may have stopped waiting; it is done all the same.
                let _ = reply.send(cleaned.clone());
            }
        }
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
        // The batch is one write, which has failed and has its own fault.
        [one] if !one.is_written() => Ok(()),
        _ => one_by_one(connection, batch),
    }
}

/// Writes and commits the whole batch; false where a write or the commit failed.
fn all_at_once(connection: &Connection, batch: &mut [Job]) -> bool {
    for job in batch.iter_mut() {
        job.run(connection);
        if !job.is_written() || connection.is_autocommit() {
            return false;
        }
    }
    prepared(connection, "COMMIT").is_ok()
}

/// Writes the batch with a savepoint for each write, and commits those that succeed.
fn one_by_one(connection: &Connection, batch: &mut [Job]) -> Result<(), StoreFault> {
    let mut usable = prepared(connection, "BEGIN IMMEDIATE");
    for job in batch {
        match &usable {
            Ok(()) => in_savepoint(connection, &mut **job),
            Err(fault) => job.refuse(fault.clone()),
        }
        // A full disk or a failed read makes SQLite roll back the whole transaction by itself. The earlier
        // writes are lost then, and nothing more may be written outside of a transaction.
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
        // If even this fails, SQLite has rolled back the whole transaction, and COMMIT will fail for every
        // write of the batch.
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
