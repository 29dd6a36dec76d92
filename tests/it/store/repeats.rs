//! What counts as a repeat, and what does not.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use cdsw_gateway::model::{DeliveryId, RunState};
use cdsw_gateway::random::{Random, SeededRandom};
use cdsw_gateway::store::{
    Accepted, DeliveryFilter, NewDelivery, NewRunState, Retention, Store, StoreFault, Superseded,
};

use super::world::*;

type Shared = Arc<dyn Store>;

/// A delivery with this id and this content, and one run.
fn saying(id: &str, content: &str) -> NewDelivery {
    let body = content.repeat(100).into();
    NewDelivery { digest: digest(content), body, ..delivery(id, vec![queued("r", "train")]) }
}

fn repeat_of(first: DeliveryId, accepted: Result<Accepted, StoreFault>) {
    match accepted {
        Ok(Accepted::Repeat { delivery, .. }) => assert_eq!(delivery, first),
        other => panic!("not a repeat: {other:?}"),
    }
}

pub async fn one_id_with_other_content_is_another_delivery_and_both_are_kept(store: Shared) {
    let (first, second, third) = (saying("id", "a"), saying("id", "b"), saying("id", "c"));
    assert_eq!(store.accept(first.clone()).await, Ok(Accepted::KEPT));
    for other in [&second, &third] {
        let another = Accepted::Another { same_id_as: first.id, superseded: Superseded::new() };
        assert_eq!(store.accept(other.clone()).await, Ok(another));
    }
    for (new, same_id_as) in [(&first, None), (&second, Some(first.id)), (&third, Some(first.id))] {
        let kept = store.delivery(new.id).await.expect("read").expect("kept");
        assert_eq!(kept.body, new.body);
        assert_eq!(kept.summary.same_id_as, same_id_as);
        assert_eq!(kept.runs.len(), 1, "each has its own run");
    }
    // Each of them is known from now on, in whatever order its sender repeats it.
    for (content, first) in [("b", second.id), ("a", first.id), ("c", third.id), ("b", second.id)] {
        repeat_of(first, store.accept(saying("id", content)).await);
    }
    let listed = store.deliveries(DeliveryFilter { limit: 9, ..DeliveryFilter::default() }).await;
    let listed = listed.expect("read");
    let repeats: Vec<_> = listed.iter().map(|row| (row.id, row.repeats)).collect();
    assert_eq!(repeats, [(third.id, 1), (second.id, 2), (first.id, 1)]);
    assert_eq!(store.counts().await.expect("read").queued, 3);
}

pub async fn many_contents_of_one_id_at_once_are_each_kept_once(store: Shared) {
    let offers = (0..64).map(|number| {
        let store = Arc::clone(&store);
        let new = saying("crowd", &format!("{}", number % 8));
        tokio::spawn(async move { store.accept(new).await })
    });
    let mut kept = 0;
    for offer in offers.collect::<Vec<_>>() {
        kept += usize::from(!matches!(offer.await.expect("ran"), Ok(Accepted::Repeat { .. })));
    }
    assert_eq!(kept, 8);
    let listed = store.deliveries(DeliveryFilter { limit: 99, ..DeliveryFilter::default() }).await;
    let first: HashSet<_> =
        listed.expect("read").iter().map(|row| row.same_id_as.unwrap_or(row.id)).collect();
    assert_eq!(first.len(), 1, "all but the first name the first");
    assert_eq!(store.counts().await.expect("read").queued, 8);
}

pub async fn no_run_is_given_variables_of_other_content(store: Shared) {
    let broken = run("r", "train", NewRunState::Failed("SHA is missing".to_owned()));
    let id = broken.id;
    let first = NewDelivery { runs: vec![broken], ..saying("id", "a") };
    store.accept(first).await.expect("kept");
    store.accept(saying("id", "b")).await.expect("kept");
    let kept = store.run(id).await.expect("read").expect("kept");
    assert_eq!((kept.brief.state, kept.environment), (RunState::Failed, None));
    // The same content, mapped by today's routes, does give it another try.
    repeat_of(kept.brief.delivery, store.accept(saying("id", "a")).await);
    assert_eq!(state(&store, id).await, RunState::Queued);
}

pub async fn the_window_of_a_delivery_is_its_own(store: Shared) {
    let minutes = Duration::from_secs(600);
    let short = |at| NewDelivery { window: minutes, ..delivery_at(after(at), "short", Vec::new()) };
    assert_eq!(store.accept(short(0)).await, Ok(Accepted::KEPT));
    assert!(matches!(store.accept(short(599)).await, Ok(Accepted::Repeat { .. })));
    assert_eq!(store.accept(short(600)).await, Ok(Accepted::KEPT), "a repeat prolongs nothing");
    let alone = || NewDelivery { window: Duration::ZERO, ..delivery("alone", Vec::new()) };
    for _ in 0..3 {
        assert_eq!(store.accept(alone()).await, Ok(Accepted::KEPT));
    }
}

pub async fn a_repeat_is_counted_with_its_time_on_the_delivery_that_it_repeats(store: Shared) {
    let (first, _) = one_run(&store, "id").await;
    for at in [30, 90] {
        store.accept(delivery_at(after(at), "id", Vec::new())).await.expect("a repeat");
    }
    let kept = store.delivery(first).await.expect("read").expect("kept").summary;
    assert_eq!((kept.repeats, kept.repeated_at), (2, Some(after(90))));
}

pub async fn an_id_stays_known_as_long_as_the_last_delivery_that_has_it(store: Shared) {
    let at = |days: u64, content: &str| {
        let received_at = after(days * 86_400);
        NewDelivery { received_at, ..saying("id", content) }
    };
    store.accept(at(0, "a")).await.expect("kept");
    let second = at(6, "b");
    store.accept(second.clone()).await.expect("kept");
    // The week of the first is over, and that of the second is not.
    repeat_of(second.id, store.accept(at(8, "b")).await);
    assert_eq!(store.accept(at(13, "b")).await, Ok(Accepted::KEPT), "a week after the second");
}

pub async fn an_id_that_is_made_up_to_be_anothers_key_takes_nothing_away(store: Shared) {
    let (first, second) = (saying("id", "a"), saying("id", "b"));
    let forged = saying(&format!("id#{}", digest("b")), "forged");
    store.accept(first.clone()).await.expect("kept");
    assert_eq!(store.accept(forged).await, Ok(Accepted::KEPT));
    let another = Accepted::Another { same_id_as: first.id, superseded: Superseded::new() };
    assert_eq!(store.accept(second.clone()).await, Ok(another));
    let kept = store.delivery(second.id).await.expect("read").expect("kept");
    assert_eq!(kept.body, second.body);
}

pub async fn a_claim_that_lasts_longer_keeps_its_delivery_known(store: Shared) {
    let month = Duration::from_secs(30 * 86_400);
    let noise = |seed| {
        let random = SeededRandom::new(seed);
        (0..64_000).flat_map(|_| random.bits().to_ne_bytes()).collect::<Vec<u8>>()
    };
    let long = NewDelivery { window: month, body: noise(7).into(), ..delivery("long", Vec::new()) };
    let usual = NewDelivery { body: noise(8).into(), ..delivery("usual", Vec::new()) };
    for new in [&long, &usual] {
        store.accept(new.clone()).await.expect("kept");
    }
    let retention = Retention { keep: month, max_size: 100_000 };
    let later = after(8 * 86_400);
    while store.apply_retention(retention, later).await.expect("step").more {}
    assert!(store.delivery(usual.id).await.expect("read").is_none());
    assert!(store.delivery(long.id).await.expect("read").expect("known").summary.stripped);
    let again = delivery_at(later, "long", Vec::new());
    repeat_of(long.id, store.accept(again).await);
}
