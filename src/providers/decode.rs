//! Parses a body's bytes into a tree, or reports where they cannot be parsed.
//!
//! Content types are not signed. So where a body could be read in two ways, its bytes decide and not the
//! header. Otherwise someone who can put text into a payload (such as a commit message) could send the
//! request again with another content type, and have it read as the fields of a form.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};

use crate::content;
use crate::model::{ChatCommand, JsonFault, Value};
use crate::providers::{BodyForm, form};

/// A parsed body.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The payload.
    pub body: Value,
    /// The chat command that it holds, if any.
    pub command: Option<ChatCommand>,
}

impl From<Value> for Decoded {
    fn from(body: Value) -> Self {
        Self { body, command: None }
    }
}

/// Why an authentic request cannot be parsed.
#[derive(Debug)]
pub enum DecodeFault {
    /// The body is not valid JSON.
    Json {
        /// What is wrong, and where.
        fault: JsonFault,
        /// The form field that holds the JSON, where it is not the whole body.
        field: Option<&'static str>,
    },
    /// The body is not a valid form.
    Form {
        /// What is wrong.
        what: &'static str,
        /// How many bytes come before it.
        offset: usize,
    },
    /// The body is not a text in UTF-8.
    Text {
        /// How many bytes come before the first that is not.
        offset: usize,
    },
    /// The body is said to be lines of JSON, which a source reads only where it says so.
    Lines,
    /// Something is missing that the sender always sends, such as "header `x-event`".
    Missing(String),
    /// The header that names the event says another one than the body shows. Such headers are not signed.
    Contradicts {
        /// The header.
        header: HeaderName,
        /// The event whose body it is.
        event: &'static str,
    },
    /// What should be a CloudEvent is none.
    NotCloudEvent(String),
    /// The content type names a format that is not read.
    Format(String),
    /// The body holds more events than one delivery may.
    TooMany {
        /// How many it may hold.
        most: usize,
    },
}

impl fmt::Display for DecodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json { fault, field } => {
                let JsonFault { message, line, column, .. } = fault;
                write!(f, "the body is not JSON: {message} at line {line}, column {column}")?;
                field.map_or(Ok(()), |field| write!(f, " of form field `{field}`"))
            }
            Self::Form { what, offset } => {
                write!(f, "the form in the body has {what} at byte {offset}")
            }
            Self::Text { offset } => {
                write!(f, "the body is not a text in UTF-8, at byte {offset}")
            }
            Self::Lines => f.write_str(
                "the body is lines of JSON, which a source reads that says `body: lines`",
            ),
            Self::Missing(what) => write!(f, "{what} is missing"),
            Self::Contradicts { header, event } => {
                write!(
                    f,
                    "header `{header}` names another event than the body shows, which is `{event}`"
                )
            }
            Self::NotCloudEvent(what) => write!(f, "this is not a CloudEvent: {what}"),
            Self::Format(name) => {
                write!(f, "the format `{name}` is not read; let the sender use JSON")
            }
            Self::TooMany { most } => write!(
                f,
                "the body tells of more than {most} events; let the sender put fewer into one delivery"
            ),
        }
    }
}

impl std::error::Error for DecodeFault {}

/// A body that is always JSON.
pub(super) fn json(body: &Bytes) -> Result<Value, DecodeFault> {
    Value::read_json(body).map_err(|fault| DecodeFault::Json { fault, field: None })
}

/// A body that is JSON, or a form whose only field `payload` holds the JSON.
pub(super) fn json_or_payload(body: &Bytes) -> Result<Value, DecodeFault> {
    match payload(body)? {
        None => json(body),
        Some(payload) => Value::read_json(&payload.into())
            .map_err(|fault| DecodeFault::Json { fault, field: Some("payload") }),
    }
}

/// The decoded field `payload`, where the body is a form with that field. A second field is a fault. No
/// JSON text begins like such a form, so the first bytes decide.
pub(super) fn payload(body: &[u8]) -> Result<Option<Vec<u8>>, DecodeFault> {
    const NAME: &[u8] = b"payload=";
    let Some(value) = body.strip_prefix(NAME) else {
        return Ok(None);
    };
    if let Some(end) = value.iter().position(|byte| *byte == b'&') {
        return Err(DecodeFault::Form { what: "a second field", offset: NAME.len() + end });
    }
    form::unescape(value, NAME.len()).map(Some)
}

/// A body that is JSON, or else a plain text.
pub(super) fn json_or_text(body: &Bytes) -> Result<Value, DecodeFault> {
    match body.trim_ascii_start().first() {
        Some(b'{' | b'[') => json(body),
        _ => Ok(Value::text(String::from_utf8_lossy(body).into_owned())),
    }
}

/// Most lines of a body of lines of JSON.
const MOST_LINES: usize = 100_000;

/// A body of an unknown sender, in the form that the source says.
///
/// Where it says none, the bytes come first: what is JSON is read as JSON. Only what is neither that nor a form
/// is read as the text that its content type says it is.
pub(super) fn in_form(
    headers: &HeaderMap,
    body: &Bytes,
    form: BodyForm,
) -> Result<Value, DecodeFault> {
    match form {
        BodyForm::Text => text(body),
        BodyForm::Lines => lines(body),
        BodyForm::Any => json_or_form(headers, body).or_else(|fault| {
            match (&fault, content::bare_type(headers)) {
                (DecodeFault::Json { .. }, kind) if is_text(kind) => text(body),
                (DecodeFault::Json { .. }, kind) if is_lines(kind) => Err(DecodeFault::Lines),
                _ => Err(fault),
            }
        }),
    }
}

/// Whether a content type is one of texts that people and tools read as they are: plain text, CSV, XML, ….
fn is_text(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    let structured =
        ["application/xml", "application/csv", "application/yaml", "application/x-yaml"];
    kind.starts_with("text/") || kind.ends_with("+xml") || structured.contains(&&*kind)
}

fn is_lines(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    ["ndjson", "x-ndjson", "jsonl", "x-jsonl", "jsonlines", "x-jsonlines", "json-lines", "json-seq"]
        .iter()
        .any(|name| kind.strip_prefix("application/") == Some(name))
}

fn text(body: &Bytes) -> Result<Value, DecodeFault> {
    let text = std::str::from_utf8(body)
        .map_err(|error| DecodeFault::Text { offset: error.valid_up_to() })?;
    Ok(Value::text(text))
}

/// A list of the values of all lines. Empty lines have none.
fn lines(body: &Bytes) -> Result<Value, DecodeFault> {
    let mut values = Vec::new();
    for (number, line) in body.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        if values.len() == MOST_LINES {
            return Err(DecodeFault::TooMany { most: MOST_LINES });
        }
        let value = Value::read_json(&body.slice_ref(line)).map_err(|mut fault| {
            fault.line += number;
            DecodeFault::Json { fault, field: None }
        })?;
        values.push(value);
    }
    Ok(Value::list(values))
}

/// A body of an unknown sender: JSON, a form as a map of its fields, or null where the body is empty.
pub(super) fn json_or_form(headers: &HeaderMap, body: &Bytes) -> Result<Value, DecodeFault> {
    let looks_like_json = matches!(body.trim_ascii_start().first(), Some(b'{' | b'['));
    if body.is_empty() {
        Ok(Value::Null)
    } else if !looks_like_json && form::is_form(headers) {
        form::fields(body).map(form::to_map)
    } else {
        json(body)
    }
}
