//! Secrets within authentic requests: those of the request's own source, and all others that this process has
//! resolved (of other sources, API keys, admin tokens). They are taken out before anything sees the request, so
//! that neither expressions nor the store have them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::steps::Arrived;
use crate::authenticate::{SecretFinder, same};
use crate::config::{Live, SecretFault, SecretRef, SourcePlan, SourceSecrets};
use crate::content;
use crate::model::Secret;
use crate::providers::{HiddenHeaders, Provider, visible_query};

/// The finders of all sources. One is made anew when a secret of its source has changed, and the part that all
/// have in common when any secret has.
#[derive(Debug, Default)]
pub struct Finders {
    by_source: Mutex<HashMap<Arc<str>, Known>>,
    all: Mutex<Arc<All>>,
}

#[derive(Debug)]
struct Known {
    secrets: Vec<Secret>,
    finder: Arc<Finder>,
}

/// Finds every secret that this process has resolved.
#[derive(Debug, Default)]
struct All {
    /// [`SecretResolver::changes`](crate::config::SecretResolver::changes) when it was made.
    changes: u64,
    finder: SecretFinder,
    /// Where the secrets come from.
    places: Vec<SecretRef>,
}

/// Finds secrets in the requests of one source.
#[derive(Debug, Default)]
pub(super) struct Finder {
    own: SecretFinder,
    /// How many secrets `own` was made of. The indexes of others come after them.
    of_source: usize,
    all: Arc<All>,
}

impl Finder {
    /// The text without the secrets; none where it has none. Adds the indexes of those that it has to `found`.
    pub(super) fn without(&self, text: &[u8], found: &mut BTreeSet<usize>) -> Option<Vec<u8>> {
        if self.own.tells_of_none(text) {
            return None;
        }
        let own = self.own.without(text, found);
        let mut of_others = BTreeSet::new();
        let clean = self.all.finder.without(own.as_deref().unwrap_or(text), &mut of_others);
        found.extend(of_others.into_iter().map(|index| self.of_source + index));
        clean.or(own)
    }

    /// The places of those secrets that are not the source's own.
    fn of_others(&self, found: &BTreeSet<usize>) -> Vec<SecretRef> {
        let foreign = found.iter().filter_map(|index| index.checked_sub(self.of_source));
        foreign.filter_map(|index| self.all.places.get(index).cloned()).collect()
    }
}

impl Finders {
    /// The finder that was last used for this source; one that finds nothing where there was none.
    pub(super) fn known(&self, source: &str) -> Arc<Finder> {
        let finders = self.by_source.lock().unwrap_or_else(PoisonError::into_inner);
        finders.get(source).map(|known| Arc::clone(&known.finder)).unwrap_or_default()
    }

    /// The finder of the secrets, and then the access tokens, of this source, and of all others.
    pub(super) fn of(
        &self,
        live: &Live,
        source: &SourcePlan,
        secrets: Result<&SourceSecrets, &SecretFault>,
    ) -> Arc<Finder> {
        let held = secrets.map(SourceSecrets::held).unwrap_or_default();
        let own = || held.secrets.iter().chain(held.access_tokens);
        let mut finders = self.by_source.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = finders.get(&source.name)
            && known.finder.all.changes == live.secrets().changes()
            && known.secrets.len() == own().count()
            && known.secrets.iter().zip(own()).all(|(known, secret)| {
                // A secret of the environment is read anew each time.
                known.is_clone_of(secret) || same(known.expose(), secret.expose())
            })
        {
            return Arc::clone(&known.finder);
        }
        let all = self.all(live);
        let finder = Arc::new(match source.provider.has_public_secrets() {
            true => Finder {
                own: SecretFinder::beside(&all.finder, held.access_tokens),
                of_source: held.access_tokens.len(),
                all,
            },
            false => Finder {
                own: SecretFinder::beside(&all.finder, own()),
                of_source: own().count(),
                all,
            },
        });
        let known = Known { secrets: own().cloned().collect(), finder: Arc::clone(&finder) };
        finders.insert(Arc::clone(&source.name), known);
        finder
    }

    fn all(&self, live: &Live) -> Arc<All> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        // Asked for before the secrets are: one that changes meanwhile is seen the next time.
        let changes = live.secrets().changes();
        if all.changes != changes {
            let (places, secrets) = secrets_of_all(live);
            let finder = SecretFinder::of_others(&secrets);
            *all = Arc::new(All { changes, finder, places });
        }
        Arc::clone(&all)
    }
}

/// The secrets that this process has resolved, with where they come from. A key with which a source verifies a
/// signature that was made with another one is no secret.
fn secrets_of_all(live: &Live) -> (Vec<SecretRef>, Vec<Secret>) {
    let plan = live.plan();
    let is_public = |reference: &SecretRef| {
        let public = plan.sources.values().filter(|other| other.provider.has_public_secrets());
        public.flat_map(|other| &other.secrets).any(|other| other == reference)
    };
    let seen = live.secrets().seen().into_iter();
    seen.filter(|(reference, _)| !is_public(reference)).unzip()
}

/// A request without the secrets that it had.
#[derive(Debug)]
pub(super) struct Cleaned {
    pub(super) headers: HeaderMap,
    pub(super) query: String,
    /// The plain body; none where it had no secret.
    pub(super) body: Option<Bytes>,
    /// The indexes of the secrets that it had, among those that could be read; access tokens are counted after
    /// secrets.
    pub(super) secrets: BTreeSet<usize>,
    /// Where those secrets come from that are not the source's own.
    pub(super) of_others: Vec<SecretRef>,
    /// Whether the sender had them where it puts none on purpose.
    pub(super) is_leak: bool,
}

impl Cleaned {
    /// Turns the indexes of the secrets into their places in the source's list, which differ where a secret
    /// could not be read.
    pub(super) fn place_secrets(&mut self, source: &SourcePlan, read: &SourceSecrets) {
        let tokens = read.token_places().iter().map(|place| source.secrets.len() + place);
        let places: Vec<usize> = match source.provider.has_public_secrets() {
            true => tokens.collect(),
            false => read.places().iter().copied().chain(tokens).collect(),
        };
        let placed = self.secrets.iter().filter_map(|index| places.get(*index).copied());
        self.secrets = placed.collect();
    }
}

impl Arrived {
    /// The request without the source's secrets, with this plain body; none where it has none but in those
    /// headers and fields that are never kept.
    pub(super) fn cleaned(&self, body: &[u8]) -> Option<Cleaned> {
        let (provider, finder) = (self.source.provider, &*self.finder);
        let (mut outside, mut inside) = (BTreeSet::new(), BTreeSet::new());
        let body = finder.without(body, &mut inside);
        let hidden = HiddenHeaders::of(provider, &self.source.options);
        let mut changed = Vec::new();
        for (name, value) in &self.head.headers {
            if !hidden.contains(name)
                && let Some(clean) = finder.without(value.as_bytes(), &mut outside)
            {
                changed.push((value, HeaderValue::from_bytes(&clean).ok()));
            }
        }
        let query = self.head.uri.query().unwrap_or_default();
        let visible = visible_query(provider, &self.source.options, query);
        let query = finder.without(visible.as_bytes(), &mut outside);
        if body.is_none() && changed.is_empty() && query.is_none() {
            return None;
        }
        let is_leak = !outside.is_empty() || !provider.tells_secret_in_body();
        let mut headers = HeaderMap::with_capacity(self.head.headers.len());
        for (name, value) in &self.head.headers {
            match changed.iter().find(|(old, _)| std::ptr::eq(*old, value)) {
                None => _ = headers.append(name, value.clone()),
                Some((_, Some(clean))) => _ = headers.append(name, clean.clone()),
                Some((_, None)) => {}
            }
        }
        Some(Cleaned {
            headers,
            query: query.map_or(visible, |query| String::from_utf8_lossy(&query).into_owned()),
            body: body.map(Bytes::from),
            secrets: outside.union(&inside).copied().collect(),
            of_others: finder.of_others(&outside.union(&inside).copied().collect()),
            is_leak,
        })
    }
}

/// What is kept of an authentic request.
pub(super) struct Kept {
    /// The body as it was sent or, where that had a secret, the plain body without it.
    pub(super) body: Bytes,
    /// Whether the body is the plain one of a request that has encodings.
    pub(super) is_plain: bool,
    /// Where the request had secrets: the rest of it, without them.
    pub(super) cleaned: Option<Box<Cleaned>>,
}

impl Kept {
    /// The body is kept as it was signed, so that it can be verified again. What has a secret is not.
    pub(super) fn of(
        sent: &Bytes,
        plain: Option<Bytes>,
        mut cleaned: Option<Cleaned>,
        provider: &dyn Provider,
    ) -> Self {
        let clean = cleaned.as_mut().and_then(|cleaned| cleaned.body.take());
        let read = clean.as_ref().or(plain.as_ref()).unwrap_or(sent);
        let without = provider.body_to_keep(read).map(Bytes::from).or(clean);
        Self {
            is_plain: plain.is_some() && without.is_some(),
            body: without.unwrap_or_else(|| sent.clone()),
            cleaned: cleaned.map(Box::new),
        }
    }

    /// Whether a header of the request goes with the body that is kept.
    pub(super) fn has_header(&self, name: &http::HeaderName) -> bool {
        !(self.is_plain && content::is_of_sent_bytes(name))
    }
}
