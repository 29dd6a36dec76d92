//! Anchors (`&name`), aliases (`*name`) and merge keys (`<<`): what they stand for is written out in the tree, so
//! that all later steps see a file without them. A part that was written out keeps the place of what it repeats.
//!
//! How much may be written out is bounded, before any of it is.

use std::collections::HashMap;
use std::ops::Range;

use super::read::{DEPTH, Reader};
use super::tree::{Id, Key, Kind, Node, Tree};

/// The key whose value is merged into its section (<https://yaml.org/type/merge.html>).
pub(super) const MERGE: &str = "<<";

/// The largest number of values that aliases and merge keys of a file may repeat, all together.
const REPEATED: usize = 100_000;

/// The values that have an anchor.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    known: HashMap<usize, Anchored>,
    /// The number of values that were repeated.
    repeated: usize,
    /// Whether it was reported that they are too many.
    reported: bool,
}

#[derive(Clone, Copy, Debug)]
struct Anchored {
    id: Id,
    /// The number of values in it, with itself.
    count: usize,
    /// The levels of nesting below it.
    height: usize,
}

impl Anchors {
    /// Remembers a value that is read completely, if it has an anchor.
    pub(super) fn remember(&mut self, anchor: usize, id: Id, tree: &Tree, height: usize) {
        if anchor > 0 {
            // The values within it were read after it, and nothing else was.
            let count = tree.nodes.len() - id.0;
            self.known.insert(anchor, Anchored { id, count, height });
        }
    }
}

impl Reader<'_> {
    /// Repeats the value of an anchor.
    pub(super) fn alias(&mut self, anchor: usize, range: Range<usize>) {
        if self.wants_key() {
            self.fault(range.clone(), "a key must be text", Some("write the key out".to_owned()));
            self.odd_key();
            return;
        }
        let Some(anchored) = self.usable(anchor, &range) else {
            let id = self.add(Kind::Null, range);
            self.tree.cut.insert(id);
            return;
        };
        let original = self.tree.node(anchored.id);
        let (kind, place) = (original.kind.without_children(), original.range.clone());
        let id = self.add(kind, place);
        self.is_as_high_as(anchored.height + 1);
        self.tree.repeat_children(anchored.id, id);
    }

    /// The value of an anchor, if it may be repeated here.
    fn usable(&mut self, anchor: usize, range: &Range<usize>) -> Option<Anchored> {
        let Some(anchored) = self.anchors.known.get(&anchor).copied() else {
            let message = "an alias cannot stand within the value that it repeats";
            self.fault(range.clone(), message, None);
            return None;
        };
        if self.open.len() + anchored.height >= DEPTH {
            self.too_deep(range.clone());
            return None;
        }
        self.may_repeat(anchored.count, range).then_some(anchored)
    }

    /// Whether so many more values may be repeated. If not, it is reported once.
    fn may_repeat(&mut self, count: usize, range: &Range<usize>) -> bool {
        self.anchors.repeated = self.anchors.repeated.saturating_add(count);
        let may = self.anchors.repeated <= REPEATED;
        if !may && !std::mem::replace(&mut self.anchors.reported, true) {
            let message = "aliases and merge keys repeat too many values";
            self.fault(range.clone(), message, None);
        }
        may
    }

    /// Notes how many levels there are below the innermost open list or map.
    pub(super) fn is_as_high_as(&mut self, height: usize) {
        if let Some(open) = self.open.last_mut() {
            open.height = open.height.max(height);
        }
    }

    /// Merges the sections of a merge key into the map that ends now. What is written in the map itself comes
    /// first, then what is in the earlier of several sections.
    pub(super) fn merge(&mut self) {
        let Some(map) = self.open.last().filter(|open| open.keys.is_some()).map(|open| open.id)
        else {
            return;
        };
        let (merges, mut kept): (Vec<Id>, Vec<Id>) = self
            .tree
            .children(map)
            .iter()
            .copied()
            .partition(|child| self.tree.key(*child) == Some(MERGE));
        if merges.is_empty() {
            return;
        }
        for merge in merges {
            let range = self.tree.key_range(merge);
            for section in self.sections(merge) {
                for entry in self.tree.children(section).to_vec() {
                    if self.tree.is_cut(entry) || !self.is_new(entry) {
                        continue;
                    }
                    let count = self.tree.count(entry);
                    if !self.may_repeat(count, &range) {
                        break;
                    }
                    kept.push(self.tree.repeat(entry, map));
                }
            }
        }
        self.tree.nodes[map.0].kind = Kind::Map(kept);
    }

    /// The sections that a merge key names. They count as read: only what is merged of them is.
    fn sections(&mut self, merge: Id) -> Vec<Id> {
        let named = match &self.tree.node(merge).kind {
            Kind::Map(_) => vec![merge],
            Kind::List(items) => items.clone(),
            Kind::Null | Kind::Scalar { .. } => Vec::new(),
        };
        let is_map = |id: &Id| matches!(self.tree.node(*id).kind, Kind::Map(_));
        let whole = !named.is_empty() && named.iter().all(is_map);
        if !whole && !self.tree.is_cut(merge) {
            let range = self.tree.key_range(merge);
            let hint = "write `<<: *name`, with the name of an anchor of a section".to_owned();
            self.fault(range, "a merge key takes a section, or a list of sections", Some(hint));
        }
        if whole { named } else { Vec::new() }
    }

    /// Whether the map that ends now has no entry of this key yet. From now on it has.
    fn is_new(&mut self, entry: Id) -> bool {
        let Some(Key { text, range }) = self.tree.node(entry).key.clone() else { return false };
        let Some(keys) = self.open.last_mut().and_then(|open| open.keys.as_mut()) else {
            return false;
        };
        if keys.contains_key(&text) {
            return false;
        }
        keys.insert(text, range);
        true
    }
}

impl Kind {
    fn without_children(&self) -> Self {
        match self {
            Self::Null => Self::Null,
            Self::Scalar { text, style } => Self::Scalar { text: text.clone(), style: *style },
            Self::List(_) => Self::List(Vec::new()),
            Self::Map(_) => Self::Map(Vec::new()),
        }
    }
}

impl Tree {
    /// Repeats a value with its key, as a child of another one. The list of children is not changed. Depth is
    /// bounded, as that of the file is.
    fn repeat(&mut self, from: Id, parent: Id) -> Id {
        let original = self.node(from);
        let node = Node {
            range: original.range.clone(),
            key: original.key.clone(),
            parent: Some(parent),
            kind: original.kind.without_children(),
        };
        let id = Id(self.nodes.len());
        self.nodes.push(node);
        if self.is_cut(from) {
            self.cut.insert(id);
        }
        self.repeat_children(from, id);
        id
    }

    fn repeat_children(&mut self, from: Id, to: Id) {
        let children = self.children(from).to_vec();
        let repeated: Vec<Id> = children.into_iter().map(|child| self.repeat(child, to)).collect();
        if let Kind::List(list) | Kind::Map(list) = &mut self.nodes[to.0].kind {
            *list = repeated;
        }
    }

    /// The number of values in a value, with itself.
    fn count(&self, id: Id) -> usize {
        1 + self.children(id).iter().map(|child| self.count(*child)).sum::<usize>()
    }

    /// Leaves out what stands on top under a key that begins with `x-`: a place for anchors, which no part of the
    /// configuration reads.
    pub(super) fn leave_out_extensions(&mut self) {
        let Some(root) = self.root else { return };
        let kept: Vec<Id> = self
            .children(root)
            .iter()
            .copied()
            .filter(|child| !self.key(*child).is_some_and(|key| key.starts_with("x-")))
            .collect();
        if let Kind::Map(children) = &mut self.nodes[root.0].kind {
            *children = kept;
        }
    }
}
