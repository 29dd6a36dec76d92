//! Notices changes of the configuration files. It watches directories and not files, because
//! editors, git and Kubernetes replace files and symbolic links. Then it compares the contents.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::files::routes_directory;
use super::live::{Change, Live};
use super::plan::StorePlan;
use super::report::Report;

/// How often `wait` looks for changes; also the time that a writer has to finish before the files
/// are read.
const SETTLE: Duration = Duration::from_millis(200);
/// How often the contents are compared if no change is noticed. Some file systems report no
/// changes, and a directory may be created later.
const LOOK: Duration = Duration::from_secs(10);
/// How often the contents are compared if a directory is not watched.
const UNWATCHED_LOOK: Duration = Duration::from_secs(1);

/// How long the end of a watch waits for a reload in progress.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it looks whether the reload has ended.
const LAST_LOOK: Duration = Duration::from_millis(5);

/// Watches the files until it is dropped.
#[derive(Debug)]
pub struct Watch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to watch the files of a configuration. `on_reload` is called after every reload.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub fn start(
        live: Arc<Live>,
        on_reload: impl Fn(Result<Change, Report>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (stop, signals) = channel::<()>();
        let thread =
            std::thread::Builder::new().name("config-watch".to_owned()).spawn(move || {
                let (wake, events) = channel();
                // If the system cannot report changes, comparing the contents regularly is enough.
                let mut watcher =
                    notify::recommended_watcher(move |event: notify::Result<Event>| {
                        if event.is_ok_and(|event| !matters(&event)) {
                            return;
                        }
                        // The receiver is gone once the watch has been dropped.
                        let _ = wake.send(());
                    })
                    .ok();
                loop {
                    let look = watch_directories(watcher.as_mut(), &live);
                    // The contents are compared after the watching has begun, so that no change is
                    // missed.
                    if let Some(result) = live.reload_if_changed() {
                        on_reload(result);
                    }
                    if !wait(&signals, &events, look) {
                        return;
                    }
                }
            })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        let Some(thread) = self.thread.take() else { return };
        // The thread may be reading files of a file system that never answers. It ends with the process then.
        let mut left = PATIENCE.as_millis() / LAST_LOOK.as_millis();
        while !thread.is_finished() && left > 0 {
            std::thread::sleep(LAST_LOOK);
            left -= 1;
        }
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
}

/// Watches the directories again, and returns how often to compare the contents. Watching a
/// directory twice is harmless, and a directory that was replaced must be watched again.
///
/// The directory of the SQLite file is not watched. The system reports every write in a directory,
/// so each commit would wake this thread, which costs a twentieth of all the work of the gateway.
fn watch_directories(watcher: Option<&mut RecommendedWatcher>, live: &Live) -> Duration {
    let Some(watcher) = watcher else { return UNWATCHED_LOOK };
    let plan = live.plan();
    let busy = match &plan.store {
        StorePlan::Sqlite(path) => path.parent(),
        StorePlan::Postgres(_) => None,
    };
    let mut look = LOOK;
    for directory in [live.path().parent(), Some(&*routes_directory(live.path()))] {
        let Some(directory) = directory else { continue };
        let directory = if directory.as_os_str().is_empty() { ".".as_ref() } else { directory };
        if busy.is_some_and(|busy| same(busy, directory)) {
            look = UNWATCHED_LOOK;
            continue;
        }
        // The regular comparison finds a directory that does not exist yet.
        let _ = watcher.watch(directory, RecursiveMode::NonRecursive);
    }
    look
}

fn same(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Whether an event can mean that the configuration changed. Reading a file does not count, and
/// neither do other files of the directory, such as a busy database.
fn matters(event: &Event) -> bool {
    let looked = matches!(event.kind, EventKind::Access(kind)
        if kind != AccessKind::Close(AccessMode::Write));
    let ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Directories have no extension. The links that Kubernetes swaps begin with two dots.
        !name.contains('.')
            || name.starts_with("..")
            || name.ends_with(".yaml")
            || name.ends_with(".yml")
    };
    !looked && (event.paths.is_empty() || event.paths.iter().any(ours))
}

/// Waits for a change, or until the next regular comparison. `false` if the watch must stop.
fn wait(stop: &Receiver<()>, events: &Receiver<()>, look: Duration) -> bool {
    for _ in 0..look.as_millis() / SETTLE.as_millis() {
        match stop.recv_timeout(SETTLE) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return false,
        }
        if events.try_iter().count() > 0 {
            return true;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, ModifyKind};

    use super::*;

    fn event(kind: EventKind, path: &str) -> Event {
        Event::new(kind).add_path(path.into())
    }

    #[test]
    fn reading_the_files_and_writing_a_database_beside_them_wakes_nobody() {
        let read = EventKind::Access(AccessKind::Close(AccessMode::Read));
        let written = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        assert!(!matters(&event(read, "/etc/gateway/gateway.yaml")));
        assert!(!matters(&event(written, "/etc/gateway/gateway.db-wal")));
        assert!(!matters(&event(written, "/etc/gateway/gateway.db")));
    }

    #[test]
    fn a_written_file_and_a_swapped_link_are_noticed() {
        let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
        assert!(matters(&event(closed, "/etc/gateway/routes.d/team.yml")));
        let created = EventKind::Create(CreateKind::Any);
        assert!(matters(&event(created, "/etc/gateway/..data")));
        assert!(matters(&Event::new(created)));
    }
}
