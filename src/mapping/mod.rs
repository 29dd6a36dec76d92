//! A match becomes the environment of a run: each variable's template is filled from the event.
//!
//! A payload chooses values only. Names come from the configuration, and a value that breaks a
//! constraint fails the mapping: a job never starts without a variable that it was promised, and
//! no fault ever quotes a value.

mod fault;

use std::sync::Arc;

use regex::Regex;

use crate::expression::{Context, EvaluationFaultKind, Template};
use crate::model::Environment;
pub use fault::MappingFault;

/// The most bytes of one value, unless the configuration says otherwise.
pub const DEFAULT_MAX_BYTES: usize = 32 * 1024;
/// The most bytes of all names and values together, unless the configuration says otherwise.
pub const DEFAULT_MAX_TOTAL: usize = 64 * 1024;
/// The longest name of a variable, in bytes.
const MAX_NAME: usize = 256;

/// How the environment of a route's runs is made.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The variables, in the order in which their faults are told.
    pub variables: Vec<Variable>,
    /// The most bytes that all names and values may have together.
    pub max_total: usize,
}

/// One variable, and what its value has to be like.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: Arc<str>,
    /// Its value, with holes.
    pub template: Template,
    /// What it is where a hole is missing or null. This text is the configuration's own, so that
    /// `matches` does not apply to it.
    pub default: Option<Arc<str>>,
    /// Whether it is left out where a hole is missing or null and there is no default.
    pub omit: bool,
    /// What the value has to look like; anchors are the author's business.
    pub matches: Option<Regex>,
    /// The most bytes of the value.
    pub max_bytes: usize,
}

impl Default for Mapping {
    /// No variables, and the usual limit.
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
    /// A variable with the usual limit and nothing else asked of its value.
    pub fn new(name: impl Into<Arc<str>>, template: Template) -> Self {
        Self {
            name: name.into(),
            template,
            default: None,
            omit: false,
            matches: None,
            max_bytes: DEFAULT_MAX_BYTES,
        }
    }

    /// The value for one event; `None` if it is to be left out.
    fn value(&self, context: &Context) -> Result<Option<String>, MappingFault> {
        let name = || Arc::clone(&self.name);
        match self.template.render(context, self.max_bytes) {
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

/// True for a name that every shell and kernel accepts: letters, digits and underscores, the
/// first of them no digit, at most 256 bytes.
pub fn valid_name(name: &str) -> bool {
    let first = name.bytes().next();
    first.is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && name.len() <= MAX_NAME
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests;
