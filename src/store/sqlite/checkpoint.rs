//! The log's pages are copied into the file beside the work, so that nobody waits for it.
//!
//! A thread of its own, with a connection of its own, copies what is there while commits go on. What came
//! in meanwhile is little, and the thread that writes copies it between two commits: only when nothing is
//! left in the log does it begin anew. With SQLite's own way, a copy of all of it by whoever commits, each
//! of them held up a few hundred deliveries for twenty milliseconds.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::open;
use super::values::fault;
use crate::store::StoreFault;

/// New pages in the log at which copying begins: 16 MiB. Those that are written again and again are copied
/// once for all of it.
const BEGIN: i32 = 2_000;
/// New pages at which the thread that writes copies all of it itself, since the other is not getting on.
const MOST: i32 = 16_000;

/// What copies.
pub(super) struct Checkpoints {
    /// Pages in the log after the last commit.
    pages: Arc<AtomicI32>,
    /// Set once most of the log has been copied.
    copied: Arc<AtomicBool>,
    /// Pages that were in the log when all of it was last copied.
    before: i32,
    begin: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Starts the thread for the log that this connection writes.
    pub(super) fn start(writing: &mut Connection, path: &Path) -> Result<Self, StoreFault> {
        let pages = Arc::new(AtomicI32::new(0));
        let count = Arc::clone(&pages);
        writing
            .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, in_log| {
                count.store(in_log, Ordering::Relaxed);
                Ok(())
            }))
            .map_err(fault)?;
        let copying = open::connect(path)?;
        let copied = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&copied);
        let (begin, asked) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("store-copier".to_owned())
            .spawn(move || {
                while asked.recv() == Ok(()) {
                    copy(&copying);
                    done.store(true, Ordering::Release);
                }
            })
            .map_err(|error| {
                StoreFault::Unavailable(format!("no thread for the store: {error}"))
            })?;
        Ok(Self { pages, copied, before: 0, begin: Some(begin), thread: Some(thread) })
    }

    /// To be called between two commits.
    pub(super) fn go_on(&mut self, writing: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.before {
            // The log began anew.
            self.before = 0;
        }
        let new = pages - self.before;
        if self.copied.swap(false, Ordering::Acquire) || new >= MOST {
            // While the other is at it still, the next commit tries again.
            if copy(writing) {
                // Where somebody still reads an old page, the log goes on behind these.
                self.before = pages;
            }
        } else if new >= BEGIN
            && let Some(begin) = &self.begin
        {
            // It may be at it already.
            let _ = begin.try_send(());
        }
    }
}

impl Checkpoints {
    /// Ends the thread and leaves one tidy file behind.
    pub(super) fn finish(self, writing: &Connection) {
        drop(self);
        copy(writing);
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        drop(self.begin.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Copies what can be copied without waiting for anybody; false where another copy is being made. A
/// failure costs nothing: the log has it all.
fn copy(connection: &Connection) -> bool {
    let mut busy = false;
    let done = connection.pragma(None, "wal_checkpoint", "PASSIVE", |row| {
        busy = row.get::<_, i64>(0)? != 0;
        Ok(())
    });
    done.is_ok() && !busy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_begins_anew_however_much_is_written() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("gateway.db");
        let mut writing = open::connect(&path).expect("opens");
        let mut checkpoints = Checkpoints::start(&mut writing, &path).expect("starts");
        writing.execute_batch("CREATE TABLE pieces (piece BLOB)").expect("made");
        let step = BEGIN / 4;
        let (mut before, mut began_anew, mut pieces) = (0, 0, 0);
        // The other thread takes the time that the disk takes.
        while began_anew < 3 && pieces < 5 * MOST {
            writing
                .execute(
                    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
                     INSERT INTO pieces SELECT zeroblob(8000) FROM n",
                    [step],
                )
                .expect("written");
            pieces += step;
            let pages = checkpoints.pages.load(Ordering::Relaxed);
            began_anew += i32::from(pages < before);
            before = pages;
            checkpoints.go_on(&writing);
        }
        assert_eq!(began_anew, 3, "{before} pages are in the log");
        let written: i32 =
            writing.query_row("SELECT count(*) FROM pieces", [], |row| row.get(0)).expect("read");
        assert_eq!(written, pieces);
        checkpoints.finish(&writing);
        drop(writing);
        assert!(!path.with_extension("db-wal").exists(), "closed with nothing left in the log");
    }
}
