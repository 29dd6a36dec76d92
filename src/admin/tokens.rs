//! What is known of the tokens of the API, in memory: how often each was used and when last, and when its value changed
//! or could no longer be read. A person needs this to see a rotation through. A token is named by its name, never by its
//! value.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::authenticate::same;
use crate::clock::{Clock, later};
use crate::config::Live;
use crate::model::{Role, Secret};
use crate::observe::{Observation, Observer};

/// How often the values of all tokens are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// The uses and changes of each token since the gateway started.
#[derive(Debug, Default)]
pub struct TokenTraces(Mutex<BTreeMap<Arc<str>, Trace>>);

/// What is known of one token.
#[derive(Clone, Debug, Default)]
struct Trace {
    seen: Seen,
    shown: TokenTrace,
}

/// The value of a token, as it was last looked at.
#[derive(Clone, Debug, Default)]
enum Seen {
    #[default]
    Never,
    Value(Secret),
    /// It could not be read. The value before is there, where one was read.
    Unreadable(Option<Secret>),
}

/// What people are shown of one token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenTrace {
    /// Requests that came with it.
    pub uses: u64,
    /// When the last of them came.
    pub last: Option<Timestamp>,
    /// When its value was found to have changed; none where it has not since the start.
    pub changed: Option<Timestamp>,
}

/// What a look at a token found that was not so before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenChange {
    /// It has another value.
    Changed,
    /// It cannot be read any more, or at the first look.
    Unreadable,
    /// It can be read again, and is the same.
    Readable,
}

impl TokenTraces {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Trace>> {
        // A panic elsewhere leaves the map whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request came with this token.
    pub(super) fn used(&self, name: &Arc<str>, now: Timestamp) {
        let mut all = self.all();
        let shown = &mut all.entry(Arc::clone(name)).or_default().shown;
        shown.uses += 1;
        shown.last = Some(now);
    }

    /// What is known of this token.
    pub fn of(&self, name: &str) -> TokenTrace {
        self.all().get(name).map(|trace| trace.shown).unwrap_or_default()
    }

    /// A look at a token found this value, or none.
    pub(super) fn looked(
        &self,
        name: &Arc<str>,
        found: Option<Secret>,
        now: Timestamp,
    ) -> Option<TokenChange> {
        let mut all = self.all();
        let trace = all.entry(Arc::clone(name)).or_default();
        let (seen, change) = follow(std::mem::take(&mut trace.seen), found);
        trace.seen = seen;
        if change == Some(TokenChange::Changed) {
            trace.shown.changed = Some(now);
        }
        change
    }

    /// Forgets what the configuration has no longer.
    fn keep(&self, is_there: impl Fn(&str) -> bool) {
        self.all().retain(|name, _| is_there(name));
    }
}

/// What a look makes of what was seen before, and what is new.
fn follow(before: Seen, found: Option<Secret>) -> (Seen, Option<TokenChange>) {
    let is_same = |one: &Secret, other: &Secret| same(one.expose(), other.expose());
    let (value, was_unreadable) = match before {
        Seen::Never => (None, false),
        Seen::Value(value) => (Some(value), false),
        Seen::Unreadable(value) => (value, true),
    };
    match (found, value) {
        (None, value) => {
            (Seen::Unreadable(value), (!was_unreadable).then_some(TokenChange::Unreadable))
        }
        (Some(found), Some(value)) if !is_same(&found, &value) => {
            (Seen::Value(found), Some(TokenChange::Changed))
        }
        (Some(found), _) => (Seen::Value(found), was_unreadable.then_some(TokenChange::Readable)),
    }
}

/// Looks at all tokens again and again until `stop` is cancelled, and tells what is new of each.
pub async fn watch(
    role: Role,
    live: Arc<Live>,
    traces: Arc<TokenTraces>,
    clock: Arc<dyn Clock>,
    observer: Arc<Observer>,
    stop: CancellationToken,
) {
    loop {
        let plan = live.plan();
        let tokens = plan.server.tokens(role);
        traces.keep(|name| tokens.contains_key(name));
        for (name, reference) in tokens {
            let found = live.secrets().resolve(reference).await;
            let why = found.as_ref().err().map(ToString::to_string).unwrap_or_default();
            let change = traces.looked(name, found.ok(), clock.now());
            let token = &**name;
            match change {
                Some(TokenChange::Changed) => observer.tell(Observation::TokenChanged { token }),
                Some(TokenChange::Unreadable) => {
                    observer.tell(Observation::TokenUnreadable { token, reason: &why });
                }
                Some(TokenChange::Readable) => observer.tell(Observation::TokenReadable { token }),
                None => {}
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.wait_until(later(clock.now(), LOOK)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_once_also_where_the_file_was_away_in_between() {
        let traces = TokenTraces::default();
        let name: Arc<str> = "ops".into();
        let now = |second| Timestamp::from_second(second).expect("a time");
        let look =
            |value: Option<&str>, second| traces.looked(&name, value.map(Secret::new), now(second));
        for (second, (value, change)) in (1..).zip([
            (Some("one"), None),
            (Some("one"), None),
            (Some("two"), Some(TokenChange::Changed)),
            (Some("two"), None),
            (None, Some(TokenChange::Unreadable)),
            (None, None),
            (Some("two"), Some(TokenChange::Readable)),
            (None, Some(TokenChange::Unreadable)),
            (Some("three"), Some(TokenChange::Changed)),
            (Some("three"), None),
        ]) {
            assert_eq!(look(value, second), change, "{second}");
        }
        assert_eq!(traces.of("ops").changed, Some(now(9)));
        assert_eq!(traces.of("other"), TokenTrace::default());
        traces.used(&name, now(20));
        traces.used(&name, now(21));
        let shown = traces.of("ops");
        assert_eq!((shown.uses, shown.last), (2, Some(now(21))));
        traces.keep(|_| false);
        assert_eq!(traces.of("ops"), TokenTrace::default());
    }

    #[test]
    fn a_token_that_cannot_be_read_at_the_first_look_is_told() {
        let traces = TokenTraces::default();
        let name: Arc<str> = "ops".into();
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(traces.looked(&name, None, now), Some(TokenChange::Unreadable));
        assert_eq!(
            traces.looked(&name, Some(Secret::new("one")), now),
            Some(TokenChange::Readable)
        );
    }
}
