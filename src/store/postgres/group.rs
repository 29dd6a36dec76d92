//! Group commit: writes that arrive together share one transaction and one flush.
//!
//! A batch consists of the writes that arrived while earlier batches were in flight. There is no timer, so a
//! single write is as quick as the database allows.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::store::StoreFault;

/// Most writes that share a transaction. Bounds how long the first of them waits for the last.
const BATCH: usize = 256;
/// Most writes that may wait. The receiver has its own limit; this one bounds the memory in any case.
const WAITING: usize = 8192;
/// Batches that may be in flight at once. While one is being flushed, the next is written.
const ON_THE_WAY: usize = 2;

/// A write, and the channel to its caller.
pub(super) struct Asked<T, R> {
    pub(super) what: T,
    reply: oneshot::Sender<Result<R, StoreFault>>,
}

impl<T, R> Asked<T, R> {
    /// Sends the result to the caller. The caller may have stopped waiting; the write is valid all the same.
    pub(super) fn tell(self, outcome: Result<R, StoreFault>) {
        let _ = self.reply.send(outcome);
    }
}

/// The queue of writes that are committed in groups.
pub(super) struct Group<T, R>(mpsc::Sender<Asked<T, R>>);

impl<T: Send + 'static, R: Send + 'static> Group<T, R> {
    /// Starts the task that makes batches. `weigh` gives the size of a write in bytes; the writes of a batch
    /// have at most `most` bytes together. `work` does a batch and answers its callers.
    pub(super) fn start<W, F>(most: usize, weigh: fn(&T) -> usize, work: W) -> Self
    where
        W: Fn(Vec<Asked<T, R>>) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let (writes, mut waiting) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            let slots = Arc::new(Semaphore::new(ON_THE_WAY));
            let mut next: Vec<Asked<T, R>> = Vec::new();
            loop {
                if next.is_empty() && waiting.recv_many(&mut next, 1).await == 0 {
                    return;
                }
                let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
                // Adds the writes that arrived while no slot was free.
                let mut weight: usize = next.iter().map(|asked| weigh(&asked.what)).sum();
                let mut batch = std::mem::take(&mut next);
                while batch.len() < BATCH {
                    let Ok(asked) = waiting.try_recv() else { break };
                    weight += weigh(&asked.what);
                    if weight > most {
                        next.push(asked);
                        break;
                    }
                    batch.push(asked);
                }
                let done = work(batch);
                tokio::spawn(async move {
                    done.await;
                    drop(slot);
                });
            }
        });
        Self(writes)
    }

    /// Does a write as a part of a batch. Returns when it is committed and flushed, or has failed and changed
    /// nothing.
    pub(super) async fn ask(&self, what: T) -> Result<R, StoreFault> {
        let stopped = || StoreFault::Unavailable("the store has been closed".to_owned());
        let (reply, answer) = oneshot::channel();
        self.0.send(Asked { what, reply }).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}
