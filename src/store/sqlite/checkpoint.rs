//! Checkpoints: copies pages from the write-ahead log into the database file, in the background.
//!
//! A thread with its own connection copies most pages while commits continue. The writer thread copies the
//! few pages that were added meanwhile, between two commits: SQLite reuses the log from its start only when
//! every page of it is copied. SQLite's automatic checkpoint would copy all pages inside a commit, which
//! delayed a few hundred deliveries by twenty milliseconds each time.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::open;
use super::values::fault;
use crate::store::StoreFault;

/// New pages in the log at which a checkpoint begins: 16 MiB. A page that was written several times is copied
/// only once.
const BEGIN: i32 = 2_000;
/// New pages at which the writer thread copies them all itself, since the background thread does not keep up.
const MOST: i32 = 16_000;

/// Largest file, in bytes, that is written anew for an erased delivery. Deliveries wait meanwhile, for less than a
/// second, and so much memory is taken.
const ANEW: u64 = 64 << 20;

/// The background thread, and what the writer thread knows about the log.
pub(super) struct Checkpoints {
    /// Pages in the log after the last commit.
    pages: Arc<AtomicI32>,
    /// Set when the background thread has finished a copy.
    copied: Arc<AtomicBool>,
    /// Pages that were in the log when the writer thread last copied it.
    before: i32,
    /// Locked while the background thread copies.
    copying: Arc<Mutex<()>>,
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
        let connection = open::connect(path)?;
        let copying = Arc::new(Mutex::new(()));
        let lock = Arc::clone(&copying);
        let copied = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&copied);
        let (begin, asked) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("store-copier".to_owned())
            .spawn(move || {
                while asked.recv() == Ok(()) {
                    let copying = lock.lock().unwrap_or_else(PoisonError::into_inner);
                    copy(&connection);
                    drop(copying);
                    done.store(true, Ordering::Release);
                }
            })
            .map_err(|error| {
                StoreFault::Unavailable(format!("no thread for the store: {error}"))
            })?;
        Ok(Self { pages, copied, before: 0, copying, begin: Some(begin), thread: Some(thread) })
    }

    /// Starts or completes a checkpoint where one is due. The writer thread calls it between two commits.
    pub(super) fn go_on(&mut self, writing: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.before {
            // SQLite has reused the log from its start.
            self.before = 0;
        }
        let new = pages - self.before;
        if self.copied.swap(false, Ordering::Acquire) || new >= MOST {
            // Where the background thread is still copying, a later call tries again.
            if copy(writing) {
                // Where a reader still needs an old page, the log continues behind these pages.
                self.before = pages;
            }
        } else if new >= BEGIN
            && let Some(begin) = &self.begin
        {
            // A full channel means that the thread has been asked already.
            let _ = begin.try_send(());
        }
    }
}

impl Checkpoints {
    /// Writes the file anew where it is small, copies the whole log into it, and cuts the log to nothing. Waits
    /// for the background thread. The writer thread calls it between two commits.
    ///
    /// # Errors
    /// Where bytes that were deleted may still be, for people.
    pub(super) fn clean(&mut self, writing: &Connection) -> Result<(), String> {
        let _no_other = self.copying.lock().unwrap_or_else(PoisonError::into_inner);
        let anew = write_anew(writing);
        let mut busy = false;
        writing
            .pragma(None, "wal_checkpoint", "TRUNCATE", |row| {
                busy = row.get::<_, i64>(0)? != 0;
                Ok(())
            })
            .map_err(|error| format!("the log, which could not be emptied: {}", fault(error)))?;
        if busy {
            let why =
                "the log (-wal), which could not be emptied while another program reads the file";
            return Err(why.to_owned());
        }
        self.before = 0;
        self.pages.store(0, Ordering::Relaxed);
        anew
    }

    /// Ends the thread and copies the rest of the log into the file.
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

/// Writes every row to a new page, where the file is small enough for that to be quick. SQLite overwrites what it
/// deletes, but where a row was moved from one page to another before, a copy may be left that belongs to no row.
fn write_anew(writing: &Connection) -> Result<(), String> {
    let left = |why: &str| {
        Err(format!(
            "parts of its pages that belong to no row, since {why}; to be sure, stop the gateway and run \
             `sqlite3 FILE VACUUM`"
        ))
    };
    let pragma = |name| writing.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    let size = pragma("page_count").and_then(|pages| Ok(pages * pragma("page_size")?));
    match size {
        Ok(size) if size <= ANEW => {}
        Ok(_) => return left("the file is too large to be written anew while deliveries wait"),
        Err(error) => return left(&fault(error).to_string()),
    }
    // The copy of so small a file has room in memory, and no other place needs to be writable.
    let done =
        writing.execute_batch("PRAGMA temp_store = MEMORY; VACUUM; PRAGMA temp_store = DEFAULT");
    done.or_else(|error| left(&format!("it could not be written anew ({})", fault(error))))
}

/// Copies the pages that can be copied without waiting for readers; false where it failed or another copy is
/// being made. A failure loses nothing, since the log has every page.
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
