//! JSON: what is read can be written and read again and is the same, and no other reader takes what
//! this one refuses, but for its limits.

use cdsw_gateway::model::Value;

/// A document.
pub fn run(data: &[u8]) {
    let other: Result<serde_json::Value, _> = serde_json::from_slice(data);
    let value = match Value::parse_json(data) {
        Ok(value) => value,
        Err(fault) => {
            let limited = fault.message.contains("values");
            assert!(other.is_err() || limited, "only this reader refuses it: {fault}");
            assert!(fault.line <= 1 + data.len() && fault.column <= 1 + data.len());
            return;
        }
    };
    let marked = data.starts_with("\u{feff}".as_bytes());
    assert!(other.is_ok() || marked, "only this reader takes it");
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
