//! Reads text into a tree, and reports every fault of form: what is not YAML, and the features of
//! YAML that configurations do not use. Aliases and merge keys are written out ([`super::anchors`]).

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};

use super::anchors::Anchors;
use super::hide::hide_secrets;
use super::syntax::{TAB, plain_words};
use super::tree::{Id, Key, Kind, Node, Tree};
use crate::config::report::{Fault, Source};

/// The largest depth of nesting.
pub(super) const DEPTH: usize = 64;
/// The largest number of faults of form that are reported for a file.
const ENOUGH: usize = 100;

/// Stands for a key that is no text. No key of a file has this text: it has a character that YAML refuses.
const ODD: &str = "\0";

/// Reads a file, and marks the parts of it that may be secrets. The tree is `None` only if the file
/// is not YAML; its faults then quote the file only if its text `resembles` a configuration.
pub(in crate::config) fn read(source: &mut Source, resembles: bool) -> (Option<Tree>, Vec<Fault>) {
    let mut reader = Reader {
        source,
        tree: Tree::default(),
        open: Vec::new(),
        found: Vec::new(),
        anchors: Anchors::default(),
    };
    let whole = reader.run();
    reader.tree.leave_out_extensions();
    let Reader { tree, found, .. } = reader;
    let tree = whole.then_some(tree);
    // The secrets must be marked, and the names known, before the first excerpt is made.
    hide_secrets(source, tree.as_ref());
    match &tree {
        Some(tree) => source.know(tree.declared()),
        None if resembles => source.lacks_structure(),
        None => source.never_quote(),
    }
    let faults = found
        .into_iter()
        .map(|found| Fault::at(source, found.range, found.message, found.hint))
        .collect();
    (tree, faults)
}

struct Found {
    range: Range<usize>,
    message: String,
    hint: Option<String>,
}

pub(super) struct Reader<'a> {
    source: &'a Source,
    pub(super) tree: Tree,
    pub(super) open: Vec<Open>,
    found: Vec<Found>,
    pub(super) anchors: Anchors,
}

/// A list or map that is not closed yet.
pub(super) struct Open {
    pub(super) id: Id,
    /// The number of its anchor, or 0.
    pub(super) anchor: usize,
    /// The levels of nesting below it.
    pub(super) height: usize,
    /// The key whose value comes next. Always `None` for a list.
    key: Option<Key>,
    /// Where each key was first seen. `None` for a list.
    pub(super) keys: Option<HashMap<String, Range<usize>>>,
    /// Whether a key is being read that is itself a list or a map. Its parts are skipped.
    odd: bool,
}

impl Reader<'_> {
    fn run(&mut self) -> bool {
        let mut parser = Parser::new_from_str(self.source.text());
        let mut documents = 0;
        while let Some(next) = parser.next_event() {
            let (event, span) = match next {
                Ok(next) => next,
                Err(error) => {
                    self.syntax(error.info(), error.marker());
                    return false;
                }
            };
            if self.found.len() > ENOUGH {
                return false;
            }
            let range = self.range(&span);
            match event {
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        let hint = "remove everything from the second `---` on".to_owned();
                        self.fault(range, "a file may hold one document only", Some(hint));
                        return false;
                    }
                }
                event => {
                    if !self.take(event, range) {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Adds one event of the parser to the tree. `false` if reading must stop.
    fn take(&mut self, event: Event<'_>, range: Range<usize>) -> bool {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tagged = tag.is_some();
                self.form(tagged, &range);
                let added = self.scalar(text.into_owned(), style, anchor, range);
                // What is left of the text without its tag is not what was meant.
                self.tree.cut.extend(added.filter(|_| tagged));
            }
            Event::Alias(anchor) => self.alias(anchor, range),
            Event::SequenceStart(anchor, tag) => {
                self.form(tag.is_some(), &range);
                return self.begin(Kind::List(Vec::new()), None, anchor, range);
            }
            Event::MappingStart(anchor, tag) => {
                self.form(tag.is_some(), &range);
                return self.begin(Kind::Map(Vec::new()), Some(HashMap::new()), anchor, range);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        true
    }

    fn scalar(
        &mut self,
        text: String,
        style: ScalarStyle,
        anchor: usize,
        range: Range<usize>,
    ) -> Option<Id> {
        if self.wants_key() {
            if anchor > 0 || text == ODD {
                self.fault(range.clone(), "a key must be text, without an anchor", None);
            }
            self.key(text, range);
            return None;
        }
        let null =
            style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
        let kind = if null { Kind::Null } else { Kind::Scalar { text, style } };
        let id = self.add(kind, range);
        self.anchors.remember(anchor, id, &self.tree, 0);
        Some(id)
    }

    pub(super) fn wants_key(&self) -> bool {
        self.open.last().is_some_and(|open| open.keys.is_some() && open.key.is_none())
    }

    fn key(&mut self, text: String, range: Range<usize>) {
        if let Some(open) = self.open.last_mut() {
            open.key = Some(Key { text, range });
        }
    }

    pub(super) fn odd_key(&mut self) {
        if let Some(open) = self.open.last_mut() {
            let range = self.tree.nodes[open.id.0].range.clone();
            open.key = Some(Key { text: ODD.to_owned(), range });
        }
    }

    fn begin(
        &mut self,
        kind: Kind,
        keys: Option<HashMap<String, Range<usize>>>,
        anchor: usize,
        range: Range<usize>,
    ) -> bool {
        if self.open.len() >= DEPTH {
            self.too_deep(range);
            return false;
        }
        let odd = self.wants_key();
        if odd {
            if !self.open.iter().any(|open| open.odd) {
                let hint = "text that begins with `{` or `[` goes in quotes; a hole is `${{ … }}`";
                self.fault(range.clone(), "a key must be text", Some(hint.to_owned()));
            }
            self.odd_key();
        }
        let id = self.add(kind, range);
        self.open.push(Open { id, anchor, height: 0, key: None, keys, odd });
        true
    }

    pub(super) fn too_deep(&mut self, range: Range<usize>) {
        self.fault(range, &format!("more than {DEPTH} levels of nesting"), None);
    }

    fn end(&mut self) {
        self.merge();
        let Some(closed) = self.open.pop() else { return };
        self.anchors.remember(closed.anchor, closed.id, &self.tree, closed.height);
        self.is_as_high_as(closed.height + 1);
        if closed.odd {
            self.tree.cut.insert(closed.id);
            self.odd_key();
        }
    }

    /// Adds a value to the innermost open list or map.
    pub(super) fn add(&mut self, kind: Kind, range: Range<usize>) -> Id {
        let id = Id(self.tree.nodes.len());
        let mut node = Node { range, key: None, parent: None, kind };
        let mut twice = None;
        match self.open.last_mut() {
            None => self.tree.root = Some(id),
            Some(open) => {
                node.parent = Some(open.id);
                node.key = open.key.take();
                if let (Some(keys), Some(key)) = (&mut open.keys, &node.key) {
                    if key.text == ODD {
                        self.tree.cut.insert(id);
                    } else if let Some(first) = keys.get(&key.text) {
                        twice = Some((key.clone(), first.clone()));
                        self.tree.cut.insert(id);
                    } else {
                        keys.insert(key.text.clone(), key.range.clone());
                    }
                }
                if let Kind::List(children) | Kind::Map(children) =
                    &mut self.tree.nodes[open.id.0].kind
                {
                    children.push(id);
                }
            }
        }
        self.tree.nodes.push(node);
        if let Some((key, first)) = twice {
            let line = self.source.place(&first).line;
            let message = format!("`{}` is there twice; the first is on line {line}", key.text);
            self.fault(key.range, &message, Some("remove one of them".to_owned()));
        }
        id
    }

    fn form(&mut self, tagged: bool, range: &Range<usize>) {
        if tagged {
            let hint =
                "remove the word that starts with `!`, or put the pattern in quotes".to_owned();
            self.fault(range.clone(), "tags are not supported", Some(hint));
        }
    }

    fn syntax(&mut self, complaint: &str, marker: &Marker) {
        let mut start = self.at(marker);
        if complaint.contains(TAB) && self.source.text()[..start].ends_with('\t') {
            start -= 1;
        }
        let rest = &self.source.text()[start..];
        let end = start + rest.chars().next().map_or(0, char::len_utf8);
        let place = self.source.place(&(start..end));
        let line_start = self.source.offset(place.line - 1, 0);
        let line = self.source.text()[line_start..].lines().next().unwrap_or_default();
        let (message, hint) = plain_words(complaint, line);
        self.fault(start..end, &message, hint);
    }

    fn range(&self, span: &Span) -> Range<usize> {
        let start = self.at(&span.start);
        let end = self.at(&span.end).max(start);
        let shown = self.source.text()[start..end].trim_end().len();
        start..start + shown
    }

    fn at(&self, marker: &Marker) -> usize {
        self.source.offset(marker.line().saturating_sub(1), marker.col())
    }

    pub(super) fn fault(&mut self, range: Range<usize>, message: &str, hint: Option<String>) {
        self.found.push(Found { range, message: message.to_owned(), hint });
    }
}
