//! Makes the environment of a run from a match: each variable's template is filled with values of
//! the event.
//!
//! A payload chooses only values. The names come from the configuration. A value that breaks a
//! constraint fails the whole mapping, so a job never starts without one of its variables. No fault
//! quotes a value.

mod fault;

use std::sync::Arc;

use regex::Regex;

use crate::expression::{Context, EvaluationFaultKind, Template};
use crate::model::Environment;
pub use fault::MappingFault;

/// The default limit for the bytes of one value.
pub const DEFAULT_MAX_BYTES: usize = 32 * 1024;
/// The default limit for the bytes of all names and values together.
pub const DEFAULT_MAX_TOTAL: usize = 64 * 1024;
/// The longest name of a variable, in bytes.
const MAX_NAME: usize = 256;

/// How to make the environment of a route's runs.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The variables, in the order in which their faults are reported.
    pub variables: Vec<Variable>,
    /// The most bytes that all names and values may have together.
    pub max_total: usize,
}

/// A variable and the constraints on its value.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: Arc<str>,
    /// The template of its value.
    pub template: Template,
    /// The value to use if a hole is missing or null. This text comes from the configuration, so
    /// `matches` does not apply to it.
    pub default: Option<Arc<str>>,
    /// Whether to leave the variable out if a hole is missing or null and there is no default.
    pub omit: bool,
    /// A pattern that the value must match. It may match any part of the value unless it has
    /// anchors.
    pub matches: Option<Regex>,
    /// The largest size of the value, in bytes.
    pub max_bytes: usize,
    /// Whether a larger value is cut to that size, at the end of a character. Else it fails the mapping.
    pub truncate: bool,
}

impl Default for Mapping {
    /// No variables, with the default limit.
    fn default() -> Self {
        Self { variables: Vec::new(), max_total: DEFAULT_MAX_TOTAL }
    }
}

impl Mapping {
    /// The environment for one event, or the faults of all variables.
    pub fn environment(&self, context: &Context) -> Result<Environment, Vec<MappingFault>> {
        let mut environment = Environment::default();
        let mut faults = Vec::new();
        for variable in &self.variables {
            match variable.value(context) {
                Ok(Some(value)) => environment.insert(Arc::clone(&variable.name), value),
                Ok(None) => {}
                Err(fault) => faults.push(fault),
            }
        }
        let size = environment.size();
        if size > self.max_total {
            let limit = self.max_total;
            faults.push(MappingFault::TotalTooLong { size, limit });
        }
        if faults.is_empty() { Ok(environment) } else { Err(faults) }
    }
}

impl Variable {
    /// A variable with the default limit and no other constraints.
    pub fn new(name: impl Into<Arc<str>>, template: Template) -> Self {
        Self {
            name: name.into(),
            template,
            default: None,
            omit: false,
            matches: None,
            max_bytes: DEFAULT_MAX_BYTES,
            truncate: false,
        }
    }

    /// Whether some event could give it this value; `None` stands for a variable that is left out.
    pub fn could_be(&self, value: Option<&str>) -> bool {
        let Some(value) = value else { return self.may_be_left_out() };
        if !self.template.is_literal() && self.default.as_deref() == Some(value) {
            return true;
        }
        value.len() <= self.max_bytes
            && !value.contains('\0')
            && self.matches.as_ref().is_none_or(|pattern| pattern.is_match(value))
            && (self.template.could_be(value) || self.is_cut(value))
    }

    /// Whether the value may be a longer one that was cut: what is left then lacks at most a part of one
    /// character, of at most four bytes, to the limit.
    fn is_cut(&self, value: &str) -> bool {
        self.truncate && value.len() + 3 >= self.max_bytes && self.template.could_begin(value)
    }

    /// Whether it is left out where a hole has no value.
    pub fn may_be_left_out(&self) -> bool {
        self.omit && self.default.is_none() && !self.template.is_literal()
    }

    /// The value for one event. `None` if the variable is left out.
    fn value(&self, context: &Context) -> Result<Option<String>, MappingFault> {
        let name = || Arc::clone(&self.name);
        let rendered = match self.truncate {
            true => self.template.render_cut(context, self.max_bytes),
            false => self.template.render(context, self.max_bytes),
        };
        match rendered {
            Ok(value) => self.check(value).map(Some),
            Err(fault) => match (fault.kind, &self.default) {
                (EvaluationFaultKind::Missing, Some(default)) => Ok(Some(default.to_string())),
                (EvaluationFaultKind::Missing, None) if self.omit => Ok(None),
                (EvaluationFaultKind::Missing, None) => {
                    Err(MappingFault::Missing { variable: name(), fault })
                }
                (EvaluationFaultKind::TooLong, _) => {
                    Err(MappingFault::TooLong { variable: name(), fault })
                }
                _ => Err(MappingFault::Failed { variable: name(), fault }),
            },
        }
    }

    fn check(&self, value: String) -> Result<String, MappingFault> {
        let variable = || Arc::clone(&self.name);
        if value.contains('\0') {
            return Err(MappingFault::Nul { variable: variable() });
        }
        match &self.matches {
            Some(pattern) if !pattern.is_match(&value) => Err(MappingFault::Mismatch {
                variable: variable(),
                pattern: pattern.as_str().into(),
            }),
            _ => Ok(value),
        }
    }
}

/// Whether every shell and kernel accepts the name: letters, digits and underscores, no digit at
/// the start, at most 256 bytes.
pub fn valid_name(name: &str) -> bool {
    let first = name.bytes().next();
    first.is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && name.len() <= MAX_NAME
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests;
