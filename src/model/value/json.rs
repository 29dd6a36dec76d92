//! Parses JSON bytes into a document, and so into a [`Value`], in one pass.
//!
//! The JSON library returns a number that is not a whole number of 64 bits only as the nearest `f64`. A
//! cursor over the same text finds its digits. Numbers come in the order of the text, so each search starts
//! where the last one ended.

use std::fmt;

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Value;
use super::document::{Document, Group, Node, Span};

/// The most values in a body. With more, the table could be many times larger than the body.
///
/// For each byte of a body such as `[[],[],…` the table takes five bytes, and eight more once the elements
/// are read. For `[{"a":1},…` it may take thirty.
const MAX_VALUES: usize = 2_000_000;

/// The bytes of a typical document for each value or name, to estimate the size of the table.
const BYTES_OF_A_NODE: usize = 14;

/// Why a body is not JSON that can be parsed, and where. It holds no part of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    /// What is wrong there.
    pub message: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The byte within the line, counted from 1.
    pub column: usize,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {}, column {})", self.message, self.line, self.column)
    }
}

impl std::error::Error for JsonFault {}

impl Value {
    /// Parses one JSON document. The value shares the bytes, and copies a part of them only when that part
    /// is read.
    ///
    /// # Errors
    /// Why the bytes are not exactly one JSON document, and where.
    pub fn read_json(bytes: &Bytes) -> Result<Self, JsonFault> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| fault_at(bytes, error.valid_up_to(), "the body is not valid UTF-8"))?;
        let json = text.strip_prefix('\u{feff}').unwrap_or(text);
        if json.trim_ascii().is_empty() {
            return Err(fault_at(bytes, 0, "the body is empty"));
        }
        let mut table = Table::new(text);
        let mut deserializer = serde_json::Deserializer::from_str(json);
        Entry(&mut table).deserialize(&mut deserializer).map_err(fault)?;
        deserializer.end().map_err(fault)?;
        let Table { unescaped, nodes, .. } = table;
        Ok(Document::new(bytes.clone(), unescaped, nodes).root())
    }

    /// Parses one JSON document like [`Self::read_json`], but copies the bytes first.
    ///
    /// # Errors
    /// Why the bytes are not exactly one JSON document, and where.
    pub fn parse_json(bytes: &[u8]) -> Result<Self, JsonFault> {
        Self::read_json(&Bytes::copy_from_slice(bytes))
    }
}

fn fault_at(bytes: &[u8], offset: usize, message: &str) -> JsonFault {
    let before = &bytes[..offset];
    let line_start =
        before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    JsonFault {
        message: message.to_owned(),
        line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
        column: 1 + offset - line_start,
    }
}

fn fault(error: serde_json::Error) -> JsonFault {
    let (line, column) = (error.line(), error.column());
    let whole = error.to_string();
    let message = whole.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&whole);
    JsonFault { message: in_plain_words(message, error.is_eof()), line, column }
}

fn in_plain_words(message: &str, ended_early: bool) -> String {
    match message {
        "recursion limit exceeded" => "it is nested more than 127 levels deep".to_owned(),
        "trailing characters" => "there is more text after the end of the JSON document".to_owned(),
        "number out of range" => "a number is too large".to_owned(),
        "expected value" => "a value was expected here".to_owned(),
        _ if ended_early => {
            format!("the body ends too early ({})", message.replace("EOF while parsing", "within"))
        }
        _ => message.to_owned(),
    }
}

/// The table of a document that is being parsed.
struct Table<'t> {
    text: &'t str,
    unescaped: String,
    nodes: Vec<Node>,
    values: usize,
    /// The offset up to which the text was searched for numbers.
    searched: usize,
}

impl<'t> Table<'t> {
    fn new(text: &'t str) -> Self {
        let nodes = Vec::with_capacity(text.len() / BYTES_OF_A_NODE + 4);
        Self { text, unescaped: String::new(), nodes, values: 0, searched: 0 }
    }

    fn push<E: Error>(&mut self, node: Option<Node>) -> Result<(), E> {
        let node = node.ok_or_else(|| E::custom("the body is too large"))?;
        self.nodes.push(node);
        Ok(())
    }

    /// The node of a text that is borrowed from the document, so has no escapes.
    fn as_written(&self, text: &str) -> Option<Node> {
        let start = text.as_ptr().addr().checked_sub(self.text.as_ptr().addr())?;
        Span::new(start, text.len()).map(Node::Text)
    }

    fn unescaped(&mut self, text: &str) -> Option<Node> {
        let start = self.unescaped.len();
        self.unescaped.push_str(text);
        Span::new(start, text.len()).map(Node::Unescaped)
    }

    /// Adds a node for a list or map, and returns its index. [`Self::close`] fills it in.
    fn open<E: Error>(&mut self, group: fn(Group) -> Node) -> Result<usize, E> {
        let at = self.nodes.len();
        self.push(Some(group(Group::default())))?;
        Ok(at)
    }

    fn close<E: Error>(
        &mut self,
        at: usize,
        count: usize,
        group: fn(Group) -> Node,
    ) -> Result<(), E> {
        let too_many = |_| E::custom("the body is too large");
        let end = u32::try_from(self.nodes.len()).map_err(too_many)?;
        let count = u32::try_from(count).map_err(too_many)?;
        self.nodes[at] = group(Group { count, end });
        Ok(())
    }

    /// The next number after the last search that is not a whole number of 64 bits.
    fn next_double(&mut self) -> Option<Node> {
        let bytes = self.text.as_bytes();
        let mut at = self.searched;
        while at < bytes.len() {
            match bytes[at] {
                b'"' => at = after_string(bytes, at),
                b'-' | b'0'..=b'9' => {
                    let start = at;
                    at = after_number(bytes, start);
                    if !is_whole(&self.text[start..at]) {
                        self.searched = at;
                        return Span::new(start, at - start).map(Node::Double);
                    }
                }
                _ => at += 1,
            }
        }
        self.searched = at;
        None
    }
}

fn after_string(bytes: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

fn after_number(bytes: &[u8], start: usize) -> usize {
    let length = bytes[start..]
        .iter()
        .position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
        .unwrap_or(bytes.len() - start);
    start + length
}

/// Whether the JSON library reads this number as a whole one of 64 bits. It reads `-0` as a decimal number.
fn is_whole(token: &str) -> bool {
    token != "-0" && (token.parse::<i64>().is_ok() || token.parse::<u64>().is_ok())
}

/// Writes a value into the table.
struct Entry<'a, 't>(&'a mut Table<'t>);

impl<'de> DeserializeSeed<'de> for Entry<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.values += 1;
        if self.0.values > MAX_VALUES {
            return Err(D::Error::custom(format_args!(
                "the body has more than {MAX_VALUES} values"
            )));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entry<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.push(Some(Node::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.0.push(Some(Node::Bool(value)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.0.push(Some(Node::Int(number)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.0.push(Some(i64::try_from(number).map_or(Node::UInt(number), Node::Int)))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        let node = self.0.next_double();
        self.0.push(node)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        let node = self.0.as_written(text);
        self.0.push(node)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let node = self.0.unescaped(text);
        self.0.push(node)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let table = self.0;
        let at = table.open(Node::List)?;
        let mut count = 0;
        while elements.next_element_seed(Entry(table))?.is_some() {
            count += 1;
        }
        table.close(at, count, Node::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let table = self.0;
        let at = table.open(Node::Map)?;
        let mut count = 0;
        while entries.next_key_seed(Name(table))?.is_some() {
            entries.next_value_seed(Entry(table))?;
            count += 1;
        }
        table.close(at, count, Node::Map)
    }
}

/// Writes a field's name into the table.
struct Name<'a, 't>(&'a mut Table<'t>);

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(Entry(self.0))
    }
}
