//! The cases on PostgreSQL, and what is true of it alone.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cdsw_gateway::model::run::leads;
use cdsw_gateway::model::{Outcome, RunState};
use cdsw_gateway::store::shared::{Declared, OpenCircuit};
use cdsw_gateway::store::{
    Accepted, Lease, NewRunState, Pausable, ReplayRequest, Retention, Store, postgres,
};

use super::world::*;
use crate::common::postgres as server;

macro_rules! every_case {
    ($cases:ident: $($case:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            if server::is_missing() {
                return;
            }
            super::$cases::$case(server::open(&server::with_tables().await, 1).await).await;
        }
    )+};
}

super::for_every_case!(every_case);

#[tokio::test(flavor = "multi_thread")]
async fn sql_can_move_a_run_only_as_the_machine_allows() {
    if server::is_missing() {
        return;
    }
    let url = server::with_tables().await;
    for from in RunState::ALL {
        for to in RunState::ALL {
            let set = |state: RunState| {
                let lease = if state == RunState::Sending { "1" } else { "NULL" };
                let engine = if state == RunState::Started { "'e'" } else { "NULL" };
                let blocked = u8::from(state == RunState::Waiting);
                (lease, engine, blocked)
            };
            let (lease, engine, blocked) = set(from);
            let place = format!(
                "DELETE FROM runs; INSERT INTO runs (id, delivery, route, job, part, state, \
                 environment, engine_id, accepted_at, changed_at, due_at, deadline_at, lease_until, \
                 blocked) VALUES (gen_random_uuid(), gen_random_uuid(), 'r', 'j', 0, '{from}', '{{}}', \
                 {engine}, 1, 1, 1, 1, {lease}, {blocked})"
            );
            server::execute(&url, &place).await;
            let (lease, engine, blocked) = set(to);
            let moved = server::try_execute(
                &url,
                &format!(
                    "UPDATE runs SET state = '{to}', lease_until = {lease}, engine_id = {engine}, \
                     blocked = {blocked}"
                ),
            )
            .await;
            let lawful = from == to || leads(from, to);
            assert_eq!(moved.is_ok(), lawful, "{from} to {to}: {moved:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_book_of_acts_cannot_be_rewritten() {
    if server::is_missing() {
        return;
    }
    let url = server::with_tables().await;
    let store = server::open(&url, 1).await;
    store.pause(Pausable::Job("train".to_owned()), None, act()).await.expect("paused");
    for sql in ["UPDATE audit SET who = 'nobody'", "DELETE FROM audit", "TRUNCATE audit"] {
        let refused = server::try_execute(&url, sql).await.expect_err(sql);
        assert!(refused.contains("append-only"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_are_not_there_too_old_or_too_new_are_refused_with_what_to_do() {
    if server::is_missing() {
        return;
    }
    let url = server::database().await;
    let options = server::options(&url);
    let refused = || async { server::try_open(&url, 1).await.err().expect("refused").to_string() };
    assert!(refused().await.contains("cdsw-gateway migrate"));
    postgres::migrate_to(&options, 1).await.expect("migrated");
    let old = refused().await;
    assert!(old.contains("version 1") && old.contains("cdsw-gateway migrate"), "{old}");
    postgres::migrate(&options).await.expect("migrated");
    assert!(server::try_open(&url, 1).await.is_ok());
    server::execute(&url, "UPDATE cdsw_gateway_schema SET version = 99").await;
    assert!(server::try_open(&url, 1).await.is_ok(), "the newer tables say that it may go on");
    server::execute(&url, "UPDATE cdsw_gateway_schema SET oldest = 99").await;
    let newer = refused().await;
    assert!(newer.contains("version 99") && newer.contains("newer gateway"), "{newer}");
    let migrated = postgres::migrate(&options).await.expect_err("refused").to_string();
    assert!(migrated.contains("version 99"), "{migrated}");
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_together_migrate_once() {
    if server::is_missing() {
        return;
    }
    let url = server::database().await;
    let migrations = (0..8).map(|_| {
        let options = server::options(&url);
        tokio::spawn(async move { postgres::migrate(&options).await })
    });
    let mut did = 0;
    for migration in migrations.collect::<Vec<_>>() {
        let done = migration.await.expect("ran").expect("migrated");
        did += usize::from(done.from != done.to);
    }
    assert_eq!(did, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_before_the_disk_does_is_refused() {
    if server::is_missing() {
        return;
    }
    let url = server::with_tables().await;
    let (_, name) = url.rsplit_once('/').expect("a database");
    server::execute(&url, &format!("ALTER DATABASE {name} SET synchronous_commit = off")).await;
    let refused = server::try_open(&url, 1).await.err().expect("refused").to_string();
    assert!(refused.contains("synchronous_commit = off"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_of_a_job_are_those_of_all_replicas_together() {
    if server::is_missing() {
        return;
    }
    let url = server::with_tables().await;
    let stores = [server::open(&url, 1).await, server::open(&url, 2).await];
    for number in 0..40 {
        let new = delivery(&format!("n{number}"), vec![queued("r", "train")]);
        stores[number % 2].accept(new).await.expect("kept");
    }
    let mut ask = ask(start(), &[("train", 9)]);
    ask.permits[0].at_once = 5;
    let taking = (0..16).map(|turn| {
        let (store, ask) = (Arc::clone(&stores[turn % 2]), ask.clone());
        tokio::spawn(async move { store.lease_due(ask).await.expect("leased").leases })
    });
    let mut taken = Vec::new();
    for leases in taking.collect::<Vec<_>>() {
        taken.extend(leases.await.expect("ran"));
    }
    let runs: HashSet<_> = taken.iter().map(|lease| lease.run).collect();
    assert_eq!((taken.len(), runs.len()), (5, 5));
    ask.permits[0].at_once = 100;
    ask.permits[0].per_minute = Some(6);
    let mut more = 0;
    for store in &stores {
        more += store.lease_due(ask.clone()).await.expect("leased").leases.len();
    }
    assert_eq!(more, 6, "starts per minute are counted from the first look at that limit");
}

/// Attempts are counted from when they were taken until before they are recorded.
#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_the_limit_is_on_the_wire_at_any_moment() {
    if server::is_missing() {
        return;
    }
    let url = server::with_tables().await;
    let stores =
        [server::open(&url, 1).await, server::open(&url, 2).await, server::open(&url, 3).await];
    // Another job has been taken before, alone.
    stores[0].accept(delivery("other", vec![queued("r", "other")])).await.expect("kept");
    assert_eq!(
        stores[0].lease_due(ask(start(), &[("other", 1)])).await.expect("ok").leases.len(),
        1
    );
    for number in 0..300 {
        let new = delivery(&format!("n{number}"), vec![queued("r", "train")]);
        stores[0].accept(new).await.expect("kept");
    }
    let (now_at_once, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let dispatching = (0..12).map(|turn| {
        let store = Arc::clone(&stores[turn % 3]);
        let (now_at_once, most) = (Arc::clone(&now_at_once), Arc::clone(&most));
        tokio::spawn(async move {
            let mut ask = ask(start(), &[("train", 2)]);
            ask.permits[0].at_once = 2;
            let mut taken = 0;
            while store.counts().await.expect("read").queued > 0 {
                let leases = store.lease_due(ask.clone()).await.expect("leased").leases;
                let at_once = now_at_once.fetch_add(leases.len(), Ordering::SeqCst) + leases.len();
                most.fetch_max(at_once, Ordering::SeqCst);
                for lease in leases {
                    taken += 1;
                    now_at_once.fetch_sub(1, Ordering::SeqCst);
                    let done = result(Outcome::Started);
                    store.finish_attempt(lease, done, started(), start()).await.expect("recorded");
                }
            }
            taken
        })
    });
    let mut taken = 0;
    for dispatcher in dispatching.collect::<Vec<_>>() {
        taken += dispatcher.await.expect("ran");
    }
    assert_eq!((taken, most.load(Ordering::SeqCst)), (300, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workbench_that_rests_is_tried_by_one_replica_alone() {
    if server::is_missing() {
        return;
    }
    let url = server::with_tables().await;
    let stores = [server::open(&url, 1).await, server::open(&url, 2).await];
    for number in 0..9 {
        let new = delivery(&format!("n{number}"), vec![queued("r", "train")]);
        stores[0].accept(new).await.expect("kept");
    }
    let shared = |store: usize| stores[store].shared().expect("it is shared");
    let rest =
        OpenCircuit { workbench: "main".into(), until: start(), length: Duration::from_secs(60) };
    shared(0).open_circuit(rest).await.expect("rests");
    let resting = shared(1).open_circuits().await.expect("read");
    assert_eq!((&*resting[0].workbench, resting[0].length), ("main", Duration::from_secs(60)));
    let mut trial = ask(start(), &[("train", 9)]);
    trial.permits[0].trial = Some("main".into());
    let mut taken = Vec::new();
    for store in [0, 1, 0, 1] {
        taken.extend(stores[store].lease_due(trial.clone()).await.expect("leased").leases);
    }
    assert_eq!(taken.len(), 1);
    shared(1).no_trial("main".into()).await.expect("said");
    assert_eq!(stores[1].lease_due(trial).await.expect("leased").leases.len(), 1);
    shared(1).close_circuit("main".into()).await.expect("said");
    assert!(shared(0).open_circuits().await.expect("read").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_with_an_older_configuration_starts_nothing_that_the_newer_one_forbids() {
    if server::is_missing() {
        return;
    }
    let url = server::with_tables().await;
    let (old, new) = (server::open(&url, 1).await, server::open(&url, 2).await);
    let says = |version: &str, jobs: &[&str]| Declared {
        role: "all".into(),
        version: version.into(),
        jobs: jobs.iter().map(|job| (*job).to_owned()).collect(),
        windows: Default::default(),
    };
    let shared = |store: &'_ Arc<dyn Store>| Arc::clone(store);
    let declare = |store: &Arc<dyn Store>, what: Declared, changed: bool| {
        let store = shared(store);
        async move {
            store.shared().expect("shared").declare(what, changed).await.expect("declared");
        }
    };
    declare(&old, says("v1", &["train 0", "report 0"]), false).await;
    for number in 0..9 {
        let runs = vec![queued("r", "train"), queued("r", "report")];
        old.accept(delivery(&format!("n{number}"), runs)).await.expect("kept");
    }
    let one_each = ask(start(), &[("train", 1), ("report", 1)]);
    let jobs = |leased: Vec<Lease>| -> Vec<String> {
        leased.iter().map(|lease| lease.job.to_string()).collect()
    };
    let leased = old.lease_due(one_each.clone()).await.expect("leased").leases;
    assert_eq!(jobs(leased), ["train", "report"]);
    // The newer one starts something else by the name of `train`.
    declare(&new, says("v2", &["train 1", "report 0"]), false).await;
    let leased = old.lease_due(one_each.clone()).await.expect("leased").leases;
    assert_eq!(jobs(leased), ["report"]);
    // The old one's word again changes nothing; that somebody has gone back to it does.
    declare(&old, says("v1", &["train 0", "report 0"]), false).await;
    assert_eq!(jobs(old.lease_due(one_each.clone()).await.expect("leased").leases), ["report"]);
    declare(&old, says("v1", &["train 0", "report 0"]), true).await;
    let leased = old.lease_due(one_each.clone()).await.expect("leased").leases;
    assert_eq!(jobs(leased), ["train", "report"]);
    declare(&new, says("v2", &["train 1", "report 0"]), true).await;
    new.shared().expect("shared").leave().await.expect("left");
    let leased = old.lease_due(one_each).await.expect("leased").leases;
    assert_eq!(jobs(leased), ["train", "report"], "nobody runs the newer one any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_a_configuration_that_another_process_may_have() {
    if server::is_missing() {
        return;
    }
    let store = server::open(&server::with_tables().await, 1).await;
    let declared = Declared {
        role: "all".into(),
        version: "1".into(),
        jobs: vec!["train 0".to_owned()],
        windows: Default::default(),
    };
    store.shared().expect("shared").declare(declared, false).await.expect("declared");
    super::flow::a_run_that_the_configuration_does_not_ask_for_waits_a_minute_for_another_one(
        store,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_starts_with_an_older_configuration_makes_it_no_newer() {
    if server::is_missing() {
        return;
    }
    let url = server::with_tables().await;
    let (one, late) = (server::open(&url, 1).await, server::open(&url, 2).await);
    let says = |version: &str, job: &str| Declared {
        role: "all".into(),
        version: version.into(),
        jobs: vec![job.to_owned()],
        windows: Default::default(),
    };
    let one = one.shared().expect("shared");
    one.declare(says("v1", "train 0"), false).await.expect("declared");
    one.declare(says("v2", "train 1"), true).await.expect("declared");
    late.accept(delivery("n", vec![queued("r", "train")])).await.expect("kept");
    // Nobody has run the older one since; its files lay there.
    late.shared().expect("shared").declare(says("v1", "train 0"), false).await.expect("declared");
    let leased = late.lease_due(ask(start(), &[("train", 1)])).await.expect("leased");
    assert!(leased.leases.is_empty());
    // Not even when none has been seen for a while, as after an outage of the database.
    server::execute(&url, "UPDATE replicas SET seen_at = 0").await;
    let leased = late.lease_due(ask(start(), &[("train", 1)])).await.expect("leased");
    assert!(leased.leases.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_accepted_while_its_route_was_let_go_on_is_not_left_behind() {
    if server::is_missing() {
        return;
    }
    let url = server::with_tables().await;
    let store = server::open(&url, 1).await;
    let (_, run) = one_run(&store, "one").await;
    // As two transactions leave it that do not see each other.
    server::execute(&url, "UPDATE runs SET blocked = 2").await;
    assert!(store.lease_due(ask(start(), &[("train", 1)])).await.expect("ok").leases.is_empty());
    store.fail_overdue(after(1), Vec::new()).await.expect("swept");
    assert_eq!(lease_one(&store, after(1)).await.run, run);
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_leaves_a_delivery_that_is_just_being_replayed() {
    if server::is_missing() {
        return;
    }
    let url = server::with_tables().await;
    let store = server::open(&url, 1).await;
    let over = delivery("over", vec![run("r", "train", NewRunState::Failed("no".to_owned()))]);
    store.accept(over.clone()).await.expect("kept");
    let replay = ReplayRequest {
        delivery: over.id,
        runs: vec![queued("r", "train")],
        again: false,
        act: act(),
    };
    let retention = Retention { keep: Duration::from_secs(86_400 * 30), max_size: u64::MAX };
    let much_later = after(86_400 * 31);
    for _ in 0..20 {
        let (step, replayed) = tokio::join!(
            store.apply_retention(retention, much_later),
            store.replay(replay.clone())
        );
        step.expect("step");
        if replayed.is_ok() {
            let kept = store.delivery(over.id).await.expect("read");
            assert!(kept.is_some(), "it was queued again, and is gone");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_replica_does_is_heard_by_the_others() {
    if server::is_missing() {
        return;
    }
    let url = server::with_tables().await;
    let (one, other) = (server::open(&url, 1).await, server::open(&url, 2).await);
    let mut notifications = other.shared().expect("shared").notifications();
    // What is told before the other one listens goes unheard.
    let heard = async {
        for number in 0.. {
            one_run(&one, &format!("run-{number}")).await;
            if tokio::time::timeout(Duration::from_millis(200), notifications.changed())
                .await
                .is_ok()
            {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), heard).await.expect("heard");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_character_that_the_database_has_no_room_for_loses_nothing() {
    if server::is_missing() {
        return;
    }
    let store = server::open(&server::with_tables().await, 1).await;
    let mut new = delivery("with\0zero", vec![queued("r", "train")]);
    new.kind = "ki\0nd".into();
    new.query = "a=\0".to_owned();
    assert_eq!(store.accept(new.clone()).await, Ok(Accepted::KEPT));
    let kept = store.delivery(new.id).await.expect("read").expect("kept");
    assert_eq!((kept.summary.kind.as_str(), &kept.body), ("ki\u{2400}nd", &new.body));
    assert!(matches!(store.accept(new).await, Ok(Accepted::Repeat { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_planner_learned_of_one_job_does_not_make_others_wait() {
    let url = server::with_tables().await;
    let store = server::open(&url, 1).await;
    let noisy: Vec<_> = (0..5_000).map(|_| queued("r", "noisy")).collect();
    store.accept(delivery("noisy", noisy)).await.expect("kept");
    // From now on the planner holds that every run is of one job.
    server::execute(&url, "ANALYZE").await;
    let jobs: Vec<String> = (0..50).map(|number| format!("quiet-{number}")).collect();
    let quiet = jobs.iter().map(|job| queued("r", job)).collect();
    store.accept(delivery("quiet", quiet)).await.expect("kept");
    let asked: Vec<(&str, usize)> = jobs.iter().map(|job| (&**job, 4)).collect();
    assert_eq!(store.lease_due(ask(start(), &asked)).await.expect("leased").leases.len(), 50);
    drop(store);
    // What a connection has read is counted at the latest when it ends.
    let others = "DO $$ BEGIN ASSERT NOT EXISTS (SELECT 1 FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'); \
        END $$";
    while server::try_execute(&url, others).await.is_err() {
        tokio::task::yield_now().await;
    }
    // A statement that goes through the runs in the order of acceptance reads the noisy ones for each job.
    let read = "DO $$ BEGIN \
        ASSERT (SELECT idx_tup_read FROM pg_stat_all_indexes WHERE indexrelname = 'runs_pkey') < 5000, \
          'the runs of another job were read'; END $$";
    server::execute(&url, read).await;
}

/// Whether some file of this database has this text.
async fn files_with(url: &str, text: &str) -> bool {
    let (client, connection) =
        tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("connects");
    tokio::spawn(connection);
    client.batch_execute("CHECKPOINT").await.expect("written");
    let where_is = "SELECT current_setting('data_directory') || '/base/' || oid \
                    FROM pg_database WHERE datname = current_database()";
    let place: String = client.query_one(where_is, &[]).await.expect("read").get(0);
    let files = std::fs::read_dir(&place).expect("listed").map(|file| file.expect("a file").path());
    files
        .filter_map(|file| std::fs::read(file).ok())
        .any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}

/// What the documentation says of it: the owner has the tables written anew.
#[tokio::test(flavor = "multi_thread")]
async fn an_erased_delivery_is_in_no_file_once_the_tables_are_written_anew() {
    if server::is_missing() || std::env::var_os("TEST_POSTGRES").is_some() {
        return;
    }
    let url = server::with_tables().await;
    let store = server::open(&url, 1).await;
    let mut new = delivery("id", vec![queued("r", "train")]);
    new.query = "canary-query".to_owned();
    new.body = "canary-body".into();
    let variables = environment(&[("SHA", "canary-variable")]);
    new.runs[0].state = NewRunState::Queued(variables);
    let id = new.id;
    store.accept(new).await.expect("kept");
    assert!(files_with(&url, "canary").await, "the test finds what is there");
    let erasure = store.erase(id, act()).await.expect("erased");
    assert!(erasure.left.is_some_and(|left| left.contains("VACUUM FULL")));
    // What a transaction can still see is written anew as well: the database gathers statistics at any time.
    let gone = async {
        loop {
            for table in ["deliveries", "runs", "attempts"] {
                server::execute(&url, &format!("VACUUM FULL {table}")).await;
            }
            if !files_with(&url, "canary").await {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.expect("it is in no file");
    assert!(store.delivery(id).await.expect("read").expect("known").summary.erased.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_finds_claims_that_last_too_long_or_have_no_delivery() {
    if server::is_missing() {
        return;
    }
    let url = server::with_tables().await;
    let store = server::open(&url, 1).await;
    for number in 0..3 {
        store.accept(delivery(&format!("k{number}"), Vec::new())).await.expect("kept");
    }
    // More than one step looks at.
    let strays = "INSERT INTO claims SELECT 'a', n::text, gen_random_uuid(), 1 FROM generate_series(1, 2500) AS n";
    server::execute(&url, strays).await;
    server::execute(&url, "UPDATE claims SET expires_at = 9000000000000 WHERE delivery_key = 'k1'")
        .await;
    let retention = Retention { keep: Duration::from_secs(90 * 24 * 3600), max_size: u64::MAX };
    for _ in 0..4 {
        store.apply_retention(retention, after(1)).await.expect("applied");
    }
    let (client, connection) =
        tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("connects");
    tokio::spawn(connection);
    let sql = "SELECT delivery_key, expires_at FROM claims ORDER BY delivery_key";
    let rows = client.query(sql, &[]).await.expect("read");
    let left: Vec<(&str, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let week = 7 * 24 * 3600 * 1000;
    let until = |left: &(&str, i64)| left.1 - start().as_millisecond() - week;
    assert_eq!(left.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["k0", "k1", "k2"]);
    assert_eq!(left.iter().map(until).collect::<Vec<_>>(), [0, 1000, 0], "cut to a week from then");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_somebody_has_locked_keep_no_other_delivery_from_being_removed() {
    if server::is_missing() {
        return;
    }
    let url = server::with_tables().await;
    let store = server::open(&url, 1).await;
    let mut ids = Vec::new();
    for number in 0..4 {
        let mut new = delivery(&format!("k{number}"), vec![queued("r", "train")]);
        new.runs[0].state = NewRunState::Failed("no".to_owned());
        ids.push(new.id);
        store.accept(new).await.expect("kept");
    }
    let (mut client, connection) =
        tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("connects");
    tokio::spawn(connection);
    let locking = client.transaction().await.expect("begun");
    let locks = [
        "SELECT id FROM deliveries WHERE delivery_key = 'k0' FOR UPDATE",
        "SELECT delivery FROM claims WHERE delivery_key = 'k1' FOR UPDATE",
        "SELECT id FROM runs WHERE delivery = \
           (SELECT id FROM deliveries WHERE delivery_key = 'k2') FOR UPDATE",
    ];
    for lock in locks {
        assert_eq!(locking.query(lock, &[]).await.expect("locked").len(), 1);
    }
    let retention = Retention { keep: Duration::from_secs(60), max_size: u64::MAX };
    let step = store.apply_retention(retention, after(7200)).await.expect("applied");
    assert_eq!(step.removed, 1, "the one that nobody has locked");
    locking.rollback().await.expect("ended");
    let step = store.apply_retention(retention, after(7200)).await.expect("applied");
    assert_eq!(step.removed, 3);
    for id in ids {
        assert!(store.delivery(id).await.expect("read").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_notifications_wakes_nobody_more_often_than_every_20_ms() {
    if server::is_missing() {
        return;
    }
    let url = server::with_tables().await;
    let store = server::open(&url, 1).await;
    let mut told = store.shared().expect("shared").notifications();
    let (client, connection) =
        tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("connects");
    tokio::spawn(connection);
    // Until the store listens.
    while tokio::time::timeout(Duration::from_millis(50), told.changed()).await.is_err() {
        client.batch_execute("NOTIFY cdsw_gateway, 'runs'").await.expect("notified");
    }
    let (begun, mut wakes) = (std::time::Instant::now(), 0_u32);
    let before = *told.borrow_and_update();
    let flood = tokio::spawn(async move {
        for _ in 0..3000 {
            client.batch_execute("NOTIFY cdsw_gateway, 'rests'").await.expect("notified");
        }
    });
    while told.borrow().pauses < before.pauses + 3000 {
        told.changed().await.expect("it listens");
        wakes += 1;
    }
    flood.await.expect("ended");
    let most = u32::try_from(begun.elapsed().as_millis() / 20).expect("small") + 2;
    println!("3000 notifications: {wakes} wakes in {} ms", begun.elapsed().as_millis());
    assert!(wakes <= most, "{wakes} wakes, {most} at most");
}
