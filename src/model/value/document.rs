//! A JSON document that has been parsed: its bytes, and what stands where in them.
//!
//! Parsing makes one entry of a table for each value and each name, and copies nothing but texts
//! with escapes in them. A part of it becomes a [`Value`] when it is asked for.

use std::sync::Arc;

use bytes::Bytes;

use super::{Double, List, Object, Value};

/// A document that has been parsed.
pub(super) struct Document {
    bytes: Bytes,
    /// The texts that are written with escapes, one after another, without them.
    unescaped: String,
    /// In the order in which they are written; a group before what is in it, a name before its value.
    nodes: Vec<Node>,
}

/// Something that stands in a document.
#[derive(Clone, Copy)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    /// A number that is not a whole one of 64 bits; its digits are in the bytes.
    Double(Span),
    /// A text that is written as it is.
    Text(Span),
    /// A text that is not; it is among those without escapes.
    Unescaped(Span),
    List(Group),
    Map(Group),
}

/// A place in a text, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Span {
    start: u32,
    length: u32,
}

/// What a list or a map holds.
#[derive(Clone, Copy, Default)]
pub(super) struct Group {
    /// How many elements or fields.
    pub(super) count: u32,
    /// The first node after it.
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
    /// Where its name stands; its value is next to it.
    pub(super) name: u32,
    /// How many fields are written before it.
    pub(super) place: usize,
}

impl Span {
    /// None where the text is longer than a span can tell.
    pub(super) fn new(start: usize, length: usize) -> Option<Self> {
        Some(Self { start: start.try_into().ok()?, length: length.try_into().ok()? })
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

    /// The whole of it.
    pub(super) fn root(self: &Arc<Self>) -> Value {
        self.value_at(0)
    }

    fn node(&self, at: u32) -> Node {
        self.nodes.get(at as usize).copied().unwrap_or(Node::Null)
    }

    /// Where the next value begins.
    fn after(&self, at: u32) -> u32 {
        match self.node(at) {
            Node::List(group) | Node::Map(group) => group.end,
            _ => at + 1,
        }
    }

    /// The text that stands there, as bytes. They are in the same order as texts are, and looking at one
    /// costs no more than the shorter of the two that are compared.
    pub(super) fn bytes_at(&self, at: u32) -> &[u8] {
        match self.node(at) {
            Node::Text(span) | Node::Double(span) => &self.bytes[span.range()],
            Node::Unescaped(span) => &self.unescaped.as_bytes()[span.range()],
            _ => &[],
        }
    }

    /// The text that stands there. It is looked through each time.
    pub(super) fn text_at(&self, at: u32) -> &str {
        // All of it was valid before it was parsed, and a text ends where a character does.
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

    /// How many elements or fields are written in it.
    pub(super) fn count(&self) -> usize {
        self.group.count as usize
    }

    /// The elements, where it is a list.
    pub(super) fn elements(&self) -> impl Iterator<Item = Value> {
        let mut at = self.at + 1;
        (0..self.group.count).map(move |_| {
            let value = self.document.value_at(at);
            at = self.document.after(at);
            value
        })
    }

    /// The fields as they are written, where it is a map.
    pub(super) fn fields(&self) -> impl Iterator<Item = Field> {
        let mut at = self.at + 1;
        (0..self.count()).map(move |place| {
            let field = Field { name: at, place };
            at = self.document.after(at + 1);
            field
        })
    }

    /// Tells it from every other part of every document that is there.
    pub(super) fn place(&self) -> (usize, u32) {
        (Arc::as_ptr(&self.document).addr(), self.at)
    }

    /// The value of a field.
    pub(super) fn value_of(&self, field: Field) -> Value {
        self.document.value_at(field.name + 1)
    }

    /// How many elements the value of a field has, where it is a list.
    pub(super) fn count_of_list(&self, field: Field) -> Option<usize> {
        match self.document.node(field.name + 1) {
            Node::List(group) => Some(group.count as usize),
            _ => None,
        }
    }
}
