//! JSON: what is read can be written and read again and is the same, and no other reader takes what
//! this one refuses, but for its limits, nor the other way round.

use cdsw_gateway::model::Value;

/// A document.
pub fn run(data: &[u8]) {
    // A reader that makes nothing of what it reads takes all that the grammar allows, such as half a
    // surrogate pair. It does not look at the encoding.
    let json = data.strip_prefix("\u{feff}".as_bytes()).unwrap_or(data);
    let other: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(json);
    let is_json = other.is_ok() && std::str::from_utf8(data).is_ok();
    let value = match Value::parse_json(data) {
        Ok(value) => value,
        Err(fault) => {
            let is_limited = ["values", "levels"].iter().any(|limit| fault.message.contains(limit));
            assert!(!is_json || is_limited, "only this reader refuses it: {fault}");
            assert!(fault.line <= 1 + data.len() && fault.column <= 1 + data.len());
            return;
        }
    };
    assert!(is_json, "only this reader takes it");
    let text = written(&value);
    let again = Value::parse_json(text.as_bytes()).expect("what it writes can be read");
    assert_eq!(written(&again), text);
    assert!(again == value, "it reads otherwise what it wrote");
    assert!(format!("{value:?}").len() < 1000, "a debug print is short");
}

fn written(value: &Value) -> String {
    let mut text = String::new();
    value.write_json(&mut text).expect("text can be written");
    text
}
