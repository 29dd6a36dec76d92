//! The cases, each a promise of the trait.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cdsw_gateway::clock::later;
use cdsw_gateway::model::{IdPrefix, Outcome, RunState};
use cdsw_gateway::random::{Random, SeededRandom};
use cdsw_gateway::store::{
    Accepted, DeliveryFilter, NewRunState, Next, Release, ReplayRequest, Retention, RunFilter,
    Store, StoreFault,
};

use super::world::*;

type Shared = Arc<dyn Store>;

pub async fn a_kept_delivery_reads_back_whole(store: Shared) {
    let new = delivery("one", vec![queued("r", "train")]);
    assert_eq!(store.accept(new.clone()).await, Ok(Accepted::KEPT));
    let kept = store.delivery(new.id).await.expect("read").expect("kept");
    assert_eq!(kept.body, new.body);
    assert_eq!(serde_json::to_vec(&kept.headers).ok().as_deref(), Some(new.headers.json()));
    assert_eq!(kept.query, new.query);
    assert_eq!(kept.explanation, new.explanation);
    assert_eq!(kept.summary.key, "one");
    assert_eq!(kept.summary.received_at, start());
    assert_eq!(kept.runs.len(), 1);
    assert_eq!(kept.runs[0].environment, Some(environment(&[("SHA", "abc")])));
    assert_eq!(kept.runs[0].brief.state, RunState::Queued);
}

pub async fn a_repeat_gets_the_first_ones_ids_and_starts_nothing(store: Shared) {
    let (first, run) = one_run(&store, "same").await;
    let Ok(Accepted::Repeat { delivery: id, runs, requeued }) =
        store.accept(delivery("same", vec![queued("r", "train")])).await
    else {
        panic!("the second is a repeat");
    };
    assert_eq!((id, runs.len(), runs[0].id), (first, 1, run));
    assert!(requeued.is_empty());
    assert_eq!(
        store.runs(RunFilter { limit: 9, ..RunFilter::default() }).await.expect("read").len(),
        1
    );
    let listed = store.deliveries(DeliveryFilter { limit: 9, ..DeliveryFilter::default() }).await;
    assert_eq!(listed.expect("read")[0].repeats, 1);
}

pub async fn the_same_key_at_another_source_is_another_delivery(store: Shared) {
    one_run(&store, "same").await;
    let mut other = delivery("same", Vec::new());
    other.source = "gitlab".into();
    assert_eq!(store.accept(other).await, Ok(Accepted::KEPT));
}

pub async fn a_key_is_free_again_after_seven_days(store: Shared) {
    one_run(&store, "old").await;
    let week = Duration::from_secs(7 * 24 * 3600);
    let just_within = later(start(), week - Duration::from_secs(1));
    let repeat = store.accept(delivery_at(just_within, "old", Vec::new())).await;
    assert!(matches!(repeat, Ok(Accepted::Repeat { .. })), "{repeat:?}");
    let after = later(start(), week);
    assert_eq!(store.accept(delivery_at(after, "old", Vec::new())).await, Ok(Accepted::KEPT));
}

pub async fn identical_deliveries_at_once_make_one_set_of_runs(store: Shared) {
    let offers = (0..64).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(
            async move { store.accept(delivery("twin", vec![queued("r", "train")])).await },
        )
    });
    let mut kept = 0;
    for offer in offers.collect::<Vec<_>>() {
        kept += usize::from(offer.await.expect("ran") == Ok(Accepted::KEPT));
    }
    assert_eq!(kept, 1);
    assert_eq!(store.counts().await.expect("read").queued, 1);
}

pub async fn a_lease_begins_an_attempt_on_disk(store: Shared) {
    let (_, run) = one_run(&store, "one").await;
    let lease = lease_one(&store, start()).await;
    assert_eq!((lease.run, lease.attempt), (run, 1));
    let kept = store.run(run).await.expect("read").expect("kept");
    assert_eq!(kept.brief.state, RunState::Sending);
    assert_eq!(kept.tries.len(), 1);
    assert_eq!(kept.tries[0].outcome, None);
    let again = store.lease_due(ask(start(), &[("train", 9)])).await.expect("leased");
    assert!(again.leases.is_empty(), "what is on the wire is not taken twice");
}

pub async fn a_started_run_names_its_engine_and_stays_started(store: Shared) {
    let (_, run) = one_run(&store, "one").await;
    let lease = lease_one(&store, start()).await;
    let finished =
        store.finish_attempt(lease.clone(), result(Outcome::Started), started(), after(1)).await;
    assert_eq!(finished, Ok(()));
    let kept = store.run(run).await.expect("read").expect("kept");
    assert_eq!(kept.brief.engine_id.as_deref(), Some("engine-1"));
    assert_eq!(kept.tries[0].outcome, Some(Outcome::Started));
    assert_eq!(kept.tries[0].reply.as_deref(), Some("a reply"));
    let twice = store.finish_attempt(lease, result(Outcome::Unknown), held(), after(2)).await;
    assert_eq!(twice, Err(StoreFault::LeaseLost(run)));
    assert_eq!(state(&store, run).await, RunState::Started);
    let retry = Release::Retry { deadline: after(9000) };
    assert!(matches!(store.release(run, retry, act()).await, Err(StoreFault::Unlawful { .. })));
}

pub async fn a_retry_is_due_at_its_time_and_not_before(store: Shared) {
    let (_, run) = one_run(&store, "one").await;
    let lease = lease_one(&store, start()).await;
    let next = Next::Retry { at: after(30), reason: "busy".to_owned() };
    let outcome = result(Outcome::NotStartedForNow);
    store.finish_attempt(lease, outcome, next, after(1)).await.expect("recorded");
    let early = store.lease_due(ask(after(29), &[("train", 1)])).await.expect("leased");
    assert!(early.leases.is_empty());
    assert_eq!(early.next_due, Some(after(30)));
    let lease = lease_one(&store, after(30)).await;
    assert_eq!((lease.run, lease.attempt), (run, 2));
}

pub async fn only_the_latest_attempt_can_be_settled(store: Shared) {
    let (_, run) = one_run(&store, "one").await;
    let stale = lease_one(&store, start()).await;
    let next = Next::Retry { at: after(1), reason: "busy".to_owned() };
    store
        .finish_attempt(stale.clone(), result(Outcome::NotStartedForNow), next, after(1))
        .await
        .expect("recorded");
    lease_one(&store, after(2)).await;
    let late = store.finish_attempt(stale, result(Outcome::Started), started(), after(3)).await;
    assert_eq!(late, Err(StoreFault::LeaseLost(run)));
    assert_eq!(state(&store, run).await, RunState::Sending);
}

pub async fn permits_bound_what_is_taken_and_every_job_has_its_turn(store: Shared) {
    for number in 0..20 {
        let new = delivery(&format!("busy-{number}"), vec![queued("r", "busy")]);
        store.accept(new).await.expect("kept");
    }
    store.accept(delivery("quiet", vec![queued("r", "quiet")])).await.expect("kept");
    let leased = store.lease_due(ask(start(), &[("busy", 3), ("quiet", 3)])).await.expect("leased");
    let of = |job: &str| leased.leases.iter().filter(|lease| &*lease.job == job).count();
    assert_eq!((of("busy"), of("quiet")), (3, 1));
    let mut few = ask(start(), &[("busy", 9)]);
    few.most = 2;
    assert_eq!(store.lease_due(few).await.expect("leased").leases.len(), 2);
    let none = store.lease_due(ask(start(), &[("other", 9)])).await.expect("leased");
    assert!(none.leases.is_empty() && none.next_due.is_none());
}

pub async fn runs_of_a_job_are_taken_in_the_order_of_acceptance(store: Shared) {
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(one_run(&store, &format!("n{number}")).await.1);
    }
    let leased = store.lease_due(ask(start(), &[("train", 5)])).await.expect("leased");
    assert_eq!(leased.leases.iter().map(|lease| lease.run).collect::<Vec<_>>(), ids);
}

pub async fn a_lease_that_ran_out_is_found_and_can_be_settled(store: Shared) {
    let (_, run) = one_run(&store, "one").await;
    lease_one(&store, start()).await;
    assert!(store.expired_leases(after(59)).await.expect("read").is_empty());
    let expired = store.expired_leases(after(61)).await.expect("read");
    assert_eq!(expired.len(), 1);
    let lost = expired[0].clone();
    store.finish_attempt(lost, result(Outcome::Unknown), held(), after(61)).await.expect("settled");
    assert_eq!(state(&store, run).await, RunState::Held);
}

pub async fn a_run_past_its_deadline_fails_and_says_so(store: Shared) {
    let (_, run) = one_run(&store, "one").await;
    assert_eq!(store.fail_overdue(after(3599), Vec::new()).await, Ok(BTreeMap::new()));
    let late = store.lease_due(ask(after(3600), &[("train", 1)])).await.expect("leased");
    assert!(late.leases.is_empty() && late.next_due.is_none(), "it is not started any more");
    assert_eq!(
        store.fail_overdue(after(3600), vec![("train".into(), "job train rests".to_owned())]).await,
        Ok(BTreeMap::from([("train".to_owned(), 1)]))
    );
    let kept = store.run(run).await.expect("read").expect("kept");
    assert_eq!(kept.brief.state, RunState::Failed);
    let reason = kept.brief.reason.expect("a reason");
    assert!(
        reason.contains("deadline") && reason.contains("it waited: job train rests"),
        "{reason}"
    );
}

pub async fn a_clock_that_was_set_back_makes_nobody_wait_for_longer_than_a_pause(store: Shared) {
    let (_, run) = one_run(&store, "one").await;
    let lease = lease_one(&store, after(1800)).await;
    let next = Next::Retry { at: after(1860), reason: "busy".to_owned() };
    let outcome = result(Outcome::NotStartedForNow);
    store.finish_attempt(lease, outcome, next, after(1800)).await.expect("recorded");
    assert_eq!(store.pull_in(after(1860), after(1800)).await, Ok(0), "it is in order");
    assert_eq!(store.pull_in(after(70), after(10)).await, Ok(1));
    assert_eq!(lease_one(&store, after(10)).await.run, run);
}

pub async fn a_redelivery_queues_what_had_failed_with_todays_environment(store: Shared) {
    let (_, run) = one_run(&store, "again").await;
    let lease = lease_one(&store, start()).await;
    let outcome = result(Outcome::NotStartedForGood);
    store.finish_attempt(lease, outcome, failed(), after(1)).await.expect("recorded");
    let mut mended = queued("r", "train");
    mended.state = NewRunState::Queued(environment(&[("SHA", "def")]));
    let Ok(Accepted::Repeat { requeued, runs, .. }) =
        store.accept(delivery_at(after(60), "again", vec![mended])).await
    else {
        panic!("a repeat");
    };
    assert_eq!(requeued, [run]);
    assert_eq!(runs[0].state, RunState::Queued);
    let kept = store.run(run).await.expect("read").expect("kept");
    assert_eq!(kept.environment, Some(environment(&[("SHA", "def")])));
    assert_eq!(lease_one(&store, after(60)).await.attempt, 2);
}

pub async fn a_redelivery_leaves_held_and_started_runs_alone(store: Shared) {
    let (_, run) = one_run(&store, "held").await;
    let lease = lease_one(&store, start()).await;
    store
        .finish_attempt(lease, result(Outcome::Unknown), held(), after(1))
        .await
        .expect("recorded");
    let repeat = store.accept(delivery("held", vec![queued("r", "train")])).await;
    let Ok(Accepted::Repeat { requeued, .. }) = repeat else { panic!("a repeat") };
    assert!(requeued.is_empty());
    assert_eq!(state(&store, run).await, RunState::Held);
}

pub async fn a_failed_mapping_is_kept_and_mended_by_a_replay(store: Shared) {
    let broken = run("r", "train", NewRunState::Failed("SHA is missing".to_owned()));
    let (id, new) = (broken.id, delivery("broken", vec![broken]));
    store.accept(new.clone()).await.expect("kept");
    assert_eq!(state(&store, id).await, RunState::Failed);
    let order = ReplayRequest {
        delivery: new.id,
        runs: vec![queued("r", "train")],
        again: false,
        act: act(),
    };
    let replayed = store.replay(order).await.expect("replayed");
    assert_eq!((replayed.runs[0].id, replayed.runs[0].what), (id, "queued again"));
    let kept = store.run(id).await.expect("read").expect("kept");
    assert_eq!(kept.brief.state, RunState::Queued);
    assert_eq!(kept.acts.len(), 1);
    assert_eq!(kept.acts[0].1, act());
}

pub async fn a_replay_starts_nothing_twice_unless_told_to(store: Shared) {
    let (id, run) = one_run(&store, "one").await;
    let lease = lease_one(&store, start()).await;
    store.finish_attempt(lease, result(Outcome::Started), started(), after(1)).await.expect("done");
    let order = |again| ReplayRequest {
        delivery: id,
        runs: vec![queued("r", "train"), queued("new", "train")],
        again,
        act: act(),
    };
    let replayed = store.replay(order(false)).await.expect("replayed");
    assert_eq!((replayed.runs[0].id, replayed.runs[0].what), (run, "left as it is"));
    assert_eq!(replayed.runs[1].what, "new");
    let replayed = store.replay(order(true)).await.expect("replayed");
    assert!(replayed.runs.iter().all(|run| run.what == "new"));
    assert_eq!(store.counts().await.expect("read").queued, 3);
    let unknown = ReplayRequest { delivery: delivery("x", Vec::new()).id, ..order(false) };
    assert!(matches!(store.replay(unknown).await, Err(StoreFault::NotFound(_))));
}

pub async fn a_held_run_is_settled_by_a_persons_word(store: Shared) {
    let mut words = vec![
        (Release::Started { engine_id: "seen".to_owned() }, RunState::Started),
        (Release::Fail, RunState::Failed),
        (Release::Retry { deadline: after(9000) }, RunState::Queued),
    ];
    while let Some((word, expected)) = words.pop() {
        let (_, run) = one_run(&store, &format!("{expected}")).await;
        let lease = lease_one(&store, start()).await;
        let unknown = result(Outcome::Unknown);
        store.finish_attempt(lease, unknown, held(), after(1)).await.expect("held");
        let settled = store.release(run, word, act()).await.expect("settled");
        assert_eq!(settled.brief.state, expected);
        assert_eq!(settled.acts[0].1.who, "ops");
        if expected == RunState::Queued {
            let lease = lease_one(&store, after(200)).await;
            assert_eq!(lease.attempt, 2);
            let outcome = result(Outcome::Started);
            store.finish_attempt(lease, outcome, started(), after(201)).await.expect("done");
        }
    }
}

pub async fn retention_removes_what_is_old_and_over_and_nothing_else(store: Shared) {
    let (waiting, _) = one_run(&store, "waits").await;
    let over = delivery("over", Vec::new());
    let over_id = over.id;
    store.accept(over).await.expect("kept");
    let young = delivery_at(after(86_400 * 29), "young", Vec::new());
    let young_id = young.id;
    store.accept(young).await.expect("kept");
    let retention = Retention { keep: Duration::from_secs(86_400 * 30), max_size: u64::MAX };
    let step = store.apply_retention(retention, after(86_400 * 30 + 1)).await.expect("step");
    assert_eq!((step.removed, step.more), (1, false));
    assert!(store.delivery(over_id).await.expect("read").is_none());
    assert!(store.delivery(waiting).await.expect("read").is_some());
    assert!(store.delivery(young_id).await.expect("read").is_some());
}

pub async fn the_size_bound_gives_up_content_but_not_the_knowledge_of_repeats(store: Shared) {
    let mut big = delivery("big", Vec::new());
    let random = SeededRandom::new(7);
    let noise: Vec<u8> = (0..64_000).flat_map(|_| random.bits().to_ne_bytes()).collect();
    big.body = noise.into();
    let id = big.id;
    store.accept(big).await.expect("kept");
    let retention = Retention { keep: Duration::from_secs(86_400 * 30), max_size: 600_000 };
    let step = store.apply_retention(retention, after(60)).await.expect("step");
    assert_eq!((step.removed, step.stripped), (0, 1));
    let kept = store.delivery(id).await.expect("read").expect("still known");
    assert!(kept.summary.stripped && kept.body.is_empty());
    let repeat = store.accept(delivery_at(after(61), "big", Vec::new())).await;
    assert!(matches!(repeat, Ok(Accepted::Repeat { .. })));
    let much_later = after(86_400 * 8);
    assert!(!store.apply_retention(retention, much_later).await.expect("step").over);
}

pub async fn lists_are_newest_first_and_go_on_from_where_they_ended(store: Shared) {
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(one_run(&store, &format!("n{number}")).await);
    }
    let first = store
        .deliveries(DeliveryFilter { limit: 2, ..DeliveryFilter::default() })
        .await
        .expect("read");
    assert_eq!(first.iter().map(|row| row.id).collect::<Vec<_>>(), [ids[4].0, ids[3].0]);
    let rest = store
        .deliveries(DeliveryFilter { limit: 9, before: Some(ids[3].0), source: None })
        .await
        .expect("read");
    assert_eq!(rest.len(), 3);
    let none = DeliveryFilter { source: Some("other".to_owned()), limit: 9, before: None };
    assert!(store.deliveries(none).await.expect("read").is_empty());
    let queued = RunFilter { state: Some(RunState::Queued), limit: 9, ..RunFilter::default() };
    assert_eq!(store.runs(queued).await.expect("read").len(), 5);
    let held = RunFilter { state: Some(RunState::Held), limit: 9, ..RunFilter::default() };
    assert!(store.runs(held).await.expect("read").is_empty());
}

pub async fn the_beginning_of_an_id_finds_the_ids_that_begin_so(store: Shared) {
    let (delivery, run) = one_run(&store, "one").await;
    let (other, _) = one_run(&store, "two").await;
    let begins = |id: &dyn std::fmt::Display, length: usize| -> IdPrefix {
        id.to_string()[..length].parse().expect("the beginning of an id")
    };
    assert_eq!(store.deliveries_like(begins(&delivery, 36)).await, Ok(vec![delivery]));
    assert_eq!(store.runs_like(begins(&run, 36)).await, Ok(vec![run]));
    let mut both = vec![delivery, other];
    both.sort();
    assert_eq!(store.deliveries_like(begins(&delivery, 4)).await, Ok(both));
    let none: IdPrefix = "ffff".parse().expect("the beginning of an id");
    assert_eq!(store.runs_like(none).await, Ok(vec![]));
}
