//! Conditions: whatever is loaded ends within its budget on any payload, gives the same answer each
//! time, and says where it failed.

use cdsw_gateway::event::{DELIVERY_FIELDS, EVENT_FIELDS};
use cdsw_gateway::expression::{Context, Expression, ExpressionFault, Vocabulary};
use cdsw_gateway::model::Value;

use super::text_line;

/// The expression on the first line, where `\n` is written as a tab, then a JSON body.
pub fn run(data: &[u8]) {
    let (source, body) = text_line(data);
    let source = source.replace('\t', "\n");
    match Expression::compile(&source, &names()) {
        Err(faults) => placed(&faults, &source),
        Ok(expression) => {
            let context = context(body);
            let first = expression.evaluate(&context);
            let second = expression.evaluate(&context);
            match (first, second) {
                (Ok(first), Ok(second)) => assert_eq!(written(&first), written(&second)),
                (first, second) => assert_eq!(first, second),
            }
            let brief = context.with_allowance(100);
            if let Err(fault) = expression.test(&brief) {
                assert!(fault.offset <= source.len() && fault.message.len() < 4000);
            }
        }
    }
}

/// The names that a route's expressions may use, as far as they differ in kind.
pub(crate) fn names() -> Vocabulary {
    Vocabulary::new()
        .open("body")
        .open("headers")
        .closed("event", &EVENT_FIELDS)
        .closed("delivery", &DELIVERY_FIELDS)
        .closed("git", &["branch", "sha", "paths", "pull_request.number", "pull_request.base"])
}

/// A payload as an event would show it.
pub(crate) fn context(body: &[u8]) -> Context<'static> {
    let body = Value::parse_json(body).unwrap_or(Value::Null);
    let git = body.get("git").cloned().unwrap_or(Value::Null);
    Context::new()
        .with("body", body)
        .with("headers", Value::map::<&str>(Vec::new()))
        .with("git", git)
}

/// Every fault has a place within the text.
pub(crate) fn placed(faults: &[ExpressionFault], source: &str) {
    assert!(!faults.is_empty());
    for fault in faults {
        let end = fault.offset.saturating_add(fault.length);
        assert!(end <= source.len(), "{fault:?} lies outside of {source:?}");
        assert!(source.is_char_boundary(fault.offset) && source.is_char_boundary(end), "{fault:?}");
    }
}

fn written(value: &Value) -> String {
    let mut text = String::new();
    value.write_json(&mut text).expect("text can be written");
    text
}
