//! Group commit: one thread owns the writing connection and commits all that is waiting at once.
//!
//! The batch is whatever has arrived while the last commit was being flushed, never a timer, so a
//! lone write is as quick as the disk allows. Each write runs in a savepoint of its own: one that
//! fails takes nothing of the others with it. Nobody is answered before the commit has returned.

use std::path::Path;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::hold::Names;
use super::open::naming;
use super::rows::fault;
use crate::store::StoreFault;

/// Most writes that share a transaction. Bounds how long the first of them waits for the last.
const BATCH: usize = 256;

/// Most writes that may wait. Receiving is bounded before this; the bound is a second wall.
const WAITING: usize = 8192;

/// A write, ready to run inside a transaction, or to be told that there is none. It gives what to do
/// once the commit's fate is known.
type Job = Box<dyn FnOnce(Result<&Connection, StoreFault>) -> Answer + Send>;
/// Answers whoever asked: with what the write gave, or with the commit's fault.
type Answer = Box<dyn FnOnce(Result<(), StoreFault>) + Send>;

/// The writing side of the store.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        connection: Connection,
        names: Names,
        path: &Path,
    ) -> Result<Self, StoreFault> {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let path = path.to_owned();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&connection, waiting, names, &path))
            .map_err(|error| {
                StoreFault::Unavailable(format!("no thread for the store: {error}"))
            })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs a write; ends when it is committed and flushed, or has changed nothing.
    pub(super) async fn write<T, F>(&self, write: F) -> Result<T, StoreFault>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreFault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let outcome = connection.and_then(|connection| in_savepoint(connection, write));
            Box::new(move |committed| {
                // Whoever asked may be gone; the write stands all the same.
                let _ = reply.send(outcome.and_then(|value| committed.map(|()| value)));
            })
        });
        let stopped = || StoreFault::Unavailable("the store has been closed".to_owned());
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

fn run(connection: &Connection, mut waiting: mpsc::Receiver<Job>, mut names: Names, path: &Path) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.blocking_recv_many(&mut batch, BATCH) > 0 {
        // Before, so that nothing is begun in a file that nobody finds again; and after, since a 2xx
        // is built on it.
        let found = names.check();
        let (answers, committed) = commit(connection, found, batch.drain(..));
        let committed = committed.map_err(|error| naming(path, error)).and_then(|()| names.check());
        for answer in answers {
            answer(committed.clone());
        }
    }
    // Leaves one tidy file behind; a failure costs nothing, since the log is replayed on opening.
    let _ = connection.pragma_query(None, "wal_checkpoint", |_| Ok(()));
}

fn commit(
    connection: &Connection,
    found: Result<(), StoreFault>,
    batch: impl Iterator<Item = Job>,
) -> (Vec<Answer>, Result<(), StoreFault>) {
    let mut usable =
        found.and_then(|()| connection.execute_batch("BEGIN IMMEDIATE").map_err(fault));
    let mut answers = Vec::new();
    for job in batch {
        answers.push(job(usable.as_ref().map(|()| connection).map_err(Clone::clone)));
        // A full disk or a failed read makes SQLite give up the whole transaction by itself. What
        // came before is gone then, and nothing more may be written outside of a transaction.
        if usable.is_ok() && connection.is_autocommit() {
            usable = Err(StoreFault::Unavailable("the disk refused a write".to_owned()));
        }
    }
    let committed =
        usable.and_then(|()| connection.execute_batch("COMMIT").map_err(fault)).inspect_err(|_| {
            // A failed COMMIT may leave the transaction open; the next batch needs a clean start.
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("ROLLBACK");
            }
        });
    (answers, committed)
}

fn in_savepoint<T>(
    connection: &Connection,
    write: impl FnOnce(&Connection) -> Result<T, StoreFault>,
) -> Result<T, StoreFault> {
    // Prepared once: every write of a batch runs these two.
    let run = |sql| connection.prepare_cached(sql).and_then(|mut one| one.execute([]));
    run("SAVEPOINT one").map_err(fault)?;
    match write(connection) {
        Ok(value) => {
            run("RELEASE one").map_err(fault)?;
            Ok(value)
        }
        Err(refused) => {
            // When even this fails the whole transaction was rolled back by SQLite, and COMMIT
            // will say so to everybody.
            let _ = connection.execute_batch("ROLLBACK TO one; RELEASE one");
            Err(refused)
        }
    }
}
