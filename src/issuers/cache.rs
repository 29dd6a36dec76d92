//! The cache of published keys by address, and the decision what to do about a request for them. It does no
//! I/O and reads no clock: the time is an argument.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::budget::Budgets;
use super::{FLOOR, Found, STALE};
use crate::clock::between;
use crate::providers::{KeyPlace, Published};

/// The most cached addresses that requests chose. The one fetched longest ago is dropped once a new one has
/// keys: an address without keys takes the place of no other.
const MOST_CHOSEN: usize = 64;

/// A fetch under way: its result is sent to every request that waits for it.
pub(super) type Flight = watch::Receiver<Option<Found>>;

#[derive(Default)]
pub(super) struct Cache {
    entries: HashMap<KeyPlace, Entry>,
    /// What requests may cause that choose a new address.
    budgets: Budgets,
}

#[derive(Default)]
struct Entry {
    keys: Option<Arc<Published>>,
    fetched: Option<Timestamp>,
    tried: Option<Timestamp>,
    failed: bool,
    flight: Option<Flight>,
}

/// What to do about a request for keys.
pub(super) enum Step {
    /// Use these.
    Use(Arc<Published>),
    /// Wait for the fetch that is under way.
    Wait(Flight),
    /// Begin a fetch, and wait for it.
    Fetch,
    /// Answer that the keys are not known yet.
    NotNow,
}

impl Cache {
    pub(super) fn step(&self, place: &KeyPlace, key: Option<&str>, now: Timestamp) -> Step {
        let Some(entry) = self.entries.get(place) else { return Step::Fetch };
        let here = entry.keys.clone();
        match here {
            Some(keys) if key.is_none_or(|key| keys.keys.may_hold(key)) => Step::Use(keys),
            here => entry.ask(here, now),
        }
    }

    /// What to do about a request that none of these keys verified, where it does not name one of them.
    pub(super) fn renewal(&self, place: &KeyPlace, than: &Arc<Published>, now: Timestamp) -> Step {
        let Some(entry) = self.entries.get(place) else { return Step::NotNow };
        match entry.keys.clone() {
            Some(keys) if !Arc::ptr_eq(&keys, than) => Step::Use(keys),
            here => entry.ask(here, now),
        }
    }

    /// Whether a configured address should be fetched now, without a request that needs it.
    pub(super) fn is_due(&self, place: &KeyPlace, now: Timestamp) -> bool {
        self.entries.get(place).is_none_or(|entry| {
            let is_stale = entry.fetched.is_none_or(|at| between(at, now) >= STALE);
            is_stale && entry.may_try(now) && entry.in_flight().is_none()
        })
    }

    /// Addresses of the configuration that were tried, and have no keys.
    pub(super) fn without_keys(&self) -> Vec<Arc<str>> {
        let failed = |entry: &Entry| entry.failed && entry.keys.is_none();
        let entries = self.entries.iter().filter(|(place, _)| !place.chosen_by_request);
        let mut urls: Vec<Arc<str>> = entries
            .filter(|(_, entry)| failed(entry))
            .map(|(place, _)| Arc::clone(&place.url))
            .collect();
        urls.sort_unstable();
        urls.dedup();
        urls
    }

    /// Records that a fetch begins for a request of this peer, and returns the fetch under way: the given one,
    /// or another that began before. None where the peer may cause no fetch of a new address now, or the host
    /// may not be asked for one.
    pub(super) fn begin(
        &mut self,
        place: &KeyPlace,
        peer: &str,
        flight: Flight,
        now: Timestamp,
    ) -> Option<Flight> {
        if let Some(other) = self.entries.get(place).and_then(Entry::in_flight) {
            return Some(other);
        }
        let is_new = place.chosen_by_request && !self.entries.contains_key(place);
        if is_new && !self.budgets.take(peer, host(&place.url), now) {
            return None;
        }
        let entry = self.entries.entry(place.clone()).or_default();
        entry.tried = Some(now);
        entry.flight = Some(flight.clone());
        Some(flight)
    }

    /// Records the result of a fetch, and returns when keys were last fetched from the address. An address
    /// that a request chose and that has no keys is forgotten.
    pub(super) fn land(
        &mut self,
        place: &KeyPlace,
        keys: Option<Arc<Published>>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let entry = self.entries.get_mut(place)?;
        entry.flight = None;
        entry.failed = keys.is_none();
        if let Some(keys) = keys {
            entry.keys = Some(keys);
            entry.fetched = Some(now);
        }
        let fetched = entry.fetched;
        if fetched.is_none() && place.chosen_by_request {
            self.entries.remove(place);
        }
        self.drop_the_oldest();
        fetched
    }

    /// Drops chosen addresses that were fetched longest ago, where there are too many with keys.
    fn drop_the_oldest(&mut self) {
        let with_keys = self.entries.iter().filter_map(|(place, entry)| {
            let fetched = entry.fetched?;
            place.chosen_by_request.then_some((fetched, place))
        });
        if with_keys.clone().count() > MOST_CHOSEN {
            let oldest = with_keys.min_by_key(|(fetched, _)| *fetched);
            let oldest = oldest.map(|(_, place)| place.clone());
            oldest.map(|place| self.entries.remove(&place));
        }
    }

    /// Forgets all addresses but these and those that requests chose.
    pub(super) fn keep_only(&mut self, places: &HashSet<KeyPlace>) {
        self.entries.retain(|place, _| place.chosen_by_request || places.contains(place));
    }
}

impl Entry {
    /// What to do where the cached keys are not enough.
    fn ask(&self, here: Option<Arc<Published>>, now: Timestamp) -> Step {
        match self.in_flight() {
            Some(flight) => Step::Wait(flight),
            None if self.may_try(now) => Step::Fetch,
            // The issuer has just listed all its keys, and the wanted one is not among them.
            None if !self.failed => here.map_or(Step::NotNow, Step::Use),
            None => Step::NotNow,
        }
    }

    fn may_try(&self, now: Timestamp) -> bool {
        self.tried.is_none_or(|at| between(at, now) >= FLOOR)
    }

    /// The fetch under way; none where its task ended without a result.
    fn in_flight(&self) -> Option<Flight> {
        self.flight.clone().filter(|flight| flight.has_changed().is_ok())
    }
}

/// The host of an address, with its port.
pub(super) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::keys::KeySet;
    use crate::providers::KeyForm;

    const PEER: &str = "192.0.2.1";
    const ED25519: &str = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    fn place(name: &str, chosen_by_request: bool) -> KeyPlace {
        let url = format!("https://keys.example.com/{name}").into();
        KeyPlace { url, form: KeyForm::Jwks, chosen_by_request, ca_file: None, proxy: None }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
    }

    fn keys() -> Option<Arc<Published>> {
        let keys = KeySet::from_jwks(ED25519.as_bytes()).expect("a key set");
        Some(Arc::new(Published { url: "u".into(), keys }))
    }

    /// A fetch that began and ended at this time.
    fn fetch(cache: &mut Cache, place: &KeyPlace, found: Option<Arc<Published>>, now: Timestamp) {
        let (_sender, flight) = watch::channel(None);
        cache.begin(place, PEER, flight, now).expect("it may begin");
        cache.land(place, found, now);
    }

    #[test]
    fn a_key_that_is_here_is_used_however_old_it_is() {
        let (mut cache, place) = (Cache::default(), place("jwks", false));
        fetch(&mut cache, &place, keys(), at(0));
        fetch(&mut cache, &place, None, at(90_000));
        assert!(matches!(cache.step(&place, Some("a"), at(90_001)), Step::Use(_)));
        assert!(cache.is_due(&place, at(90_030)));
    }

    #[test]
    fn an_unknown_key_is_fetched_once_and_then_not_before_the_floor() {
        let (mut cache, place) = (Cache::default(), place("jwks", false));
        assert!(matches!(cache.step(&place, Some("b"), at(0)), Step::Fetch));
        fetch(&mut cache, &place, keys(), at(0));
        assert!(matches!(cache.step(&place, Some("b"), at(29)), Step::Use(_)));
        assert!(matches!(cache.step(&place, Some("b"), at(30)), Step::Fetch));
        fetch(&mut cache, &place, None, at(30));
        assert!(matches!(cache.step(&place, Some("b"), at(31)), Step::NotNow));
    }

    #[test]
    fn those_who_come_during_a_fetch_wait_for_it() {
        let (mut cache, place) = (Cache::default(), place("jwks", false));
        let (sender, flight) = watch::channel(None);
        cache.begin(&place, PEER, flight, at(0)).expect("it may begin");
        assert!(matches!(cache.step(&place, Some("b"), at(0)), Step::Wait(_)));
        drop(sender);
        assert!(matches!(cache.step(&place, Some("b"), at(30)), Step::Fetch));
    }

    #[test]
    fn addresses_that_requests_choose_are_few_and_those_of_one_peer_slow() {
        let mut cache = Cache::default();
        for number in 0..200 {
            fetch(&mut cache, &place(&format!("{number}"), true), keys(), at(number * 30));
        }
        assert_eq!(cache.entries.len(), MOST_CHOSEN);
        let mut begun = 0;
        for number in 0..100 {
            let (_sender, flight) = watch::channel(None);
            let place = place(&format!("another {number}"), true);
            begun += usize::from(cache.begin(&place, PEER, flight, at(6000)).is_some());
        }
        assert_eq!(begun, 4);
    }

    #[test]
    fn addresses_without_keys_displace_none_that_has_some() {
        let mut cache = Cache::default();
        let good = place("good", true);
        fetch(&mut cache, &good, keys(), at(0));
        let mut senders = Vec::new();
        for number in 0..200_u8 {
            let (sender, flight) = watch::channel(None);
            let peer = format!("192.0.2.{number}");
            let now = at(i64::from(number) + 1);
            cache.begin(&place(&format!("{number}"), true), &peer, flight, now).expect("begun");
            senders.push(sender);
        }
        assert!(matches!(cache.step(&good, None, at(300)), Step::Use(_)));
    }

    #[test]
    fn a_chosen_address_without_keys_is_forgotten() {
        let mut cache = Cache::default();
        fetch(&mut cache, &place("nothing", true), None, at(0));
        assert!(cache.entries.is_empty());
    }
}
