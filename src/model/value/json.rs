//! Bytes of JSON become a [`Value`] in one pass.
//!
//! The JSON library gives a number that is not a 64-bit whole one only as the nearest binary
//! number. A cursor over the same text finds the digits again: numbers are met in the order in
//! which they are written, so each search goes on where the last one ended.

use std::cell::Cell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Double, Object, Value};

/// Past this many values the tree would be many times larger than the body it came from: a body
/// of `[[],[],…` costs ten bytes of memory for each of its own.
const MAX_VALUES: usize = 2_000_000;

/// Why a body is not JSON that can be read, and where. It holds nothing of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    /// What is wrong there.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The byte within the line, from 1.
    pub column: usize,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {}, column {})", self.message, self.line, self.column)
    }
}

impl std::error::Error for JsonFault {}

impl Value {
    /// Reads one JSON document, and nothing after it.
    pub fn parse_json(bytes: &[u8]) -> Result<Self, JsonFault> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| fault_at(bytes, error.valid_up_to(), "the body is not valid UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim_ascii().is_empty() {
            return Err(fault_at(bytes, 0, "the body is empty"));
        }
        let scan = Scan::new(text);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let value = Tree(Some(&scan)).deserialize(&mut deserializer).map_err(fault)?;
        deserializer.end().map_err(fault)?;
        Ok(value)
    }
}

impl<'de> Deserialize<'de> for Value {
    /// From any self-describing format; numbers that are not whole get the shortest digits.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Tree(None).deserialize(deserializer)
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

/// What is known of the text while it is parsed.
struct Scan<'a> {
    text: &'a str,
    cursor: Cell<usize>,
    values: Cell<usize>,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, cursor: Cell::new(0), values: Cell::new(0) }
    }

    /// False once there are too many values.
    fn count(&self) -> bool {
        self.values.set(self.values.get() + 1);
        self.values.get() <= MAX_VALUES
    }

    /// The next number, from where the last search ended, that is not a 64-bit whole one.
    fn next_double(&self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        let mut at = self.cursor.get();
        while at < bytes.len() {
            match bytes[at] {
                b'"' => at = after_string(bytes, at),
                b'-' | b'0'..=b'9' => {
                    let end = after_number(bytes, at);
                    let token = &self.text[at..end];
                    at = end;
                    if !is_whole(token) {
                        self.cursor.set(at);
                        return Some(token);
                    }
                }
                _ => at += 1,
            }
        }
        self.cursor.set(at);
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

/// The same question that the JSON library asks; to it, minus zero is not a whole number.
fn is_whole(token: &str) -> bool {
    token != "-0" && (token.parse::<i64>().is_ok() || token.parse::<u64>().is_ok())
}

/// Builds a value, with the text at hand where there is one.
#[derive(Clone, Copy)]
struct Tree<'a>(Option<&'a Scan<'a>>);

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.0.is_some_and(|scan| !scan.count()) {
            return Err(D::Error::custom(format_args!(
                "the body has more than {MAX_VALUES} values"
            )));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        let Some(text) = self.0.and_then(Scan::next_double) else {
            return Ok(Value::double(number));
        };
        Ok(Value::Double(std::sync::Arc::new(Double {
            value: text.parse().unwrap_or(number),
            text: text.into(),
        })))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = elements.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::list(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = entries.next_key::<Box<str>>()? {
            if fields.is_empty() {
                fields.reserve(16);
            }
            fields.push((name, entries.next_value_seed(self)?));
        }
        Ok(Value::Map(Object::new(fields)))
    }
}
