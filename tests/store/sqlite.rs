//! The cases on the embedded store, and what is true of it alone.

use std::sync::Arc;
use std::time::Duration;

use cdsw_gateway::model::{Backlog, RunState};
use cdsw_gateway::store::sqlite::SqliteStore;
use cdsw_gateway::store::{
    Pausable, Release, ReplayOrder, Retention, RunFilter, Store, StoreFault,
};

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

every_case!(
    cases:
    a_kept_delivery_reads_back_whole,
    a_repeat_gets_the_first_ones_ids_and_starts_nothing,
    the_same_key_at_another_source_is_another_delivery,
    a_key_is_free_again_after_seven_days,
    identical_deliveries_at_once_make_one_set_of_runs,
    a_lease_begins_an_attempt_on_disk,
    a_started_run_names_its_engine_and_stays_started,
    a_retry_is_due_at_its_time_and_not_before,
    only_the_latest_attempt_can_be_settled,
    permits_bound_what_is_taken_and_every_job_has_its_turn,
    runs_of_a_job_are_taken_in_the_order_of_acceptance,
    a_lease_that_ran_out_is_found_and_can_be_settled,
    a_run_past_its_deadline_fails_and_says_so,
    a_clock_that_was_set_back_makes_nobody_wait_for_longer_than_a_pause,
    a_redelivery_queues_what_had_failed_with_todays_environment,
    a_redelivery_leaves_held_and_started_runs_alone,
    a_failed_mapping_is_kept_and_mended_by_a_replay,
    a_replay_starts_nothing_twice_unless_told_to,
    a_held_run_is_settled_by_a_persons_word,
    retention_removes_what_is_old_and_over_and_nothing_else,
    the_size_bound_gives_up_content_but_not_the_knowledge_of_repeats,
    lists_are_newest_first_and_go_on_from_where_they_ended,
);

every_case!(
    flow:
    a_burst_becomes_one_run_that_stands_for_all,
    a_burst_waits_no_longer_than_it_may,
    runs_of_another_kind_are_left_alone,
    a_run_that_is_tried_again_gives_way_to_a_newer_one,
    a_run_that_is_due_again_comes_before_newer_ones,
    no_minute_has_more_starts_than_the_limit,
    the_brake_holds_what_is_over_it_and_a_persons_word_lets_it_go,
    a_run_that_is_tried_again_is_not_held_by_the_brake,
    the_stop_switch_stops_every_start_and_no_delivery,
    a_paused_job_rests_and_the_others_do_not,
    the_runs_of_a_paused_route_wait_also_those_that_come_later,
    what_rests_is_kept_with_who_and_why,
    a_backlog_is_let_go_at_its_pace_and_newer_runs_wait_their_turn,
    of_a_backlog_only_the_newest_of_each_route_may_be_let_go,
    a_backlog_may_be_held_for_review,
    a_run_can_be_cancelled_until_it_is_on_the_wire,
    every_act_is_in_the_book_newest_first,
    one_job_with_a_hundred_thousand_runs_keeps_no_other_from_its_turn,
);

#[tokio::test]
async fn a_second_process_is_refused_with_the_files_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.db");
    let _first = SqliteStore::open(&path).expect("opens");
    let Err(StoreFault::Unusable(why)) = SqliteStore::open(&path) else { panic!("refused") };
    assert!(why.contains("gateway.db") && why.contains("another process"), "{why}");
}

#[tokio::test]
async fn a_link_to_the_file_or_another_name_of_it_is_no_way_around_the_lock() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.db");
    let _first = SqliteStore::open(&path).expect("opens");
    let (link, name) = (directory.path().join("link.db"), directory.path().join("name.db"));
    std::os::unix::fs::symlink(&path, &link).expect("linked");
    std::fs::hard_link(&path, &name).expect("linked");
    let _ = std::fs::remove_file(directory.path().join("gateway.db.lock"));
    for other in [&path, &link, &name] {
        let Err(StoreFault::Unusable(why)) = SqliteStore::open(other) else { panic!("refused") };
        assert!(why.contains("another process"), "{why}");
        assert!(why.contains(&*other.to_string_lossy()), "{why}");
    }
}

#[tokio::test]
async fn through_a_link_the_log_lies_beside_the_file_itself() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join("data")).expect("a directory");
    let (path, link) = (directory.path().join("data/gateway.db"), directory.path().join("link.db"));
    std::os::unix::fs::symlink(&path, &link).expect("linked");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&link).expect("opens"));
    let (_, run) = one_run(&store, "one").await;
    assert!(directory.path().join("data/gateway.db-wal").exists());
    drop(store);
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).expect("opens"));
    assert_eq!(state(&store, run).await, RunState::Queued);
}

/// The system drops SQLite's locks when any descriptor of the file is closed.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn sqlites_own_locks_are_there_beside_ours_for_as_long_as_the_store_is_open() {
    use std::os::unix::fs::MetadataExt as _;
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(&directory);
    one_run(&store, "one").await;
    let inode = directory.path().join("gateway.db").metadata().expect("its number").ino();
    let locks = || {
        let all = std::fs::read_to_string("/proc/locks").expect("Linux shows them");
        let ours = |line: &&str| line.contains(&format!(":{inode} "));
        let kinds = all.lines().filter(ours).filter_map(|line| line.split_whitespace().nth(1));
        let mut kinds: Vec<String> = kinds.map(str::to_owned).collect();
        kinds.sort();
        kinds.dedup();
        kinds
    };
    assert_eq!(locks(), ["FLOCK", "POSIX"]);
    drop(store);
    assert_eq!(locks(), [""; 0]);
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

/// A store that has noticed that its file is damaged.
async fn damaged(directory: &tempfile::TempDir) -> Arc<dyn Store> {
    let path = directory.path().join("gateway.db");
    let store = open(directory);
    for number in 0..40 {
        one_run(&store, &number.to_string()).await;
    }
    drop(store);
    let whole = std::fs::read(&path).expect("read");
    for page in 1..whole.len() / 8192 {
        let mut bytes = whole.clone();
        bytes[page * 8192..][..4096].fill(0xa5);
        std::fs::write(&path, bytes).expect("written");
        let Ok(store) = SqliteStore::open(&path) else { continue };
        let filter = RunFilter { limit: 99, ..RunFilter::default() };
        if let Err(StoreFault::Unusable(_)) = store.runs(filter).await {
            return Arc::new(store);
        }
    }
    panic!("no damage is ever noticed");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_more_is_written_to_a_file_that_is_known_to_be_damaged() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = damaged(&directory).await;
    let new = delivery("new", vec![queued("r", "train")]);
    let (delivery, run) = (new.id, new.runs[0].id);
    let job = || Pausable::Job("train".to_owned());
    let order = ReplayOrder { delivery, runs: Vec::new(), again: false, act: act() };
    let retention = Retention { keep: Duration::from_secs(1), max_size: 1 };
    let refused = [
        ("accept", store.accept(new).await.err()),
        ("lease_due", store.lease_due(ask(after(1), &[("train", 9)])).await.err()),
        ("fail_overdue", store.fail_overdue(after(9999)).await.err()),
        ("pull_in", store.pull_in(start(), after(1)).await.err()),
        ("replay", store.replay(order).await.err()),
        ("release", store.release(run, Release::Fail, act()).await.err()),
        ("cancel", store.cancel(run, act()).await.err()),
        ("pause", store.pause(job(), None, act()).await.err()),
        ("resume", store.resume(job(), act()).await.err()),
        ("let_go", store.let_go("train".into(), Backlog::Paced, after(1)).await.err()),
        ("note", store.note("a".into(), "b".into(), "c".into(), act()).await.err()),
        ("tidy", store.tidy(retention, after(9999)).await.err()),
        ("probe", store.probe(after(1)).await.err()),
    ];
    for (what, fault) in refused {
        let Some(StoreFault::Unusable(why)) = &fault else { panic!("{what}: {fault:?}") };
        assert!(why.contains(".recover"), "{what}: {why}");
    }
}
