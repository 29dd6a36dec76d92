//! Expressions over a payload: the `if:` of a route and the `${{ … }}` holes of its values.
//!
//! The language is CEL. An [`Expression`] is parsed and checked when the configuration is loaded.
//! Unknown names, unsupported syntax and anything that could overflow the stack are reported then,
//! all at once and with their positions.
//!
//! An evaluation walks our own tree over our own values, with a budget of steps and of bytes. So no
//! expression and no payload can stall or crash the gateway. An evaluation reads only the
//! [`Context`] that it is given, and its faults never quote the payload.
//!
//! Differences from CEL: whole numbers are one type (`5u` is 5, and only numbers above the largest
//! signed one are unsigned), patterns of `matches` are literals, and there are no bytes, messages,
//! timestamps or durations.

mod context;
mod evaluate;
mod fault;
mod foreign;
mod functions;
mod kinds;
mod lower;
mod meter;
mod operators;
mod parse;
mod path;
mod pattern;
mod reads;
mod template;
mod tree;
mod vocabulary;
mod why;
mod written;

pub use context::Context;
pub use fault::{EvaluationFault, EvaluationFaultKind, ExpressionFault};
pub use kinds::{Compared, Gives};
pub use pattern::compile as compile_pattern;
pub use reads::Reads;
pub use template::{Hole, Template};
pub use vocabulary::Vocabulary;
pub use why::Why;

use std::fmt;
use std::sync::Arc;

use crate::model::Value;
use evaluate::Evaluator;
use tree::Node;

/// An expression that was parsed and checked.
#[derive(Clone)]
pub struct Expression {
    source: Arc<str>,
    root: Arc<Node>,
}

impl Expression {
    /// Parses and checks an expression. On failure it returns every fault that it can find.
    pub fn compile(source: &str, names: &Vocabulary) -> Result<Self, Vec<ExpressionFault>> {
        let parsed = parse::parse(source)?;
        let root = lower::lower(&parsed, names)?;
        Ok(Self { source: source.into(), root: root.into() })
    }

    /// The text that it was compiled from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text that it was compiled from, shared and not copied.
    pub fn shared_source(&self) -> Arc<str> {
        Arc::clone(&self.source)
    }

    /// Evaluates the expression.
    pub fn evaluate(&self, context: &Context) -> Result<Value, EvaluationFault> {
        Evaluator::new(context).run(&self.root)
    }

    /// Evaluates a condition. A value that is neither true nor false is a fault of kind
    /// [`EvaluationFaultKind::Type`].
    pub fn test(&self, context: &Context) -> Result<bool, EvaluationFault> {
        let value = self.evaluate(context)?;
        value.as_bool().ok_or_else(|| {
            let message = format!("the condition gave {}, not true or false", value.kind());
            EvaluationFault::new(EvaluationFaultKind::Type, message)
        })
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

impl PartialEq for Expression {
    /// Two expressions are equal if their texts are equal.
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

#[cfg(test)]
mod tests;
