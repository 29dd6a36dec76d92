//! A source's own secrets within its authentic requests: they are taken out before anything sees the request,
//! so that neither expressions nor the store have them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::steps::Arrived;
use crate::authenticate::{SecretFinder, same};
use crate::config::{SecretFault, SourcePlan, SourceSecrets};
use crate::model::Secret;
use crate::providers::{HiddenHeaders, visible_query};

/// The finders of all sources. One is made anew when a secret of its source has changed.
#[derive(Debug, Default)]
pub struct Finders(Mutex<HashMap<Arc<str>, Known>>);

#[derive(Debug)]
struct Known {
    secrets: Vec<Secret>,
    finder: Arc<SecretFinder>,
}

impl Finders {
    /// The finder of the secrets, and then the access tokens, of this source.
    pub(super) fn of(
        &self,
        source: &SourcePlan,
        secrets: Result<&SourceSecrets, &SecretFault>,
    ) -> Arc<SecretFinder> {
        let held = secrets.map(SourceSecrets::held).unwrap_or_default();
        let all = || held.secrets.iter().chain(held.access_tokens);
        let mut finders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = finders.get(&source.name)
            && known.secrets.len() == all().count()
            && known.secrets.iter().zip(all()).all(|(known, secret)| {
                // A secret of the environment is read anew each time.
                known.is_clone_of(secret) || same(known.expose(), secret.expose())
            })
        {
            return Arc::clone(&known.finder);
        }
        let finder = Arc::new(match source.provider.has_public_secrets() {
            true => SecretFinder::new(held.access_tokens),
            false => SecretFinder::new(all()),
        });
        let known = Known { secrets: all().cloned().collect(), finder: Arc::clone(&finder) };
        finders.insert(Arc::clone(&source.name), known);
        finder
    }
}

/// A request without the secrets that it had.
#[derive(Debug)]
pub(super) struct Cleaned {
    pub(super) headers: HeaderMap,
    pub(super) query: String,
    pub(super) body: Bytes,
    /// The indexes of the secrets that it had, among those that could be read; access tokens are counted after
    /// secrets.
    pub(super) secrets: BTreeSet<usize>,
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
    /// The request without the source's secrets; none where it has none but in those headers and fields that
    /// are never kept.
    pub(super) fn cleaned(&self, finder: &SecretFinder) -> Option<Cleaned> {
        let provider = self.source.provider;
        let (mut outside, mut inside) = (BTreeSet::new(), BTreeSet::new());
        let body = finder.without(&self.body, &mut inside);
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
            body: body.map_or_else(|| self.body.clone(), Bytes::from),
            secrets: outside.union(&inside).copied().collect(),
            is_leak,
        })
    }
}
