//! A file as a tree in which every node knows its place in the file.

use std::collections::HashSet;
use std::ops::Range;

use saphyr_parser::ScalarStyle;

/// Identifies a node of one tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::config) struct Id(pub(super) usize);

/// Sections whose keys are names that people choose.
pub(super) const SECTIONS: [&str; 4] = ["workbenches", "jobs", "sources", "routes"];

/// A whole file.
#[derive(Debug, Default)]
pub(in crate::config) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) root: Option<Id>,
    /// Nodes that a fault has been reported for. They are read as if they were absent.
    pub(super) cut: HashSet<Id>,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) range: Range<usize>,
    pub(super) key: Option<Key>,
    pub(super) parent: Option<Id>,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) range: Range<usize>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Null,
    Scalar { text: String, style: ScalarStyle },
    List(Vec<Id>),
    Map(Vec<Id>),
}

impl Tree {
    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0]
    }

    pub(super) fn children(&self, id: Id) -> &[Id] {
        match &self.node(id).kind {
            Kind::List(children) | Kind::Map(children) => children,
            Kind::Null | Kind::Scalar { .. } => &[],
        }
    }

    pub(super) fn is_cut(&self, id: Id) -> bool {
        self.cut.contains(&id)
    }

    pub(in crate::config) fn root(&self) -> Option<Id> {
        self.root
    }

    /// The entry of a map under this key, even if it was cut.
    pub(in crate::config) fn entry(&self, map: Id, key: &str) -> Option<Id> {
        self.children(map).iter().copied().find(|child| self.key(*child) == Some(key))
    }

    /// The keys of a map, including those of entries that were cut.
    pub(in crate::config) fn keys(&self, map: Id) -> impl Iterator<Item = &str> {
        self.children(map).iter().filter_map(|child| self.key(*child))
    }

    /// The names that people gave to things here: to workbenches, jobs, sources, routes and keys, and to
    /// the variables of a route.
    pub(in crate::config) fn declared(&self) -> impl Iterator<Item = &str> {
        let sections = self.root.into_iter().flat_map(|root| self.children(root)).copied();
        let named = |id: &Id| self.key(*id).is_some_and(|key| SECTIONS.contains(&key));
        let sections: Vec<Id> = sections.filter(named).collect();
        let below = sections.iter().flat_map(|section| self.children(*section)).copied();
        let inner = (0..self.nodes.len()).map(Id).filter(|id| {
            matches!(self.key(*id), Some("api_keys" | "admin_tokens" | "env"))
                && matches!(self.node(*id).kind, Kind::Map(_))
        });
        let inner: Vec<Id> = inner.flat_map(|map| self.children(map)).copied().collect();
        below.collect::<Vec<_>>().into_iter().chain(inner).filter_map(|id| self.key(id))
    }

    /// The list or map that a node stands in.
    pub(in crate::config) fn parent(&self, id: Id) -> Option<Id> {
        self.node(id).parent
    }

    /// The text of a node that is a scalar.
    pub(in crate::config) fn text(&self, id: Id) -> Option<&str> {
        match &self.node(id).kind {
            Kind::Scalar { text, .. } if !self.is_cut(id) => Some(text),
            _ => None,
        }
    }

    /// The items of a list, or the values of a map, without those that were cut.
    pub(in crate::config) fn items(&self, id: Id) -> Vec<Id> {
        self.children(id).iter().copied().filter(|child| !self.is_cut(*child)).collect()
    }

    /// The texts of a scalar, or of the scalars in a list, each with its node.
    pub(in crate::config) fn texts(&self, id: Id) -> Vec<(Id, &str)> {
        let items = if self.is_list(id) { self.items(id) } else { vec![id] };
        items.into_iter().filter_map(|item| Some((item, self.text(item)?))).collect()
    }

    /// The key of a node.
    pub(in crate::config) fn key(&self, id: Id) -> Option<&str> {
        self.node(id).key.as_ref().map(|key| key.text.as_str())
    }

    /// The key of a node, or of the list that it is an item of.
    pub(in crate::config) fn name(&self, id: Id) -> Option<&str> {
        self.key(id).or_else(|| self.key(self.node(id).parent?))
    }

    /// The place of the node's key, or of the node itself if it has no key.
    pub(in crate::config) fn key_range(&self, id: Id) -> Range<usize> {
        self.node(id).key.as_ref().map_or_else(|| self.range(id), |key| key.range.clone())
    }

    /// What to underline for a node: the scalar itself, or the key of a list or map.
    pub(in crate::config) fn spot(&self, id: Id) -> Range<usize> {
        match self.node(id).kind {
            Kind::Scalar { .. } => self.range(id),
            _ => self.key_range(id),
        }
    }

    pub(in crate::config) fn range(&self, id: Id) -> Range<usize> {
        self.node(id).range.clone()
    }

    /// Whether a node is empty: no value, an empty list, an empty map or an empty text.
    pub(in crate::config) fn is_empty(&self, id: Id) -> bool {
        match &self.node(id).kind {
            Kind::Null => true,
            Kind::Scalar { text, .. } => text.trim().is_empty(),
            Kind::List(children) | Kind::Map(children) => children.is_empty(),
        }
    }

    /// Whether a fault was found in the node or below it.
    pub(in crate::config) fn is_damaged(&self, id: Id) -> bool {
        self.is_cut(id) || self.children(id).iter().any(|child| self.is_damaged(*child))
    }

    pub(in crate::config) fn is_list(&self, id: Id) -> bool {
        matches!(self.node(id).kind, Kind::List(_))
    }

    pub(super) fn style(&self, id: Id) -> Option<ScalarStyle> {
        match self.node(id).kind {
            Kind::Scalar { style, .. } => Some(style),
            _ => None,
        }
    }
}
