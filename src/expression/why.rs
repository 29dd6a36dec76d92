//! Why a condition is false on one payload: which part of an `&&` was false, and what the values were that it
//! compared. It evaluates the parts again, so it is asked only where somebody reads the answer.
//!
//! The values are quoted from the payload, each shortened. They are kept apart from the words, so that they can be
//! withheld from whoever may not see a payload.

use std::fmt::Write;

use super::evaluate::Evaluator;
use super::tree::{Kind, Node};
use super::{Context, Expression};
use crate::model::{Value, printable};

/// The largest number of values that are told.
const VALUES: usize = 8;
/// The longest text of a value, in characters.
const LONGEST: usize = 80;

/// Why a condition is false.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// The part of an `&&` that was false, as an expression. `None` where the condition is no `&&`.
    pub part: Option<String>,
    /// What was compared, as an expression, and its value.
    pub values: Vec<(String, String)>,
}

impl Expression {
    /// Why this condition is false. The budget is that of one evaluation more.
    pub fn why_false(&self, context: &Context) -> Why {
        let mut evaluator = Evaluator::new(context);
        let mut why = Why::default();
        let mut part = &*self.root;
        while let Kind::Logical { decisive: false, operands } = &part.kind {
            let mut operands = operands.iter();
            let Some(found) = operands.find(|operand| evaluator.is(operand) == Some(false)) else {
                break;
            };
            part = found;
            why.part = Some(part.to_string());
        }
        collect(&mut evaluator, part, &mut why.values);
        why
    }
}

impl<'a> Evaluator<'a> {
    fn is(&mut self, node: &'a Node) -> Option<bool> {
        self.evaluate(node).ok().and_then(|value| value.as_bool())
    }
}

/// Notes the values that a node compared.
fn collect<'a>(evaluator: &mut Evaluator<'a>, node: &'a Node, values: &mut Vec<(String, String)>) {
    match &node.kind {
        Kind::Logical { operands, .. } => {
            operands.iter().for_each(|operand| collect(evaluator, operand, values));
        }
        Kind::Not(operand) => collect(evaluator, operand, values),
        Kind::Conditional(parts) => {
            let branch = if evaluator.is(&parts[0]) == Some(true) { &parts[1] } else { &parts[2] };
            collect(evaluator, &parts[0], values);
            collect(evaluator, branch, values);
        }
        Kind::Binary(_, parts) => parts.iter().for_each(|part| tell(evaluator, part, values)),
        Kind::Matches(text, _) => tell(evaluator, text, values),
        Kind::Call(_, arguments) => {
            arguments.iter().for_each(|argument| tell(evaluator, argument, values));
        }
        Kind::Quantifier(_, parts) => tell(evaluator, &parts[0], values),
        _ => tell(evaluator, node, values),
    }
}

/// Notes the value of one node, unless the expression itself says it.
fn tell<'a>(evaluator: &mut Evaluator<'a>, node: &'a Node, values: &mut Vec<(String, String)>) {
    if node.is_fixed() || values.len() >= VALUES {
        return;
    }
    let what = node.to_string();
    if values.iter().any(|(known, _)| *known == what) {
        return;
    }
    let value = match evaluator.evaluate(node) {
        Ok(value) => shown(&value),
        Err(fault) => format!("not known: {fault}"),
    };
    values.push((what, value));
}

impl Node {
    /// Whether its value does not depend on the payload.
    fn is_fixed(&self) -> bool {
        match &self.kind {
            Kind::Literal(_) => true,
            Kind::List(elements) => elements.iter().all(Self::is_fixed),
            Kind::Negate(operand) => operand.is_fixed(),
            _ => false,
        }
    }
}

/// A value in one line. Of a list and of an object, only the size.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => {
            let start: String = text.chars().take(LONGEST).collect();
            let more = if start.len() < text.len() { "…" } else { "" };
            format!("\"{}{more}\"", printable(&start))
        }
        Value::List(values) => match values.len() {
            1 => "a list of 1 value".to_owned(),
            count => format!("a list of {count} values"),
        },
        Value::Map(object) => match object.len() {
            1 => "an object of 1 field".to_owned(),
            count => format!("an object of {count} fields"),
        },
        other => {
            let mut text = String::new();
            // A number has the payload's own digits, which may be many.
            let _ = write!(text, "{}", other.to_text().unwrap_or_default());
            text.chars().take(LONGEST).collect()
        }
    }
}
