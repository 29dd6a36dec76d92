//! A person has the content of a delivery erased.

use std::sync::Arc;

use cdsw_gateway::model::{Outcome, RunState};
use cdsw_gateway::store::{Accepted, NewRunState, Next, Release, ReplayRequest, Store, StoreFault};

use super::world::*;

type Shared = Arc<dyn Store>;

pub async fn what_is_erased_is_gone_and_what_happened_stays(store: Shared) {
    let mut new = delivery("id", vec![queued("r", "train")]);
    new.claims = Some(r#"{"sub":"alice"}"#.to_owned());
    let (id, run) = (new.id, new.runs[0].id);
    store.accept(new).await.expect("kept");
    let lease = lease_one(&store, start()).await;
    store.finish_attempt(lease, result(Outcome::Started), started(), after(1)).await.expect("done");
    let erasure = store.erase(id, act()).await.expect("erased");
    assert!(erasure.cancelled.is_empty());
    let kept = store.delivery(id).await.expect("read").expect("still known");
    assert!(kept.body.is_empty() && kept.headers.is_empty() && kept.explanation.is_empty());
    assert_eq!((&*kept.query, kept.claims, kept.summary.remote), ("", None, None));
    let erased = kept.summary.erased.expect("it says so");
    assert_eq!((&*erased.by, erased.at), ("ops", after(100)));
    assert_eq!((&*kept.summary.key, kept.summary.received_at), ("id", start()));
    let shown = store.run(run).await.expect("read").expect("kept");
    assert_eq!(shown.brief.state, RunState::Started);
    assert_eq!(shown.brief.engine_id.as_deref(), Some("engine-1"));
    assert_eq!(shown.environment, Some(environment(&[])));
    assert_eq!((&shown.tries[0].reply, &shown.tries[0].reason), (&None, &None));
    assert_eq!(shown.tries[0].outcome, Some(Outcome::Started));
    let audit = store.audit(None, 9).await.expect("read");
    let entry = &audit[0];
    assert_eq!((&*entry.act, &*entry.name, &*entry.who), ("erase", &*id.to_string(), "ops"));
}

pub async fn runs_that_are_not_sent_yet_are_cancelled_before_their_delivery_is_erased(
    store: Shared,
) {
    let held = NewRunState::Held(environment(&[("SHA", "abc")]), "look at SHA abc".to_owned());
    let broken = NewRunState::Failed("`abc` is no SHA".to_owned());
    let runs = vec![queued("r", "train"), run("s", "train", held), run("t", "train", broken)];
    let ids: Vec<_> = runs.iter().map(|run| run.id).collect();
    let new = delivery("id", runs);
    let id = new.id;
    store.accept(new).await.expect("kept");
    let erasure = store.erase(id, act()).await.expect("erased");
    assert_eq!(erasure.cancelled, ids[..2]);
    for (run, expected) in
        ids.iter().zip([RunState::Cancelled, RunState::Cancelled, RunState::Failed])
    {
        let shown = store.run(*run).await.expect("read").expect("kept");
        assert_eq!(shown.brief.state, expected);
        assert!(shown.environment.is_none_or(|environment| environment.is_empty()));
        let reason = shown.brief.reason.unwrap_or_default();
        assert!(!reason.contains("abc"), "{reason}");
    }
    let leased = store.lease_due(ask(after(200), &[("train", 9)])).await.expect("leased");
    assert!(leased.leases.is_empty());
}

pub async fn a_run_on_the_wire_keeps_its_delivery_from_being_erased(store: Shared) {
    let (id, run) = one_run(&store, "id").await;
    let lease = lease_one(&store, start()).await;
    let refused = store.erase(id, act()).await;
    assert!(matches!(refused, Err(StoreFault::Unlawful { run: named, .. }) if named == run));
    assert!(!store.delivery(id).await.expect("read").expect("kept").body.is_empty());
    let next = Next::Retry { at: after(30), reason: "busy".to_owned() };
    let outcome = result(Outcome::NotStartedForNow);
    store.finish_attempt(lease, outcome, next, after(1)).await.expect("recorded");
    assert_eq!(store.erase(id, act()).await.expect("erased").cancelled, [run]);
}

pub async fn a_repeat_of_what_was_erased_is_a_repeat_and_brings_nothing_back(store: Shared) {
    let broken = run("r", "train", NewRunState::Failed("SHA is missing".to_owned()));
    let failed = broken.id;
    let new = delivery("id", vec![broken]);
    let id = new.id;
    store.accept(new).await.expect("kept");
    store.erase(id, act()).await.expect("erased");
    for _ in 0..2 {
        let again = store.accept(delivery("id", vec![queued("r", "train")])).await;
        let Ok(Accepted::Repeat { delivery, requeued, .. }) = again else { panic!("{again:?}") };
        assert_eq!((delivery, requeued.len()), (id, 0));
    }
    assert_eq!(state(&store, failed).await, RunState::Failed);
    assert!(store.delivery(id).await.expect("read").expect("known").body.is_empty());
    let order =
        ReplayRequest { delivery: id, runs: vec![queued("r", "train")], again: true, act: act() };
    assert!(matches!(store.replay(order).await, Err(StoreFault::NotFound(_))));
    let retry = Release::Retry { deadline: after(9000) };
    assert!(store.release(failed, retry, act()).await.is_err());
    assert_eq!(store.counts().await.expect("read").queued, 0);
}

pub async fn a_delivery_can_be_erased_again_and_an_unknown_one_cannot(store: Shared) {
    let (id, _) = one_run(&store, "id").await;
    store.erase(id, act()).await.expect("erased");
    let later = cdsw_gateway::store::Act { at: after(500), who: "other".to_owned(), ..act() };
    store.erase(id, later).await.expect("erased again");
    let erased = store.delivery(id).await.expect("read").expect("known").summary.erased;
    let erased = erased.expect("it says so");
    assert_eq!((&*erased.by, erased.at), ("ops", after(100)), "who did it first");
    let unknown = delivery("x", Vec::new()).id;
    assert!(matches!(store.erase(unknown, act()).await, Err(StoreFault::NotFound(_))));
}
