//! The cases on the embedded store, and what is true of it alone.

use std::sync::Arc;
use std::time::Duration;

use cdsw_gateway::model::run::leads;
use cdsw_gateway::model::{Backlog, Outcome, RunState};
use cdsw_gateway::random::{Random, SeededRandom};
use cdsw_gateway::store::sqlite::SqliteStore;
use cdsw_gateway::store::{
    Accepted, NewDelivery, NewRunState, Next, Pausable, Release, ReplayRequest, Retention,
    RunFilter, Store, StoreFault,
};

use super::world::*;

fn open(directory: &tempfile::TempDir) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(&directory.path().join("gateway.db")).expect("opens"))
}

macro_rules! every_case {
    ($cases:ident: $($case:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            let directory = tempfile::tempdir().expect("a directory");
            super::$cases::$case(open(&directory)).await;
        }
    )+};
}

super::for_every_case!(every_case);

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
    old.execute_batch(include_str!("../../../src/store/migrations/sqlite/0001_start.sql"))
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
    let again = "INSERT OR REPLACE INTO audit (seq, at, who, act, kind, name) VALUES (1, 1, 'x', 'x', 'x', 'x')";
    for sql in ["UPDATE audit SET who = 'nobody'", "DELETE FROM audit", again] {
        let refused = file.execute(sql, []).expect_err(sql).to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_can_move_a_run_only_as_the_machine_allows() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(&directory);
    one_run(&store, "one").await;
    drop(store);
    let file = rusqlite::Connection::open(directory.path().join("gateway.db")).expect("opens");
    // As a run comes into a state, whatever it takes: the trigger is there for `UPDATE`s alone.
    for from in RunState::ALL {
        for to in RunState::ALL {
            file.execute_batch(&columns_of("INSERT OR REPLACE INTO runs", from)).expect("placed");
            let moved = file.execute(&columns_of("UPDATE", to), []);
            let lawful = from == to || leads(from, to);
            assert_eq!(moved.is_ok(), lawful, "{from} to {to}: {moved:?}");
        }
    }
}

/// SQL that brings the run into a state with all that goes with it.
fn columns_of(how: &str, state: RunState) -> String {
    let lease = if state == RunState::Sending { "1" } else { "NULL" };
    let engine = if state == RunState::Started { "'e'" } else { "NULL" };
    let blocked = u8::from(state == RunState::Waiting);
    match how {
        "UPDATE" => format!(
            "UPDATE runs SET state = '{state}', lease_until = {lease}, engine_id = {engine}, \
             blocked = {blocked} WHERE seq = 1"
        ),
        insert => format!(
            "{insert} (seq, id, delivery, route, job, part, state, environment, engine_id, \
             accepted_at, changed_at, due_at, deadline_at, lease_until, blocked) \
             VALUES (1, x'00', 1, 'r', 'j', 0, '{state}', '{{}}', {engine}, 1, 1, 1, 1, {lease}, \
             {blocked})"
        ),
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
    let order = ReplayRequest { delivery, runs: Vec::new(), again: false, act: act() };
    let retention = Retention { keep: Duration::from_secs(1), max_size: 1 };
    let refused = [
        ("accept", store.accept(new).await.err()),
        ("lease_due", store.lease_due(ask(after(1), &[("train", 9)])).await.err()),
        ("fail_overdue", store.fail_overdue(after(9999), Vec::new()).await.err()),
        ("pull_in", store.pull_in(start(), after(1)).await.err()),
        ("replay", store.replay(order).await.err()),
        ("release", store.release(run, Release::Fail, act()).await.err()),
        ("cancel", store.cancel(run, act()).await.err()),
        ("pause", store.pause(job(), None, act()).await.err()),
        ("resume", store.resume(job(), Vec::new(), act()).await.err()),
        (
            "release_backlog",
            store.release_backlog("train".into(), Backlog::Paced, after(1)).await.err(),
        ),
        ("note", store.note("a".into(), "b".into(), "c".into(), act()).await.err()),
        ("tidy", store.apply_retention(retention, after(9999)).await.err()),
        ("probe", store.probe(after(1)).await.err()),
    ];
    for (what, fault) in refused {
        let Some(StoreFault::Unusable(why)) = &fault else { panic!("{what}: {fault:?}") };
        assert!(why.contains(".recover"), "{what}: {why}");
    }
}

/// What lies in the store's directory, byte for byte.
fn raw(directory: &tempfile::TempDir) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(directory.path()).expect("listed");
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        let file = file.expect("an entry");
        let bytes = std::fs::read(file.path()).expect("read");
        (file.file_name().to_string_lossy().into_owned(), bytes)
    };
    files.map(read).collect()
}

/// Each file that has this text somewhere, with the first such place.
fn names_with(directory: &tempfile::TempDir, text: &str) -> Vec<String> {
    let found = |(name, bytes): (String, Vec<u8>)| {
        let at = bytes.windows(text.len()).position(|window| window == text.as_bytes())?;
        let around = &bytes[at..bytes.len().min(at + 40)];
        Some(format!("{name} at {at}: {}", String::from_utf8_lossy(around)))
    };
    raw(directory).into_iter().filter_map(found).collect()
}

/// A delivery whose every part holds a text of its own, none of which compresses.
fn with_canaries(key: &str, word: &str, filler: usize) -> NewDelivery {
    let random = SeededRandom::new(filler as u64 + 1);
    let noise: String = (0..filler).map(|_| format!("{:032x}", random.bits())).collect();
    let text = |part: &str| format!("{word}-{part}");
    let variables = environment(&[("SHA", &*text("variable"))]);
    let started = run("r", "train", NewRunState::Queued(variables));
    let broken = run("s", "train", NewRunState::Failed(text("reason")));
    NewDelivery {
        body: format!("{}{noise}", text("body")).into(),
        headers: [("x-mark", &*text("header"))].into_iter().collect(),
        query: text("query"),
        claims: Some(text("claim")),
        remote: Some(text("remote")),
        explanation: text("explanation").into_bytes(),
        ..delivery(key, vec![started, broken])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_an_erased_delivery_stays_in_the_files() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(&directory);
    // Others before, between and after; small ones, and some with pages of their own.
    let mut erased = Vec::new();
    for number in 0..150_usize {
        let word = if number % 3 == 1 { "canary" } else { "other" };
        let filler = number * 37 % 1000;
        let new = with_canaries(&number.to_string(), &format!("{word}-{number}"), filler);
        let id = new.id;
        store.accept(new).await.expect("kept");
        let lease = lease_one(&store, start()).await;
        let mut result = result(Outcome::Started);
        result.reply = Some(format!("{word}-{number}-reply"));
        store.finish_attempt(lease, result, started(), after(1)).await.expect("done");
        erased.extend((word == "canary").then_some(id));
    }
    assert!(!names_with(&directory, "canary").is_empty(), "the test finds what is there");
    for id in erased {
        let erasure = store.erase(id, act()).await.expect("erased");
        assert_eq!(erasure.left, None);
    }
    assert_eq!(names_with(&directory, "canary"), Vec::<String>::new());
    assert!(!names_with(&directory, "other-0-body").is_empty(), "the others are still there");
    drop(store);
    assert_eq!(names_with(&directory, "canary"), Vec::<String>::new());
}

/// Rows that grow and shrink make SQLite move others from page to page. Nothing of them may stay where they were.
#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_an_erased_delivery_stays_where_its_rows_once_were() {
    for seed in 0..12_u64 {
        let directory = tempfile::tempdir().expect("a directory");
        let store = open(&directory);
        let random = SeededRandom::new(seed);
        let some = |most: u64| usize::try_from(random.bits() % u128::from(most)).expect("small");
        let mut kept = Vec::new();
        let mut now = 0;
        for number in 0..60 {
            let word = if some(3) == 0 { "canary" } else { "other" };
            let new =
                with_canaries(&format!("{seed}-{number}"), &format!("{word}-{number}"), some(300));
            kept.push((new.id, word, number));
            store.accept(new).await.expect("kept");
            // Attempts of any run, each with a reason and a reply of another length.
            for _ in 0..some(4) {
                now += 1;
                let leased =
                    store.lease_due(ask(after(now), &[("train", 1)])).await.expect("leased");
                let Some(lease) = leased.leases.into_iter().next() else { break };
                let (_, word, number) = kept
                    .iter()
                    .find(|(id, ..)| *id == lease.delivery)
                    .expect("a delivery that was kept");
                let long = |part: &str| format!("{word}-{number}-{part} ").repeat(1 + some(200));
                let mut outcome = result(Outcome::NotStartedForNow);
                (outcome.reason, outcome.reply) = (long("reason"), Some(long("reply")));
                let next = match some(3) {
                    0 => started(),
                    1 => Next::Hold { reason: long("held") },
                    _ => Next::Retry { at: after(now), reason: long("retry") },
                };
                if next == started() {
                    outcome.outcome = Outcome::Started;
                }
                store.finish_attempt(lease, outcome, next, after(now)).await.expect("recorded");
            }
        }
        for (id, word, _) in &kept {
            if *word == "canary" {
                assert_eq!(store.erase(*id, act()).await.expect("erased").left, None);
            }
        }
        assert_eq!(names_with(&directory, "canary"), Vec::<String>::new(), "seed {seed}");
    }
}

/// Too large to be written anew while deliveries wait.
#[tokio::test(flavor = "multi_thread")]
async fn erasing_in_a_large_file_says_what_may_be_left() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(&directory);
    let random = SeededRandom::new(7);
    let noise: Vec<u8> = (0..1 << 20).flat_map(|_| random.bits().to_ne_bytes()).collect();
    for number in 0..5 {
        let body = noise.clone().into();
        let new = NewDelivery { body, ..delivery(&number.to_string(), Vec::new()) };
        store.accept(new).await.expect("kept");
    }
    let (id, _) = one_run(&store, "id").await;
    let left = store.erase(id, act()).await.expect("erased").left.expect("it says so");
    assert!(left.contains("VACUUM"), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_retention_removes_is_not_left_in_free_pages() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(&directory);
    for number in 0..40_usize {
        let mut new = with_canaries(&number.to_string(), &format!("canary-{number}"), number * 37);
        new.runs.clear();
        store.accept(new).await.expect("kept");
    }
    one_run(&store, "stays").await;
    let retention = Retention { keep: Duration::from_secs(60), max_size: u64::MAX };
    while store.apply_retention(retention, after(61)).await.expect("step").more {}
    drop(store);
    assert_eq!(names_with(&directory, "canary"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_delivery_is_told_of_where_another_program_reads_the_log() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(&directory);
    let (id, _) = one_run(&store, "id").await;
    let other = rusqlite::Connection::open(directory.path().join("gateway.db")).expect("opens");
    other.execute_batch("BEGIN; SELECT count(*) FROM deliveries").expect("reads");
    let erasure = store.erase(id, act()).await.expect("erased");
    let left = erasure.left.expect("it says where bytes are left");
    assert!(left.contains("gateway.db: the log") && left.contains("another program"), "{left}");
    other.execute_batch("COMMIT").expect("done");
    assert_eq!(store.erase(id, act()).await.expect("erased").left, None);
}

/// The permissions of a file.
fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).expect("there").permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_are_their_owners_alone_also_those_of_the_version_before() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.db");
    let files = ["gateway.db", "gateway.db-wal", "gateway.db-shm"];
    let store = SqliteStore::open(&path).expect("opens");
    assert!(store.exposed().is_empty());
    store.accept(delivery("one", Vec::new())).await.expect("kept");
    for file in files {
        assert_eq!(mode(&directory.path().join(file)), 0o600, "{file}");
    }
    drop(store);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
    let store = SqliteStore::open(&path).expect("opens");
    let exposed: Vec<_> = store.exposed().iter().map(|file| (file.mode, file.corrected)).collect();
    assert_eq!(exposed, [(0o644, true)]);
    store.accept(delivery("two", Vec::new())).await.expect("kept");
    for file in files {
        assert_eq!(mode(&directory.path().join(file)), 0o600, "{file}");
    }
    drop(store);
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o777))
        .expect("set");
    let store = SqliteStore::open(&path).expect("opens");
    assert_eq!(store.exposed()[0].path, directory.path().canonicalize().expect("a path"));
}

/// What an older version kept has no digest: its id is believed, and nobody gets variables of other content.
#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_without_a_digest_is_known_by_its_id_and_keeps_its_variables() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(&directory);
    let broken = run("s", "train", NewRunState::Failed("SHA is missing".to_owned()));
    let first = delivery("id", vec![queued("r", "train"), broken.clone()]);
    let (id, mapped) = (first.id, first.runs[0].id);
    store.accept(first).await.expect("kept");
    let lease = lease_one(&store, start()).await;
    let refused = result(Outcome::NotStartedForGood);
    store.finish_attempt(lease, refused, failed(), after(1)).await.expect("failed");
    drop(store);
    let file = rusqlite::Connection::open(directory.path().join("gateway.db")).expect("opens");
    file.execute("UPDATE deliveries SET digest = NULL", []).expect("as the version before");
    drop(file);
    let store = open(&directory);
    let today = |route| run(route, "train", NewRunState::Queued(environment(&[("SHA", "new")])));
    let other =
        NewDelivery { digest: digest("other"), ..delivery("id", vec![today("r"), today("s")]) };
    let Ok(Accepted::Repeat { delivery, requeued, .. }) = store.accept(other).await else {
        panic!("a repeat");
    };
    assert_eq!((delivery, requeued), (id, vec![mapped]));
    let run = store.run(mapped).await.expect("read").expect("kept");
    assert_eq!(run.environment, Some(environment(&[("SHA", "abc")])), "its own variables");
    assert_eq!(state(&store, broken.id).await, RunState::Failed);
}
