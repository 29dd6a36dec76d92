//! Finds the routes that may match an event without testing all others: by source, and by the
//! literal event kinds and repositories in their `on:`.

use std::collections::HashMap;
use std::sync::Arc;

use super::On;
use crate::event::Event;

/// What the index reads of a route.
pub trait Indexed {
    /// The blocks of its conditions.
    fn on(&self) -> &[On];
}

/// Routes by their conditions. A position is an index into the list of routes that it was built
/// from.
#[derive(Debug, Default)]
pub struct Index {
    sources: HashMap<Arc<str>, BySource>,
}

#[derive(Debug, Default)]
struct BySource {
    all: Vec<usize>,
    kinds: Keyed<Keyed<Vec<usize>>>,
}

/// Entries for literal texts, and entries for any text.
#[derive(Debug, Default)]
struct Keyed<T> {
    literal: HashMap<Box<str>, T>,
    any: T,
}

/// The routes of a source that may match an event, and the number of all its routes.
#[derive(Debug, Default)]
pub struct Candidates {
    /// Positions of the routes that may match, in ascending order.
    pub routes: Vec<usize>,
    /// The number of routes that listen to the source.
    pub of: usize,
}

impl Index {
    /// Builds the index of these routes.
    pub fn new<R: Indexed>(routes: &[Arc<R>]) -> Self {
        let mut index = Self::default();
        for (position, route) in routes.iter().enumerate() {
            for on in route.on() {
                for source in &on.sources {
                    let by_source = index.sources.entry(Arc::clone(source)).or_default();
                    if by_source.all.last() != Some(&position) {
                        by_source.all.push(position);
                    }
                    by_source.insert(position, on);
                }
            }
        }
        index
    }

    /// The routes of the event's source that event kind and repository do not rule out.
    pub fn candidates(&self, event: &Event) -> Candidates {
        let Some(by_source) = self.sources.get(&event.source) else {
            return Candidates::default();
        };
        let name = event.name.as_deref().filter(|name| *name != &*event.kind);
        let repository = event.git.as_ref().and_then(|git| git.repository.as_deref());
        let mut routes = Vec::new();
        let kinds = [Some(&*event.kind), name, event.other_kind()];
        for by_repository in by_source.kinds.under(kinds) {
            for found in by_repository.under([repository]) {
                routes.extend_from_slice(found);
            }
        }
        routes.sort_unstable();
        routes.dedup();
        Candidates { routes, of: by_source.all.len() }
    }

    /// Every route of a source.
    pub fn of_source(&self, source: &str) -> &[usize] {
        self.sources.get(source).map_or(&[], |by_source| &by_source.all)
    }
}

impl BySource {
    fn insert(&mut self, position: usize, on: &On) {
        let kinds = on.events.as_ref().and_then(|kinds| kinds.literals());
        let repositories = on.repository.as_ref().and_then(|names| names.literals());
        self.kinds.each(kinds.as_deref(), |by_repository| {
            by_repository.each(repositories.as_deref(), |found| found.push(position));
        });
    }
}

impl<T: Default> Keyed<T> {
    fn each(&mut self, literals: Option<&[&str]>, mut change: impl FnMut(&mut T)) {
        let Some(literals) = literals else { return change(&mut self.any) };
        for literal in literals {
            change(self.literal.entry((*literal).into()).or_default());
        }
    }

    fn under<'a, const N: usize>(
        &'a self,
        texts: [Option<&'a str>; N],
    ) -> impl Iterator<Item = &'a T> {
        std::iter::once(&self.any)
            .chain(texts.into_iter().flatten().filter_map(|text| self.literal.get(text)))
    }
}
