//! Reads CloudEvents from a request: <https://github.com/cloudevents/spec>, version 1.0.2 of the specification, its
//! JSON format and its HTTP binding. Whatever the mode, an event becomes a map of its attributes and its data.

use std::borrow::Cow;
use std::collections::HashSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName};

use crate::authenticate::hmac::base64;
use crate::model::Value;
use crate::providers::decode::{self, DecodeFault};

/// The only version of the specification that is read.
const VERSION: &str = "1.0";
/// Attributes that every event has.
const REQUIRED: [&str; 4] = ["specversion", "id", "source", "type"];
/// Further attributes of the specification that are texts and, where they are there, not empty.
const TEXTS: [&str; 4] = ["datacontenttype", "dataschema", "subject", "time"];
/// What the name of a header with an attribute begins with.
const PREFIX: &str = "ce-";

/// How events are laid out in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// One event: the attributes in headers, the data as the body.
    Binary,
    /// One event in JSON.
    Structured,
    /// A list of events in JSON.
    Batch,
}

/// The mode that the content type names. It is binary unless the content type is one of CloudEvents.
pub(super) fn mode(headers: &HeaderMap) -> Result<Mode, DecodeFault> {
    let media_type = media_type(content_type(headers)?.unwrap_or_default()).to_ascii_lowercase();
    let (mode, format) =
        if let Some(format) = media_type.strip_prefix("application/cloudevents-batch") {
            (Mode::Batch, format)
        } else if let Some(format) = media_type.strip_prefix("application/cloudevents") {
            (Mode::Structured, format)
        } else {
            return Ok(Mode::Binary);
        };
    match format {
        "+json" | "" => Ok(mode),
        _ => Err(DecodeFault::Format(media_type)),
    }
}

/// The event of a request, or the list of events of a batch.
pub(super) fn events(headers: &HeaderMap, body: &Bytes) -> Result<Value, DecodeFault> {
    match mode(headers)? {
        Mode::Binary => binary(headers, body),
        Mode::Structured => structured(&decode::json(body)?),
        Mode::Batch => batch(&decode::json(body)?),
    }
}

/// Whether the value looks like an event, or like a batch that has one.
pub(super) fn holds_events(value: &Value) -> bool {
    let is_event = |value: &Value| {
        REQUIRED.iter().all(|name| value.get(name).is_some_and(|value| value.as_str().is_some()))
    };
    match value {
        Value::List(events) => events.iter().any(is_event),
        event => is_event(event),
    }
}

/// A text as the value of a header (section 3.1.3.2 of the HTTP binding).
pub(super) fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'!' | b'#'..=b'$' | b'&'..=b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn structured(event: &Value) -> Result<Value, DecodeFault> {
    check(event)?;
    let named = |name: &str| event.get(name).filter(|value| !value.is_null());
    let decoded = match (named("data"), named("data_base64").and_then(Value::as_str)) {
        (None, Some(text)) => {
            let bytes = base64(text).ok_or_else(|| fault("`data_base64` is not base64"))?;
            let is_json = named("datacontenttype").and_then(Value::as_str).is_none_or(is_json);
            from_bytes(&bytes.into(), is_json)
        }
        _ => None,
    };
    let Some(data) = decoded else { return Ok(event.clone()) };
    let others = event.entries().filter(|(name, _)| *name != "data");
    let others = others.map(|(name, value)| (name, value.clone()));
    Ok(Value::map(others.chain([("data", data)]).collect()))
}

/// Data that was written in base64, where it is text: parsed if it should be JSON and is.
fn from_bytes(bytes: &Bytes, is_json: bool) -> Option<Value> {
    let parsed = is_json.then(|| Value::read_json(bytes).ok()).flatten();
    parsed.or_else(|| str::from_utf8(bytes).ok().map(Value::text))
}

/// An event that is in the list twice is one event: source and id identify it.
fn batch(list: &Value) -> Result<Value, DecodeFault> {
    let events = list.as_list().ok_or_else(|| fault("a batch is a list"))?;
    let events: Vec<Value> = events.iter().map(structured).collect::<Result<_, _>>()?;
    let (mut seen, mut all) = (HashSet::new(), Vec::with_capacity(events.len()));
    for event in events {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = event.write_json(&mut text);
        if seen.insert(text) {
            all.push(event);
        }
    }
    Ok(Value::list(all))
}

fn binary(headers: &HeaderMap, body: &Bytes) -> Result<Value, DecodeFault> {
    let mut fields: Vec<(&str, Value)> = Vec::new();
    for name in headers.keys() {
        let Some(attribute) = name.as_str().strip_prefix(PREFIX) else { continue };
        // The content type says it, and nothing else may.
        if attribute != "datacontenttype" {
            fields.push((attribute, Value::text(one(headers, name)?)));
        }
    }
    for name in REQUIRED {
        if fields.iter().all(|(given, _)| *given != name) {
            let hint = "or a content type of CloudEvents";
            return Err(DecodeFault::Missing(format!("header `{PREFIX}{name}`, {hint},")));
        }
    }
    let content_type = content_type(headers)?;
    if let Some(text) = content_type {
        fields.push(("datacontenttype", Value::text(text)));
    }
    if !body.is_empty() {
        fields.push(data(content_type, body)?);
    }
    let event = Value::map(fields);
    check(&event)?;
    Ok(event)
}

/// The data of an event in binary mode: parsed where it is JSON, text where it is text, else base64.
fn data(content_type: Option<&str>, body: &Bytes) -> Result<(&'static str, Value), DecodeFault> {
    if content_type.is_some_and(is_json) {
        return decode::json(body).map(|data| ("data", data));
    }
    let text = from_bytes(body, content_type.is_none());
    Ok(text.map_or_else(
        || ("data_base64", Value::text(BASE64_STANDARD.encode(body))),
        |text| ("data", text),
    ))
}

/// The text of the one header of this name.
fn one(headers: &HeaderMap, name: &HeaderName) -> Result<String, DecodeFault> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(fault(format!("header `{name}` is there twice")));
    };
    let text = str::from_utf8(value.as_bytes()).ok().and_then(decoded);
    text.ok_or_else(|| fault(format!("header `{name}` cannot be decoded")))
}

/// A header's value without quotes, and then without percent-encoding. None where a quote is not closed, or the
/// bytes are not UTF-8.
fn decoded(value: &str) -> Option<String> {
    let value = unquoted(value)?;
    let bytes = value.as_bytes();
    let (mut text, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let mut escaped = [0];
        let digits = bytes.get(at + 1..at + 3).filter(|_| byte == b'%');
        if digits.is_some_and(|digits| hex::decode_to_slice(digits, &mut escaped).is_ok()) {
            text.push(escaped[0]);
            at += 3;
        } else {
            text.push(byte);
            at += 1;
        }
    }
    String::from_utf8(text).ok()
}

/// The value with double-quoted strings (RFC 7230, section 3.2.6) taken out of their quotes.
fn unquoted(value: &str) -> Option<Cow<'_, str>> {
    if !value.contains('"') {
        return Some(Cow::Borrowed(value));
    }
    let (mut text, mut is_quoted, mut chars) = (String::new(), false, value.chars());
    while let Some(char) = chars.next() {
        match char {
            '"' => is_quoted = !is_quoted,
            '\\' if is_quoted => text.push(chars.next()?),
            other => text.push(other),
        }
    }
    (!is_quoted).then_some(Cow::Owned(text))
}

/// Checks what the specification demands of an event.
fn check(event: &Value) -> Result<(), DecodeFault> {
    if !matches!(event, Value::Map(_)) {
        return Err(fault("an event is an object"));
    }
    let given = |name: &str| event.get(name).filter(|value| !value.is_null());
    for name in REQUIRED {
        given(name).ok_or_else(|| fault(format!("it has no `{name}`")))?;
    }
    for name in REQUIRED.iter().chain(&TEXTS) {
        let Some(value) = given(name) else { continue };
        let text = value.as_str().ok_or_else(|| fault(format!("`{name}` is not text")))?;
        if text.is_empty() {
            return Err(fault(format!("`{name}` is empty")));
        }
    }
    let text = |name| given(name).and_then(Value::as_str);
    if text("specversion") != Some(VERSION) {
        return Err(fault(format!("its `specversion` is not {VERSION}")));
    }
    if text("time").is_some_and(|time| !is_time(time)) {
        return Err(fault("`time` is not a time of RFC 3339"));
    }
    if text("datacontenttype").is_some_and(|kind| !media_type(kind).contains('/')) {
        return Err(fault("`datacontenttype` is not a media type"));
    }
    if given("data").is_some() && given("data_base64").is_some() {
        return Err(fault("it has both `data` and `data_base64`"));
    }
    if given("data_base64").is_some_and(|value| value.as_str().is_none()) {
        return Err(fault("`data_base64` is not text"));
    }
    event.entries().try_for_each(|(name, value)| match name {
        "data" | "data_base64" => Ok(()),
        _ => check_attribute(name, value),
    })
}

/// An attribute has a name of lower-case letters and digits, and is a text, a whole number or a boolean.
fn check_attribute(name: &str, value: &Value) -> Result<(), DecodeFault> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if name.is_empty() || !name.bytes().all(plain) {
        return Err(fault(format!(
            "{name:?} is no name of an attribute: lower-case letters and digits"
        )));
    }
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Text(_) => Ok(()),
        _ => Err(fault(format!("attribute `{name}` is no text, whole number or boolean"))),
    }
}

/// Whether the text is a time as RFC 3339 writes it: to the second at least, with an offset.
fn is_time(text: &str) -> bool {
    let (front, offset) = match text.strip_suffix(['Z', 'z']) {
        Some(front) => (front, None),
        None => match text.len().checked_sub(6).and_then(|at| text.split_at_checked(at)) {
            Some((front, offset)) => (front, Some(offset)),
            None => return false,
        },
    };
    let Some((moment, fraction)) = front.split_at_checked(19) else { return false };
    let is_fraction = fraction.is_empty()
        || fraction.strip_prefix('.').is_some_and(|digits| {
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        });
    let is_moment = fits(moment, b"dddd-dd-ddTdd:dd:dd")
        && moment.to_ascii_uppercase().parse::<jiff::civil::DateTime>().is_ok();
    let is_offset = offset.is_none_or(|offset| {
        (fits(offset, b"+dd:dd") || fits(offset, b"-dd:dd"))
            && &offset[1..3] < "24"
            && &offset[4..] < "60"
    });
    is_moment && is_fraction && is_offset
}

/// Whether the text has this shape, in which `d` is a digit.
fn fits(text: &str, shape: &[u8]) -> bool {
    let fit = |(byte, shape): (u8, &u8)| match shape {
        b'd' => byte.is_ascii_digit(),
        other => byte.eq_ignore_ascii_case(other),
    };
    text.len() == shape.len() && text.bytes().zip(shape).all(fit)
}

fn content_type(headers: &HeaderMap) -> Result<Option<&str>, DecodeFault> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(fault("header `content-type` is there twice"));
    }
    Ok(first.and_then(|value| value.to_str().ok()))
}

/// The media type without its parameters.
fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Whether data of this content type is JSON.
fn is_json(content_type: &str) -> bool {
    let media_type = media_type(content_type).to_ascii_lowercase();
    let subtype = media_type.split_once('/').map(|(_, subtype)| subtype).unwrap_or_default();
    subtype == "json" || subtype.ends_with("+json")
}

fn fault(what: impl Into<String>) -> DecodeFault {
    DecodeFault::NotCloudEvent(what.into())
}
