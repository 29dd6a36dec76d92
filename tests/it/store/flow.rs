//! Flow control, each case a promise of the trait: newest runs stand for older ones, limits over
//! time, pauses, the book of acts.

use std::sync::Arc;
use std::time::Duration;

use cdsw_gateway::model::{Backlog, Latest, Outcome, RunId, RunState};
use cdsw_gateway::store::{
    Accepted, Act, Finish, KeyRefused, LeaseAsk, NewRun, NewRunState, Next, Pausable, Permit,
    Queue, Release, RunFilter, Store, StoreFault,
};
use jiff::Timestamp;

use super::world::*;

type Shared = Arc<dyn Store>;

fn latest(key: &str, wait: u64, most: u64) -> NewRun {
    NewRun {
        latest: Some(Latest {
            key: key.into(),
            wait: Duration::from_secs(wait),
            wait_at_most: Duration::from_secs(most),
        }),
        ..queued("r", "train")
    }
}

async fn accept(store: &Shared, second: u64, run: NewRun) -> RunId {
    let id = run.id;
    let key = format!("at-{second}-{id}");
    let accepted = store.accept(delivery_at(after(second), &key, vec![run])).await;
    assert!(matches!(accepted, Ok(Accepted::Kept { .. })), "{accepted:?}");
    id
}

fn limited(now: Timestamp, per_minute: Option<u32>, per_hour: Option<u32>) -> LeaseAsk {
    let LeaseAsk { permits, most, plan, version, .. } = ask(now, &[("train", 50)]);
    let permits =
        permits.into_iter().map(|permit| Permit { per_minute, per_hour, ..permit }).collect();
    LeaseAsk { now, permits, most, plan, version }
}

async fn taken(store: &Shared, ask: LeaseAsk) -> Vec<RunId> {
    let leased = store.lease_due(ask).await.expect("leased");
    leased.leases.iter().map(|lease| lease.run).collect()
}

fn act_at(second: u64) -> Act {
    Act { at: after(second), ..act() }
}

pub async fn a_delivery_says_how_many_runs_its_own_took_the_place_of(store: Shared) {
    for (second, expected) in [(0, 0), (10, 1), (20, 1)] {
        let run = latest("main", 30, 300);
        let key = format!("at-{second}");
        let accepted =
            store.accept(delivery_at(after(second), &key, vec![run])).await.expect("kept");
        let superseded: Vec<_> =
            accepted.superseded().iter().map(|(job, runs)| (&**job, *runs)).collect();
        let wanted: Vec<(&str, usize)> =
            (expected > 0).then_some(("train", expected)).into_iter().collect();
        assert_eq!(superseded, wanted, "{second}");
    }
    let alone = store.accept(delivery_at(after(30), "other", vec![latest("dev", 30, 300)])).await;
    assert_eq!(alone, Ok(Accepted::KEPT), "another branch");
}

pub async fn a_burst_becomes_one_run_that_stands_for_all(store: Shared) {
    let first = accept(&store, 0, latest("main", 30, 300)).await;
    let second = accept(&store, 10, latest("main", 30, 300)).await;
    let third = accept(&store, 20, latest("main", 30, 300)).await;
    assert_eq!(state(&store, third).await, RunState::Waiting);
    for older in [first, second] {
        let run = store.run(older).await.expect("read").expect("kept").brief;
        assert_eq!((run.state, run.superseded_by), (RunState::Superseded, Some(third)));
    }
    assert!(taken(&store, ask(after(49), &[("train", 9)])).await.is_empty());
    assert_eq!(taken(&store, ask(after(50), &[("train", 9)])).await, [third]);
    let run = store.run(third).await.expect("read").expect("kept").brief;
    assert_eq!((run.stands_for, run.superseded_by), (3, None));
}

pub async fn a_burst_waits_no_longer_than_it_may(store: Shared) {
    let mut newest = accept(&store, 0, latest("main", 30, 60)).await;
    for second in [20, 40, 59] {
        newest = accept(&store, second, latest("main", 30, 60)).await;
    }
    assert!(taken(&store, ask(after(59), &[("train", 9)])).await.is_empty());
    assert_eq!(taken(&store, ask(after(60), &[("train", 9)])).await, [newest]);
    let later = accept(&store, 61, latest("main", 30, 60)).await;
    assert_eq!(state(&store, newest).await, RunState::Sending, "what is on the wire stays");
    assert_eq!(state(&store, later).await, RunState::Waiting, "a new burst begins");
}

pub async fn runs_of_another_kind_are_left_alone(store: Shared) {
    let main = accept(&store, 0, latest("main", 0, 0)).await;
    let other = accept(&store, 1, latest("dev", 0, 0)).await;
    let plain = accept(&store, 2, queued("r", "train")).await;
    let newer = accept(&store, 3, latest("main", 0, 0)).await;
    let elsewhere = accept(&store, 4, NewRun { route: "r2".into(), ..latest("main", 0, 0) }).await;
    assert_eq!(state(&store, main).await, RunState::Superseded);
    let all = taken(&store, ask(after(5), &[("train", 9)])).await;
    assert_eq!(all, [other, plain, newer, elsewhere], "in the order of acceptance");
}

pub async fn a_run_that_is_tried_again_gives_way_to_a_newer_one(store: Shared) {
    let before = accept(&store, 0, latest("main", 0, 0)).await;
    let older = accept(&store, 1, latest("main", 0, 0)).await;
    let lease = lease_one(&store, after(1)).await;
    assert_eq!(lease.run, older);
    let newer = accept(&store, 2, latest("main", 0, 0)).await;
    let next = Next::Retry { at: after(9), reason: "busy".to_owned() };
    let busy = result(Outcome::NotStartedForNow);
    store.finish_attempt(lease, busy, next, after(3)).await.expect("recorded");
    for run in [before, older] {
        let run = store.run(run).await.expect("read").expect("kept").brief;
        assert_eq!((run.state, run.superseded_by), (RunState::Superseded, Some(newer)));
    }
    let run = store.run(newer).await.expect("read").expect("kept").brief;
    assert_eq!(run.stands_for, 3);
    assert_eq!(taken(&store, ask(after(99), &[("train", 9)])).await, [newer]);
}

pub async fn a_run_that_is_due_again_comes_before_newer_ones(store: Shared) {
    let (_, older) = one_run(&store, "older").await;
    let lease = lease_one(&store, start()).await;
    let newer = accept(&store, 1, queued("r", "train")).await;
    let next = Next::Retry { at: after(30), reason: "busy".to_owned() };
    let busy = result(Outcome::NotStartedForNow);
    store.finish_attempt(lease, busy, next, after(2)).await.expect("recorded");
    assert_eq!(taken(&store, ask(after(30), &[("train", 9)])).await, [older, newer]);
}

pub async fn no_minute_has_more_starts_than_the_limit(store: Shared) {
    for second in 0..9 {
        accept(&store, second, queued("r", "train")).await;
    }
    assert_eq!(taken(&store, limited(after(10), Some(4), None)).await.len(), 4);
    let leased = store.lease_due(limited(after(69), Some(4), None)).await.expect("leased");
    assert_eq!(leased.limited, [("train".into(), after(70))]);
    assert!(leased.leases.is_empty());
    assert_eq!(leased.next_due, Some(after(70)), "it says when there is room again");
    assert_eq!(taken(&store, limited(after(70), Some(4), None)).await.len(), 4);
    assert_eq!(taken(&store, limited(after(131), Some(4), None)).await.len(), 1);
}

pub async fn the_brake_holds_what_is_over_it_and_a_persons_word_lets_it_go(store: Shared) {
    let mut runs = Vec::new();
    for second in 0..5 {
        runs.push(accept(&store, second, queued("r", "train")).await);
    }
    let leased = store.lease_due(limited(after(10), None, Some(3))).await.expect("leased");
    assert_eq!(leased.leases.len(), 3);
    assert_eq!(leased.held, [("train".into(), 2)]);
    let held = store.run(runs[3]).await.expect("read").expect("kept").brief;
    assert_eq!(held.state, RunState::Held);
    assert!(held.reason.expect("a reason").contains("starts_per_hour"));
    let retry = Release::Retry { deadline: after(9000) };
    store.release(runs[3], retry, act_at(20)).await.expect("released");
    assert_eq!(taken(&store, limited(after(21), None, Some(3))).await, [runs[3]]);
    let patient = || NewRun { deadline: after(9000), ..queued("r", "train") };
    let late = accept(&store, 3609, patient()).await;
    assert_eq!(taken(&store, limited(after(3609), None, Some(3))).await, []);
    let later = accept(&store, 3620, patient()).await;
    assert_eq!(taken(&store, limited(after(3700), None, Some(3))).await, [later]);
    assert_eq!(state(&store, late).await, RunState::Held);
}

pub async fn a_run_that_is_tried_again_is_not_held_by_the_brake(store: Shared) {
    let (_, run) = one_run(&store, "one").await;
    let leased = store.lease_due(limited(start(), None, Some(1))).await.expect("leased");
    let next = Next::Retry { at: after(5), reason: "busy".to_owned() };
    let busy = result(Outcome::NotStartedForNow);
    let lease = leased.leases.into_iter().next().expect("one");
    store.finish_attempt(lease, busy, next, after(1)).await.expect("recorded");
    assert_eq!(taken(&store, limited(after(6), None, Some(1))).await, [run]);
}

pub async fn the_stop_switch_stops_every_start_and_no_delivery(store: Shared) {
    store.pause(Pausable::All, None, act_at(0)).await.expect("paused");
    let run = accept(&store, 1, queued("r", "train")).await;
    assert!(taken(&store, ask(after(2), &[("train", 9)])).await.is_empty());
    assert_eq!(store.resume(Pausable::All, Vec::new(), act_at(3)).await, Ok(true));
    assert_eq!(store.resume(Pausable::All, Vec::new(), act_at(4)).await, Ok(false));
    assert_eq!(taken(&store, ask(after(5), &[("train", 9)])).await, [run]);
}

pub async fn a_paused_job_rests_and_the_others_do_not(store: Shared) {
    store.pause(Pausable::Job("train".to_owned()), None, act_at(0)).await.expect("paused");
    let rests = accept(&store, 1, queued("r", "train")).await;
    let goes = accept(&store, 2, queued("r", "report")).await;
    let jobs = [("train", 9), ("report", 9)];
    assert_eq!(taken(&store, ask(after(3), &jobs)).await, [goes]);
    store.resume(Pausable::Job("train".to_owned()), Vec::new(), act_at(4)).await.expect("resumed");
    assert_eq!(taken(&store, ask(after(5), &jobs)).await, [rests]);
}

pub async fn the_runs_of_a_paused_route_wait_also_those_that_come_later(store: Shared) {
    let route = || Pausable::Route("r".to_owned());
    let early = accept(&store, 0, queued("r", "train")).await;
    store.pause(route(), None, act_at(1)).await.expect("paused");
    let during = accept(&store, 2, queued("r", "train")).await;
    let waited = accept(&store, 2, latest("main", 5, 50)).await;
    let other = accept(&store, 3, queued("r2", "train")).await;
    assert_eq!(taken(&store, ask(after(9), &[("train", 9)])).await, [other]);
    assert_eq!(store.counts().await.expect("read").queued, 3);
    store.resume(route(), Vec::new(), act_at(10)).await.expect("resumed");
    assert_eq!(taken(&store, ask(after(11), &[("train", 9)])).await, [early, during, waited]);
}

pub async fn what_rests_is_kept_with_who_and_why(store: Shared) {
    let key = Pausable::Key("main/alice".to_owned());
    store.pause(key.clone(), Some(b"mark".to_vec()), act_at(5)).await.expect("paused");
    let pauses = store.pauses().await.expect("read");
    assert_eq!(pauses.len(), 1);
    assert_eq!((&pauses[0].what, pauses[0].since, &*pauses[0].who), (&key, after(5), "ops"));
    assert_eq!(pauses[0].mark.as_deref(), Some(&b"mark"[..]));
    assert_eq!(pauses[0].note.as_deref(), Some("because"));
}

pub async fn a_backlog_is_let_go_at_its_pace_and_newer_runs_wait_their_turn(store: Shared) {
    for second in 0..25 {
        accept(&store, second, queued("r", "train")).await;
    }
    store.release_backlog("train".into(), Backlog::Paced, after(30)).await.expect("let go");
    let pace = |second| ask(after(second), &[("train", 50)]);
    assert_eq!(taken(&store, pace(31)).await.len(), 10);
    assert_eq!(taken(&store, pace(60)).await.len(), 0);
    assert_eq!(taken(&store, pace(91)).await.len(), 10);
    assert_eq!(taken(&store, pace(151)).await.len(), 5);
    for second in 152..172 {
        accept(&store, second, queued("r", "train")).await;
    }
    assert_eq!(taken(&store, pace(172)).await.len(), 20, "the pace ends with the backlog");
}

pub async fn of_a_backlog_only_the_newest_of_each_route_may_be_let_go(store: Shared) {
    let mut runs = Vec::new();
    for second in 0..6 {
        let route = if second % 2 == 0 { "even" } else { "odd" };
        runs.push(accept(&store, second, queued(route, "train")).await);
    }
    store.release_backlog("train".into(), Backlog::Latest, after(9)).await.expect("let go");
    assert_eq!(taken(&store, ask(after(10), &[("train", 9)])).await, [runs[4], runs[5]]);
    let first = store.run(runs[0]).await.expect("read").expect("kept").brief;
    assert_eq!((first.state, first.superseded_by), (RunState::Superseded, Some(runs[4])));
    let last = store.run(runs[5]).await.expect("read").expect("kept").brief;
    assert_eq!(last.stands_for, 3);
}

pub async fn a_backlog_may_be_held_for_review(store: Shared) {
    let run = accept(&store, 0, queued("r", "train")).await;
    assert_eq!(store.release_backlog("train".into(), Backlog::Review, after(9)).await, Ok(1));
    let held = store.run(run).await.expect("read").expect("kept").brief;
    assert_eq!(held.state, RunState::Held);
    assert!(held.reason.expect("a reason").contains("on_resume: review"));
    let fresh = accept(&store, 10, queued("r", "train")).await;
    assert_eq!(taken(&store, ask(after(11), &[("train", 9)])).await, [fresh]);
}

pub async fn a_run_can_be_cancelled_until_it_is_on_the_wire(store: Shared) {
    let waiting = accept(&store, 0, latest("main", 60, 600)).await;
    let queued_run = accept(&store, 1, queued("r", "train")).await;
    for run in [waiting, queued_run] {
        let cancelled = store.cancel(run, act_at(2)).await.expect("cancelled");
        assert_eq!(cancelled.brief.state, RunState::Cancelled);
        assert_eq!(cancelled.brief.reason.as_deref(), Some("cancelled by ops"));
        assert_eq!(cancelled.acts.len(), 1);
    }
    let (_, sent) = one_run(&store, "sent").await;
    lease_one(&store, after(3)).await;
    let refused = store.cancel(sent, act_at(4)).await;
    assert!(matches!(refused, Err(StoreFault::Unlawful { .. })), "{refused:?}");
    assert!(taken(&store, ask(after(900), &[("train", 9)])).await.is_empty());
    let twice = store.cancel(queued_run, act_at(5)).await;
    assert!(matches!(twice, Err(StoreFault::Unlawful { .. })), "{twice:?}");
}

pub async fn every_act_is_in_the_book_newest_first(store: Shared) {
    let (id, run) = one_run(&store, "one").await;
    store.cancel(run, act_at(1)).await.expect("cancelled");
    store.pause(Pausable::Job("train".to_owned()), None, act_at(2)).await.expect("paused");
    store.resume(Pausable::Job("train".to_owned()), Vec::new(), act_at(3)).await.expect("resumed");
    let order = cdsw_gateway::store::ReplayRequest {
        delivery: id,
        runs: Vec::new(),
        again: false,
        act: act_at(4),
    };
    store.replay(order).await.expect("replayed");
    let note = store.note("reload".into(), "configuration".into(), "abc".into(), act_at(5)).await;
    assert_eq!(note, Ok(()));
    let book = store.audit(None, 100).await.expect("read");
    let acts: Vec<(&str, &str)> = book.iter().map(|a| (&*a.act, &*a.kind)).collect();
    assert_eq!(
        acts,
        [
            ("reload", "configuration"),
            ("replay", "delivery"),
            ("resume", "job"),
            ("pause", "job"),
            ("cancel", "run"),
        ]
    );
    assert!(book.iter().all(|act| act.who == "ops" && act.note.as_deref() == Some("because")));
    let older = store.audit(Some(book[3].number), 100).await.expect("read");
    assert_eq!(older.len(), 1);
}

pub async fn one_job_with_a_hundred_thousand_runs_keeps_no_other_from_its_turn(store: Shared) {
    let many: Vec<NewRun> = (0..100_000).map(|_| queued("r", "noisy")).collect();
    for (number, runs) in many.chunks(5_000).enumerate() {
        let new = delivery(&format!("noisy-{number}"), runs.to_vec());
        assert_eq!(store.accept(new).await, Ok(Accepted::KEPT));
    }
    let quiet: Vec<NewRun> = (0..999).map(|job| queued("r", &format!("quiet-{job}"))).collect();
    assert_eq!(store.accept(delivery("quiet", quiet)).await, Ok(Accepted::KEPT));
    let names: Vec<String> = (0..999).map(|job| format!("quiet-{job}")).collect();
    let mut jobs: Vec<(&str, usize)> = vec![("noisy", 4)];
    jobs.extend(names.iter().map(|name| (&**name, 4)));
    let all = LeaseAsk { most: 1003, ..ask(start(), &jobs) };
    let leased = store.lease_due(all).await.expect("leased").leases;
    assert_eq!(leased.len(), 1003);
    assert_eq!(leased.iter().filter(|lease| &*lease.job == "noisy").count(), 4);
    let runs = store.runs(RunFilter { limit: 1, ..RunFilter::default() }).await.expect("read");
    assert_eq!(runs.len(), 1);
}

pub async fn what_becomes_of_a_backlog_is_said_in_the_breath_of_the_resume(store: Shared) {
    let train = || Pausable::Job("train".to_owned());
    store.pause(train(), None, act_at(0)).await.expect("paused");
    let waited = accept(&store, 1, queued("r", "train")).await;
    let backlogs = vec![("train".into(), Backlog::Review)];
    assert_eq!(store.resume(train(), backlogs.clone(), act_at(2)).await, Ok(true));
    assert_eq!(state(&store, waited).await, RunState::Held);
    let fresh = accept(&store, 3, queued("r", "train")).await;
    assert_eq!(store.resume(train(), backlogs, act_at(4)).await, Ok(false));
    assert_eq!(state(&store, fresh).await, RunState::Queued, "nothing rested, so nothing waited");
}

pub async fn a_paused_route_holds_back_what_is_tried_again_too(store: Shared) {
    let failed_run = run("r", "train", NewRunState::Failed("no SHA".to_owned()));
    let new = delivery("again", vec![failed_run.clone()]);
    store.accept(new.clone()).await.expect("kept");
    let (_, other) = one_run(&store, "other").await;
    let lease = lease_one(&store, start()).await;
    assert_eq!(lease.run, other);
    let outcome = result(Outcome::NotStartedForGood);
    store.finish_attempt(lease, outcome, failed(), after(1)).await.expect("recorded");
    store.pause(Pausable::Route("r".to_owned()), None, act_at(2)).await.expect("paused");
    let repeat = store.accept(delivery_at(after(3), "again", vec![queued("r", "train")])).await;
    assert!(matches!(repeat, Ok(Accepted::Repeat { .. })));
    let repeat = store.accept(delivery_at(after(3), "other", Vec::new())).await;
    assert!(matches!(repeat, Ok(Accepted::Repeat { .. })), "as it was");
    assert_eq!(store.counts().await.expect("read").queued, 2);
    assert!(taken(&store, ask(after(9), &[("train", 9)])).await.is_empty());
    let route = Pausable::Route("r".to_owned());
    store.resume(route, Vec::new(), act_at(10)).await.expect("resumed");
    assert_eq!(taken(&store, ask(after(11), &[("train", 9)])).await, [failed_run.id, other]);
}

pub async fn the_pace_ends_though_a_paused_routes_run_still_waits(store: Shared) {
    accept(&store, 0, queued("resting", "train")).await;
    let route = Pausable::Route("resting".to_owned());
    store.pause(route, None, act_at(1)).await.expect("paused");
    for second in 2..4 {
        accept(&store, second, queued("r", "train")).await;
    }
    store.release_backlog("train".into(), Backlog::Paced, after(5)).await.expect("let go");
    assert_eq!(taken(&store, ask(after(6), &[("train", 50)])).await.len(), 2);
    for second in 7..27 {
        accept(&store, second, queued("r", "train")).await;
    }
    assert_eq!(taken(&store, ask(after(30), &[("train", 50)])).await.len(), 20);
}

pub async fn every_merged_run_finds_the_one_that_stands_for_it(store: Shared) {
    let mut runs = Vec::new();
    for second in 0..3 {
        runs.push(accept(&store, second, queued("r", "train")).await);
    }
    store.release_backlog("train".into(), Backlog::Latest, after(4)).await.expect("let go");
    for second in 5..7 {
        runs.push(accept(&store, second, queued("r", "train")).await);
    }
    store.release_backlog("train".into(), Backlog::Latest, after(8)).await.expect("let go");
    let newest = runs.pop().expect("some");
    for older in runs {
        let run = store.run(older).await.expect("read").expect("kept").brief;
        assert_eq!((run.state, run.superseded_by), (RunState::Superseded, Some(newest)));
    }
    let run = store.run(newest).await.expect("read").expect("kept").brief;
    assert_eq!((run.state, run.stands_for), (RunState::Queued, 5));
}

pub async fn two_bursts_that_become_one_keep_every_link(store: Shared) {
    let first = [
        accept(&store, 0, latest("main", 0, 0)).await,
        accept(&store, 1, latest("main", 0, 0)).await,
    ];
    let lease = lease_one(&store, after(1)).await;
    let second = [
        accept(&store, 2, latest("main", 0, 0)).await,
        accept(&store, 3, latest("main", 0, 0)).await,
    ];
    store.finish_attempt(lease, result(Outcome::Unknown), held(), after(4)).await.expect("held");
    let retry = Release::Retry { deadline: after(9000) };
    store.release(first[1], retry, act_at(5)).await.expect("released");
    let newest = accept(&store, 6, latest("main", 0, 0)).await;
    for older in first.into_iter().chain(second) {
        let run = store.run(older).await.expect("read").expect("kept").brief;
        assert_eq!((run.state, run.superseded_by), (RunState::Superseded, Some(newest)));
    }
    let run = store.run(newest).await.expect("read").expect("kept").brief;
    assert_eq!(run.stands_for, 5);
}

pub async fn a_refused_key_rests_from_the_moment_that_its_attempt_is_recorded(store: Shared) {
    let (_, first) = one_run(&store, "one").await;
    let lease = lease_one(&store, start()).await;
    let key = Pausable::Key("main/alice".to_owned());
    let refused = KeyRefused { what: key.clone(), mark: b"mark".to_vec(), act: act_at(1) };
    let finish = Finish {
        lease: lease.clone(),
        result: result(Outcome::NotStartedForGood),
        next: failed(),
        refused: Some(refused),
        now: after(1),
    };
    store.finish(finish.clone()).await.expect("recorded");
    assert_eq!(state(&store, first).await, RunState::Failed);
    let pauses = store.pauses().await.expect("read");
    assert_eq!(pauses.iter().map(|pause| &pause.what).collect::<Vec<_>>(), [&key]);
    store.resume(key, Vec::new(), act_at(2)).await.expect("resumed");
    let late = store.finish(finish).await;
    assert_eq!(late, Err(StoreFault::LeaseLost(first)));
    assert!(store.pauses().await.expect("read").is_empty(), "a lost lease says nothing any more");
}

pub async fn a_trial_is_marked_as_one_and_alone(store: Shared) {
    for second in 0..3 {
        accept(&store, second, queued("r", "train")).await;
    }
    let mut one = ask(after(5), &[("train", 9)]);
    one.permits[0].trial = Some("main".into());
    let leased = store.lease_due(one).await.expect("leased").leases;
    assert_eq!(leased.iter().map(|lease| lease.trial).collect::<Vec<_>>(), [true]);
    let leased = store.lease_due(ask(after(6), &[("train", 9)])).await.expect("leased").leases;
    assert!(leased.iter().all(|lease| !lease.trial));
}

fn refusing(now: Timestamp) -> LeaseAsk {
    LeaseAsk { plan: Arc::new(Refuses(Some("gone"))), ..limited(now, Some(1), Some(1)) }
}

pub async fn a_run_that_the_configuration_does_not_ask_for_is_held_where_nobody_has_another(
    store: Arc<dyn Store>,
) {
    let new = delivery("k", vec![queued("gone", "train")]);
    let run = new.runs[0].id;
    store.accept(new).await.expect("kept");
    let leased = store.lease_due(refusing(start())).await.expect("a look");
    assert_eq!((leased.leases.len(), leased.not_asked), (0, vec![("train".into(), 1)]));
    let seen = store.run(run).await.expect("read").expect("kept");
    assert_eq!((seen.brief.state, seen.tries.len()), (RunState::Held, 0));
    assert!(seen.brief.reason.expect("a reason").contains("there is no such route"));
}

/// For a store that several processes share, and where one has said what it runs.
pub async fn a_run_that_the_configuration_does_not_ask_for_waits_a_minute_for_another_one(
    store: Arc<dyn Store>,
) {
    let new = delivery("k", vec![queued("gone", "train")]);
    let run = new.runs[0].id;
    store.accept(new).await.expect("kept");
    let mut now = start();
    loop {
        let leased = store.lease_due(refusing(now)).await.expect("a look");
        assert!(leased.leases.is_empty(), "nothing is sent");
        let seen = store.run(run).await.expect("read").expect("kept");
        assert_eq!((seen.brief.attempts, seen.tries.len()), (0, 0), "no attempt is counted");
        if seen.brief.state == RunState::Held {
            assert_eq!(leased.not_asked, [("train".into(), 1)]);
            assert!(seen.brief.reason.expect("a reason").contains("there is no such route"));
            break;
        }
        assert_eq!((seen.brief.state, leased.not_asked.len()), (RunState::Queued, 0));
        assert!(seen.brief.due_at > now, "it is looked at again later");
        now = seen.brief.due_at;
    }
    assert!(now >= after(60) && now <= after(90), "{now}");
}

pub async fn a_run_that_is_not_asked_for_spends_no_limit_and_keeps_no_other_back(
    store: Arc<dyn Store>,
) {
    for number in 0..5 {
        let new = delivery(&format!("g{number}"), vec![queued("gone", "train")]);
        store.accept(new).await.expect("kept");
    }
    let new = delivery("k", vec![queued("r", "train")]);
    let asked = new.runs[0].id;
    store.accept(new).await.expect("kept");
    // One start a minute and one an hour: the runs in front use up neither.
    let now = after(61);
    let mut looks = 0;
    let lease = loop {
        let mut leased = store.lease_due(refusing(now)).await.expect("a look");
        looks += 1;
        if let Some(lease) = leased.leases.pop() {
            break lease;
        }
        assert_eq!(leased.next_due, Some(now), "the next look comes at once");
        assert!(leased.held.is_empty(), "the brake has counted nothing");
        assert!(looks < 10, "it has its turn");
    };
    assert_eq!(lease.run, asked);
}

pub async fn a_persons_word_does_not_send_what_the_configuration_does_not_ask_for(
    store: Arc<dyn Store>,
) {
    let new = delivery("k", vec![queued("gone", "train")]);
    let run = new.runs[0].id;
    store.accept(new).await.expect("kept");
    let now = after(100);
    store.lease_due(refusing(now)).await.expect("a look");
    assert_eq!(state(&store, run).await, RunState::Held);
    let retry = Release::Retry { deadline: after(7200) };
    store.release(run, retry.clone(), act()).await.expect("released");
    let leased = store.lease_due(refusing(now)).await.expect("a look");
    assert!(leased.leases.is_empty());
    assert_eq!(state(&store, run).await, RunState::Held, "at once: somebody has waited for it");
    // Once the configuration asks for it, the word counts.
    store.release(run, retry, act()).await.expect("released");
    let leased = store.lease_due(ask(now, &[("train", 1)])).await.expect("leased");
    assert_eq!(leased.leases[0].run, run);
}

pub async fn what_waits_is_told_by_job_and_state_and_what_failed_by_time(store: Shared) {
    for second in 0..3 {
        accept(&store, second, queued("r", "train")).await;
    }
    accept(&store, 5, queued("r", "report")).await;
    accept(&store, 6, latest("main", 30, 300)).await;
    let failed = NewRun { state: NewRunState::Failed("no".to_owned()), ..queued("r", "train") };
    let failed = accept(&store, 7, failed).await;
    let rows = |queue: Queue| -> Vec<(String, RunState, u64, Timestamp)> {
        queue.rows.into_iter().map(|row| (row.job, row.state, row.runs, row.oldest)).collect()
    };
    let wanted = vec![
        ("train".to_owned(), RunState::Queued, 3, after(0)),
        ("report".to_owned(), RunState::Queued, 1, after(5)),
        ("train".to_owned(), RunState::Waiting, 1, after(6)),
    ];
    assert_eq!(rows(store.queue().await.expect("read")), wanted);
    let [failures] = &store.failed_since(after(7)).await.expect("read")[..] else {
        panic!("one job")
    };
    assert_eq!((&*failures.job, failures.runs), ("train", 1));
    assert_eq!((failures.first, failures.last), (after(7), after(7)));
    assert_eq!(store.failed_since(after(8)).await, Ok(Vec::new()));
    store.release(failed, Release::Fail, act()).await.expect_err("it has failed");

    store.release_backlog("train".into(), Backlog::Paced, after(10)).await.expect("released");
    let [backlog] = &store.queue().await.expect("read").backlogs[..] else { panic!("one") };
    assert_eq!((&*backlog.job, backlog.size, backlog.left), ("train", 3, 3));
    assert_eq!(backlog.since, Some(after(10)));
    let leased = store.lease_due(ask(after(11), &[("train", 2)])).await.expect("leased");
    assert_eq!(leased.leases.len(), 2);
    let [backlog] = &store.queue().await.expect("read").backlogs[..] else { panic!("one") };
    assert_eq!((backlog.size, backlog.left), (3, 1), "the size is that of its beginning");

    let deadline = store.runs(RunFilter { limit: 10, ..RunFilter::default() }).await.expect("read");
    let deadline = deadline.iter().map(|run| run.deadline).min().expect("runs");
    assert_eq!(store.late("train".into(), deadline).await, Ok(0));
    let later = deadline + jiff::SignedDuration::from_secs(3);
    assert_eq!(store.late("train".into(), later).await, Ok(1));
}

pub async fn files_of_routes_are_kept_in_their_last_version_until_they_are_gone(store: Shared) {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let all = vec![file("a.yaml", "one"), file("b.yaml", "two")];
    store.keep_route_files(all, names(&["a.yaml", "b.yaml"]), after(0)).await.expect("kept");
    // `a` is faulty now, and `b` is as it was.
    let good = vec![file("b.yaml", "two")];
    store.keep_route_files(good, names(&["a.yaml", "b.yaml"]), after(5)).await.expect("kept");
    let kept = store.route_files().await.expect("read");
    let seen: Vec<_> = kept.iter().map(|kept| (&*kept.name, &*kept.text, kept.kept_at)).collect();
    assert_eq!(seen, [("a.yaml", "one", after(0)), ("b.yaml", "two", after(0))]);
    let good = vec![file("b.yaml", "three")];
    store.keep_route_files(good, names(&["b.yaml"]), after(9)).await.expect("kept");
    let kept = store.route_files().await.expect("read");
    let seen: Vec<_> = kept.iter().map(|kept| (&*kept.name, &*kept.text, kept.kept_at)).collect();
    assert_eq!(seen, [("b.yaml", "three", after(9))]);
}

pub async fn what_happened_lately_is_told_by_source_and_by_route_and_goes_back_further_than_it_counts(
    store: Shared,
) {
    let old = accept(&store, 0, queued("old", "train")).await;
    accept(&store, 10, queued("new", "train")).await;
    let last = accept(&store, 20, queued("new", "train")).await;
    assert_eq!(taken(&store, ask(after(21), &[("train", 1)])).await, [old]);
    let lately = store.lately(after(10)).await.expect("read");
    assert_eq!((lately.deliveries_since, lately.runs_since), (None, None), "all were looked at");
    let [source] = &lately.sources[..] else { panic!("one source: {lately:?}") };
    assert_eq!((&*source.source, source.deliveries, source.last), ("github", 2, after(20)));
    let runs: Vec<_> = lately
        .runs
        .iter()
        .map(|runs| (&*runs.route, &*runs.job, runs.state, runs.runs, runs.accepted, runs.changed))
        .collect();
    let wanted = [
        ("new", "train", RunState::Queued, 2, after(20), after(20)),
        ("old", "train", RunState::Sending, 0, after(0), after(21)),
    ];
    assert_eq!(runs, wanted);
    store.cancel(last, act_at(30)).await.expect("cancelled");
    let lately = store.lately(after(10)).await.expect("read");
    let cancelled = lately.runs.iter().find(|runs| runs.state == RunState::Cancelled);
    assert_eq!(cancelled.map(|runs| (runs.runs, runs.changed)), Some((1, after(30))));
}
