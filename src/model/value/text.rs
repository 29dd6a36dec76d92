//! A [`Value`] as text: the form that a variable gets, and a short form for debug output.

use std::fmt::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Object, Value};

/// The most bytes of debug output, so that no whole body gets into a log.
const DEBUG_BYTES: usize = 200;

impl Value {
    /// The text that a variable gets: text unchanged, numbers with the payload's digits, booleans as `true`
    /// and `false`, lists and maps as compact JSON with sorted names. `None` for null.
    pub fn to_text(&self) -> Option<String> {
        let mut text = String::new();
        self.write_text(&mut text).ok()?;
        (!self.is_null()).then_some(text)
    }

    /// Writes the text of [`Self::to_text`] piece by piece, and nothing for null.
    ///
    /// # Errors
    /// That of the writer, which may stop the output with it.
    pub fn write_text(&self, out: &mut dyn Write) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Text(text) => out.write_str(text),
            _ => self.write_json(out),
        }
    }

    /// Writes compact JSON with sorted names and the payload's digits.
    ///
    /// # Errors
    /// That of the writer.
    pub fn write_json(&self, out: &mut dyn Write) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Int(number) => write!(out, "{number}"),
            Self::UInt(number) => write!(out, "{number}"),
            Self::Double(double) => out.write_str(&double.text),
            Self::Text(text) => write_quoted(text, out),
            Self::List(values) => write_list(values, out),
            Self::Map(object) => write_map(object, out),
        }
    }
}

/// The shortest digits that parse to this number.
pub(super) fn digits(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && size.is_finite() && !(1e-5..1e21).contains(&size) {
        format!("{number:e}")
    } else {
        format!("{number}")
    }
}

fn write_list(values: &[Value], out: &mut dyn Write) -> fmt::Result {
    out.write_char('[')?;
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.write_char(',')?;
        }
        value.write_json(out)?;
    }
    out.write_char(']')
}

fn write_map(object: &Object, out: &mut dyn Write) -> fmt::Result {
    out.write_char('{')?;
    for (index, (name, value)) in object.entries().enumerate() {
        if index > 0 {
            out.write_char(',')?;
        }
        write_quoted(name, out)?;
        out.write_char(':')?;
        value.write_json(out)?;
    }
    out.write_char('}')
}

fn write_quoted(text: &str, out: &mut dyn Write) -> fmt::Result {
    out.write_char('"')?;
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.write_str(&text[plain_from..at])?;
        plain_from = at + 1;
        match byte {
            b'"' => out.write_str("\\\"")?,
            b'\\' => out.write_str("\\\\")?,
            b'\n' => out.write_str("\\n")?,
            b'\r' => out.write_str("\\r")?,
            b'\t' => out.write_str("\\t")?,
            control => write!(out, "\\u{control:04x}")?,
        }
    }
    out.write_str(&text[plain_from..])?;
    out.write_char('"')
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut start = Start { text: String::new() };
        let whole = self.write_json(&mut start).is_ok();
        f.write_str(&start.text)?;
        f.write_str(if whole { "" } else { "…" })
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Value::Map(self.clone()), f)
    }
}

/// A writer that keeps the first [`DEBUG_BYTES`] bytes and then fails.
struct Start {
    text: String,
}

impl Write for Start {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let room = DEBUG_BYTES.saturating_sub(self.text.len());
        if piece.len() <= room {
            self.text.push_str(piece);
            return Ok(());
        }
        let starts = piece.char_indices().map(|(at, _)| at);
        let end = starts.take_while(|at| *at <= room).last().unwrap_or(0);
        self.text.push_str(&piece[..end]);
        Err(fmt::Error)
    }
}

impl Serialize for Value {
    /// Numbers that are not whole numbers of 64 bits are written as the nearest `f64`, since serde has no
    /// other form for them. [`Value::to_text`] has their own digits.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::UInt(number) => serializer.serialize_u64(*number),
            // JSON's writers make null of what is infinite; its digits say more.
            Self::Double(double) if double.is_too_large() => serializer.serialize_str(&double.text),
            Self::Double(double) => serializer.serialize_f64(double.value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(values) => serializer.collect_seq(values.iter()),
            Self::Map(object) => {
                let mut map = serializer.serialize_map(Some(object.len()))?;
                for (name, value) in object.entries() {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}
