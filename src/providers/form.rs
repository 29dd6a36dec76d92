//! `application/x-www-form-urlencoded`: the fields of a body or a query string.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::authenticate::Refusal;
use crate::model::Value;
use crate::providers::DecodeFault;

/// A query string as a map of its fields. Senders do not sign it, so a field that cannot be decoded is
/// left out, and the request is not refused for it.
pub fn query_value(query: &str) -> Value {
    to_map(
        pieces(query.as_bytes()).filter_map(|(offset, piece)| field(piece, offset).ok()).collect(),
    )
}

/// A query string or form without the fields whose names are secret.
pub fn without_fields(text: &str, is_secret: impl Fn(&[u8]) -> bool) -> String {
    let stays = |piece: &&str| {
        let name = piece.split('=').next().unwrap_or_default();
        let name = unescape(name.as_bytes(), 0).unwrap_or_default();
        !is_secret(&name)
    };
    text.split('&').filter(stays).collect::<Vec<_>>().join("&")
}

/// The text of a field of the query string. None where it is absent; refused where it occurs twice.
pub(super) fn query_field(query: &str, name: &str) -> Result<Option<String>, Refusal> {
    let fields = pieces(query.as_bytes()).filter_map(|(offset, piece)| field(piece, offset).ok());
    let mut texts = fields.filter(|(key, _)| key == name).map(|(_, text)| text);
    match (texts.next(), texts.next()) {
        (text, None) => Ok(text),
        _ => Err(Refusal::RepeatedField(name.to_owned().into())),
    }
}

/// Escapes a text for a query string or form.
pub(super) fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                text.push(char::from(*byte));
            }
            _ => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

/// Unescapes a piece of a path, in which `+` is not a space. None where it is not valid.
pub(super) fn unescape_path(text: &str) -> Option<String> {
    let plus = text.replace('+', "%2B");
    String::from_utf8(unescape(plus.as_bytes(), 0).ok()?).ok()
}

/// True where the request says that its body is a form.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The fields of a form, in order.
pub(super) fn fields(body: &[u8]) -> Result<Vec<(String, String)>, DecodeFault> {
    pieces(body).map(|(offset, piece)| field(piece, offset)).collect()
}

/// Fields as a map: a text each, or a list of texts for a name that occurs several times.
pub(super) fn to_map(fields: Vec<(String, String)>) -> Value {
    let mut fields_of: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (name, value) in fields {
        fields_of.entry(name).or_default().push(Value::text(value));
    }
    Value::map(fields_of.into_iter().map(|(name, values)| (name, one_or_list(values))).collect())
}

/// Unescapes a text. `offset` is the text's position in the body, in bytes, for the fault.
pub(super) fn unescape(text: &[u8], offset: usize) -> Result<Vec<u8>, DecodeFault> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let (byte, length) = match byte {
            b'+' => (b' ', 1),
            b'%' => (escaped(text.get(at + 1..at + 3), offset + at)?, 3),
            plain => (plain, 1),
        };
        bytes.push(byte);
        at += length;
    }
    Ok(bytes)
}

fn escaped(digits: Option<&[u8]>, offset: usize) -> Result<u8, DecodeFault> {
    let mut byte = [0];
    digits
        .and_then(|digits| hex::decode_to_slice(digits, &mut byte).ok())
        .map(|()| byte[0])
        .ok_or(DecodeFault::Form { what: "a `%` without two hex digits", offset })
}

fn pieces(body: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut offset = 0;
    body.split(|byte| *byte == b'&')
        .map(move |piece| {
            let start = offset;
            offset += piece.len() + 1;
            (start, piece)
        })
        .filter(|(_, piece)| !piece.is_empty())
}

fn field(piece: &[u8], offset: usize) -> Result<(String, String), DecodeFault> {
    let equals = piece.iter().position(|byte| *byte == b'=');
    let name = &piece[..equals.unwrap_or(piece.len())];
    let value = equals.map_or(&[][..], |equals| &piece[equals + 1..]);
    let value_offset = offset + equals.map_or(0, |equals| equals + 1);
    Ok((text(name, offset)?, text(value, value_offset)?))
}

fn text(escaped: &[u8], offset: usize) -> Result<String, DecodeFault> {
    String::from_utf8(unescape(escaped, offset)?)
        .map_err(|_| DecodeFault::Form { what: "a text that is not UTF-8", offset })
}

fn one_or_list(mut values: Vec<Value>) -> Value {
    match values.pop() {
        Some(only) if values.is_empty() => only,
        last => {
            values.extend(last);
            Value::list(values)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_unescaped_and_repeats_become_a_list() {
        let map = to_map(fields(b"a=1+2&b=%C3%A4&a=%26&c&&d==").expect("a good form"));
        let a = map.get("a").and_then(Value::as_list).expect("a list");
        assert_eq!(a, [Value::text("1 2"), Value::text("&")]);
        assert_eq!(map.get("b").and_then(Value::as_str), Some("\u{e4}"));
        assert_eq!(map.get("c").and_then(Value::as_str), Some(""));
        assert_eq!(map.get("d").and_then(Value::as_str), Some("="));
    }

    #[test]
    fn a_fault_names_its_position() {
        for (body, message) in [
            (&b"a=b&c=%4"[..], "the form in the body has a `%` without two hex digits at byte 6"),
            (b"a=b&c=%zz", "the form in the body has a `%` without two hex digits at byte 6"),
            (b"a=%ff", "the form in the body has a text that is not UTF-8 at byte 2"),
        ] {
            assert_eq!(fields(body).expect_err("a bad form").to_string(), message);
        }
    }

    #[test]
    fn what_cannot_be_read_of_a_query_is_left_out() {
        let query = query_value("a=1&b=%ff&c=%4");
        assert_eq!(query.entries().len(), 1);
    }
}
