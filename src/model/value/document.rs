//! A parsed JSON document: its bytes, and a table of where each value and name is in them.
//!
//! Parsing makes one table entry (a node) for each value and each name. It copies only texts with escapes. A
//! part becomes a [`Value`] when it is first read.

use std::sync::Arc;

use bytes::Bytes;

use super::{Double, List, Object, Value};

/// A parsed document.
pub(super) struct Document {
    bytes: Bytes,
    /// The texts that are written with escapes, decoded and joined.
    unescaped: String,
    /// In the order of the bytes: a list or map before its content, a name before its value.
    nodes: Vec<Node>,
}

/// A value or a name in a document.
#[derive(Clone, Copy)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    /// A number that is not a whole number of 64 bits; the span of its digits in the bytes.
    Double(Span),
    /// A text without escapes; its span in the bytes.
    Text(Span),
    /// A text with escapes; the span of its decoded form in `unescaped`.
    Unescaped(Span),
    List(Group),
    Map(Group),
}

/// A range of bytes in a text.
#[derive(Clone, Copy)]
pub(super) struct Span {
    start: u32,
    length: u32,
}

/// The content of a list or a map.
#[derive(Clone, Copy, Default)]
pub(super) struct Group {
    /// The number of elements or fields.
    pub(super) count: u32,
    /// The index of the first node after its content.
    pub(super) end: u32,
}

/// A list or a map of a document.
#[derive(Clone)]
pub(super) struct Part {
    document: Arc<Document>,
    at: u32,
    group: Group,
}

/// A field of a map of a document.
#[derive(Clone, Copy)]
pub(super) struct Field {
    /// The index of its name's node; its value's node comes next.
    pub(super) name: u32,
    /// How many fields of the map come before it.
    pub(super) place: usize,
}

impl Span {
    /// A range of a text of less than 4 GiB, which its readers have made sure of.
    pub(super) fn new(start: usize, length: usize) -> Self {
        let bits = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self { start: bits(start), length: bits(length) }
    }

    fn range(self) -> std::ops::Range<usize> {
        let start = self.start as usize;
        start..start + self.length as usize
    }
}

impl Document {
    pub(super) fn new(bytes: Bytes, unescaped: String, nodes: Vec<Node>) -> Arc<Self> {
        Arc::new(Self { bytes, unescaped, nodes })
    }

    /// The document as one value.
    pub(super) fn root(self: &Arc<Self>) -> Value {
        self.value_at(0)
    }

    fn node(&self, at: u32) -> Node {
        self.nodes.get(at as usize).copied().unwrap_or(Node::Null)
    }

    /// The index of the node after this one and its content.
    fn after(&self, at: u32) -> u32 {
        match self.node(at) {
            Node::List(group) | Node::Map(group) => group.end,
            _ => at + 1,
        }
    }

    /// The text of a node, as bytes; empty for nodes without a text. Bytes sort as texts do, and comparing
    /// them needs no check of the encoding.
    pub(super) fn bytes_at(&self, at: u32) -> &[u8] {
        match self.node(at) {
            Node::Text(span) | Node::Double(span) => &self.bytes[span.range()],
            Node::Unescaped(span) => &self.unescaped.as_bytes()[span.range()],
            _ => &[],
        }
    }

    /// Whether the text of a node is this one. Most names of a map differ in their length or their first byte,
    /// which costs less to find out than a comparison of the whole.
    pub(super) fn is_text(&self, at: u32, text: &[u8]) -> bool {
        let own = self.bytes_at(at);
        own.len() == text.len() && own.first() == text.first() && own == text
    }

    /// The text of a node. Its encoding is checked on each call, which reads the whole text.
    pub(super) fn text_at(&self, at: u32) -> &str {
        // The check cannot fail: the document was valid UTF-8, and a text ends between two characters.
        str::from_utf8(self.bytes_at(at)).unwrap_or_default()
    }

    fn value_at(self: &Arc<Self>, at: u32) -> Value {
        let part = |group| Part { document: Arc::clone(self), at, group };
        match self.node(at) {
            Node::Null => Value::Null,
            Node::Bool(value) => Value::Bool(value),
            Node::Int(number) => Value::Int(number),
            Node::UInt(number) => Value::UInt(number),
            Node::Double(_) => {
                let text = self.text_at(at);
                let value = text.parse().unwrap_or(f64::NAN);
                Value::Double(Arc::new(Double { value, text: text.into() }))
            }
            Node::Text(_) | Node::Unescaped(_) => Value::text(self.text_at(at)),
            Node::List(Group { count: 0, .. }) => Value::List(List::empty()),
            Node::List(group) => Value::List(List::read(part(group))),
            Node::Map(Group { count: 0, .. }) => Value::Map(Object::empty()),
            Node::Map(group) => Value::Map(Object::read(part(group))),
        }
    }
}

impl Part {
    pub(super) fn document(&self) -> &Document {
        &self.document
    }

    /// How many elements or fields it has; fields of one name count each.
    pub(super) fn count(&self) -> usize {
        self.group.count as usize
    }

    /// The elements, if it is a list.
    pub(super) fn elements(&self) -> impl Iterator<Item = Value> {
        let mut at = self.at + 1;
        (0..self.group.count).map(move |_| {
            let value = self.document.value_at(at);
            at = self.document.after(at);
            value
        })
    }

    /// The fields in the order of the bytes, if it is a map.
    pub(super) fn fields(&self) -> impl Iterator<Item = Field> {
        let mut at = self.at + 1;
        (0..self.count()).map(move |place| {
            let field = Field { name: at, place };
            at = self.document.after(at + 1);
            field
        })
    }

    /// An identity that differs from that of every other part of every document in memory.
    pub(super) fn place(&self) -> (usize, u32) {
        (Arc::as_ptr(&self.document).addr(), self.at)
    }

    /// The value of a field.
    pub(super) fn value_of(&self, field: Field) -> Value {
        self.document.value_at(field.name + 1)
    }

    /// How many elements the value of a field has; none where it is not a list.
    pub(super) fn count_of_list(&self, field: Field) -> Option<usize> {
        match self.document.node(field.name + 1) {
            Node::List(group) => Some(group.count as usize),
            _ => None,
        }
    }
}
