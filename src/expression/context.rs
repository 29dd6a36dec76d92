//! What one event lets an expression see.

use crate::model::Value;

/// The values of the top-level names, for one event.
#[derive(Clone, Debug, Default)]
pub struct Context {
    names: Vec<(&'static str, Value)>,
}

impl Context {
    /// Sees nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a name its value; a second value for the same name replaces the first.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.names.retain(|(known, _)| *known != name);
        self.names.push((name, value.into()));
        self
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let found = self.names.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value)
    }
}
