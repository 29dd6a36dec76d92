//! Why an environment cannot be made for one event. No fault quotes a value.

use std::fmt;
use std::sync::Arc;

use crate::expression::EvaluationFault;

/// Why one variable has no value, or why all of them together are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MappingFault {
    /// A field is missing or null, and the variable has neither `default` nor `omit`.
    Missing {
        /// The variable.
        variable: Arc<str>,
        /// The missing field.
        fault: EvaluationFault,
    },
    /// An expression in the value fails on this payload.
    Failed {
        /// The variable.
        variable: Arc<str>,
        /// Why.
        fault: EvaluationFault,
    },
    /// The value is larger than its limit.
    TooLong {
        /// The variable.
        variable: Arc<str>,
        /// Its size and limit.
        fault: EvaluationFault,
    },
    /// The value contains a NUL byte, which an environment variable cannot hold.
    Nul {
        /// The variable.
        variable: Arc<str>,
    },
    /// The value does not match its pattern.
    Mismatch {
        /// The variable.
        variable: Arc<str>,
        /// The pattern.
        pattern: Box<str>,
    },
    /// All names and values together are larger than their limit.
    TotalTooLong {
        /// Their size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
}

impl MappingFault {
    /// The variable that has the fault. `None` for a fault of all variables together.
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::Missing { variable, .. }
            | Self::Failed { variable, .. }
            | Self::TooLong { variable, .. }
            | Self::Nul { variable }
            | Self::Mismatch { variable, .. } => Some(variable),
            Self::TotalTooLong { .. } => None,
        }
    }
}

impl fmt::Display for MappingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { variable, fault } => {
                write!(f, "{variable}: {fault}; say `default` or `omit` if that may happen")
            }
            Self::Failed { variable, fault } | Self::TooLong { variable, fault } => {
                write!(f, "{variable}: {fault}")
            }
            Self::Nul { variable } => write!(f, "{variable}: the value has a NUL byte in it"),
            Self::Mismatch { variable, pattern } => {
                write!(f, "{variable}: the value does not match `{pattern}`")
            }
            Self::TotalTooLong { size, limit } => {
                write!(f, "all variables together are {size} bytes long, and {limit} are allowed")
            }
        }
    }
}

impl std::error::Error for MappingFault {}
