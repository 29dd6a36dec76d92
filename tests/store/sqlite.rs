//! The cases on the embedded store, and what is true of it alone.

use std::sync::Arc;

use cdsw_gateway::model::RunState;
use cdsw_gateway::store::sqlite::SqliteStore;
use cdsw_gateway::store::{RunFilter, Store, StoreFault};

use crate::world::*;

fn open(directory: &tempfile::TempDir) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(&directory.path().join("gateway.db")).expect("opens"))
}

macro_rules! every_case {
    ($cases:ident: $($case:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            let directory = tempfile::tempdir().expect("a directory");
            crate::$cases::$case(open(&directory)).await;
        }
    )+};
}

crate::for_every_case!(every_case);

#[tokio::test]
async fn a_second_process_is_refused_with_the_files_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.db");
    let _first = SqliteStore::open(&path).expect("opens");
    let Err(StoreFault::Unusable(why)) = SqliteStore::open(&path) else { panic!("refused") };
    assert!(why.contains("gateway.db") && why.contains("another process"), "{why}");
}

#[tokio::test]
async fn a_file_of_another_program_is_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("other.db");
    let other = rusqlite::Connection::open(&path).expect("opens");
    other.execute_batch("CREATE TABLE theirs (x)").expect("created");
    drop(other);
    let Err(StoreFault::Unusable(why)) = SqliteStore::open(&path) else { panic!("refused") };
    assert!(why.contains("another program"), "{why}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_not_overwritten() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.db");
    let text = "this is somebody's thesis ".repeat(400);
    std::fs::write(&path, &text).expect("written");
    let Err(StoreFault::Unusable(why)) = SqliteStore::open(&path) else { panic!("refused") };
    assert!(why.contains("gateway.db"), "{why}");
    assert_eq!(std::fs::read_to_string(&path).expect("read"), text);
}

#[tokio::test]
async fn a_newer_files_tables_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.db");
    drop(SqliteStore::open(&path).expect("opens"));
    let newer = rusqlite::Connection::open(&path).expect("opens");
    newer.pragma_update(None, "user_version", 99).expect("set");
    drop(newer);
    let Err(StoreFault::Unusable(why)) = SqliteStore::open(&path) else { panic!("refused") };
    assert!(why.contains("99") && why.contains("newer"), "{why}");
}

#[tokio::test]
async fn a_missing_directory_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("nowhere").join("gateway.db");
    let Err(StoreFault::Unavailable(why)) = SqliteStore::open(&path) else { panic!("refused") };
    assert!(why.contains("nowhere"), "{why}");
}

#[tokio::test]
async fn what_was_on_the_wire_when_the_process_died_is_expired_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(&directory);
    let (_, run) = one_run(&store, "one").await;
    lease_one(&store, start()).await;
    drop(store);
    let store = open(&directory);
    assert_eq!(state(&store, run).await, RunState::Sending);
    let expired = store.expired_leases(start()).await.expect("read");
    assert_eq!(expired.iter().map(|lease| lease.run).collect::<Vec<_>>(), [run]);
}

/// A file as the first version left it, with runs in every state of then.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_file_is_brought_up_to_date_and_loses_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.db");
    let old = rusqlite::Connection::open(&path).expect("opens");
    old.execute_batch(include_str!("../../src/store/sqlite/migrations/0001_start.sql"))
        .expect("the first tables");
    old.execute_batch(include_str!("old.sql")).expect("filled");
    drop(old);
    let store = open(&directory);
    let counts = store.counts().await.expect("read");
    assert_eq!((counts.queued, counts.held, counts.sending), (2, 1, 1));
    let expired = store.expired_leases(after(1)).await.expect("read");
    assert_eq!(expired.len(), 1, "what was on the wire is known to be unknown");
    let leased = store.lease_due(ask(after(1), &[("train", 9)])).await.expect("leased").leases;
    assert_eq!(leased.len(), 1, "the other one is not due yet");
    let run = store.run(leased[0].run).await.expect("read").expect("kept");
    assert_eq!(run.tries.len(), 2, "its attempts are still there");
    let filter = RunFilter { limit: 99, ..RunFilter::default() };
    assert_eq!(store.runs(filter).await.expect("read").len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_book_of_acts_cannot_be_rewritten() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(&directory);
    let job = cdsw_gateway::store::Pausable::Job("train".to_owned());
    store.pause(job, None, act()).await.expect("paused");
    drop(store);
    let file = rusqlite::Connection::open(directory.path().join("gateway.db")).expect("opens");
    for sql in ["UPDATE audit SET who = 'nobody'", "DELETE FROM audit"] {
        let refused = file.execute(sql, []).expect_err(sql).to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
}
