//! What is wrong with an expression when it is loaded, and why an expression fails on a payload.

use std::fmt;

/// The longest message, in characters.
const MAX_MESSAGE: usize = 400;

/// Something wrong in the text of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionFault {
    /// The byte offset in the source at which it starts.
    pub offset: usize,
    /// Its length in bytes.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead, if that is known.
    pub hint: Option<String>,
}

impl ExpressionFault {
    /// A fault without a hint.
    pub(super) fn new(offset: usize, length: usize, message: impl Into<String>) -> Self {
        Self { offset, length, message: message.into(), hint: None }
    }

    /// The fault with this hint, if there is one.
    pub(super) fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for ExpressionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ExpressionFault {}

/// Why an expression has no value for one payload. The message quotes field names of the expression
/// and nothing of the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluationFault {
    /// What sort of failure it is.
    pub kind: EvaluationFaultKind,
    /// What failed, for the person who wrote the expression.
    pub message: String,
    /// The byte offset in the source at which it failed.
    pub offset: usize,
}

/// The kinds of failure that callers distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvaluationFaultKind {
    /// A field, element or name is missing, or it is null where a value is needed.
    Missing,
    /// A value is of the wrong kind.
    Type,
    /// A value is of the right kind but cannot be used, such as a division by zero or text that is
    /// not a number.
    Value,
    /// The expression takes too long or builds too much on this payload.
    Budget,
    /// The text of a template is longer than its place allows.
    TooLong,
}

impl EvaluationFault {
    /// A fault whose place is not known yet.
    pub(super) fn new(kind: EvaluationFaultKind, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE) {
            message.truncate(end);
            message.push('…');
        }
        Self { kind, message, offset: 0 }
    }

    /// The fault with its place in the source.
    pub(super) fn at(mut self, offset: usize) -> Self {
        self.offset = offset;
        self
    }

    pub(super) fn is_budget(&self) -> bool {
        self.kind == EvaluationFaultKind::Budget
    }
}

impl fmt::Display for EvaluationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EvaluationFault {}
