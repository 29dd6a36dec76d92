//! What one event lets an expression see.

use std::cell::{Cell, OnceCell};

use crate::model::Value;

/// Makes the value of a name.
type Make<'e> = Box<dyn Fn(&'static str) -> Value + 'e>;

/// The values of the top-level names, for one event. Each is made when it is first asked for.
pub struct Context<'e> {
    names: Vec<(&'static str, OnceCell<Value>)>,
    make: Make<'e>,
    /// Steps that are left for all evaluations over this context together.
    allowance: Cell<u64>,
}

impl Default for Context<'_> {
    fn default() -> Self {
        Self::of(&[], |_| Value::Null)
    }
}

impl<'e> Context<'e> {
    /// Sees nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sees these names, and their values as `make` makes them.
    pub fn of(names: &[&'static str], make: impl Fn(&'static str) -> Value + 'e) -> Self {
        Self {
            names: names.iter().map(|name| (*name, OnceCell::new())).collect(),
            make: Box::new(make),
            allowance: Cell::new(u64::MAX),
        }
    }

    /// Gives a name its value; a second value for the same name replaces the first.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.names.retain(|(known, _)| *known != name);
        self.names.push((name, OnceCell::from(value.into())));
        self
    }

    /// Bounds the steps of all evaluations over this context together, beside the budget that each
    /// has of its own. A thousand steps take some 35 microseconds.
    #[must_use]
    pub fn with_allowance(self, steps: u64) -> Self {
        self.allowance.set(steps);
        self
    }

    /// Whether the allowance was used up: what was evaluated last may have failed for that alone.
    pub fn exhausted(&self) -> bool {
        self.allowance.get() == 0
    }

    /// Steps that are left.
    pub(super) fn allowance(&self) -> u64 {
        self.allowance.get()
    }

    /// Takes steps from what is left.
    pub(super) fn spend(&self, steps: u64) {
        self.allowance.set(self.allowance.get().saturating_sub(steps));
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let (name, value) = self.names.iter().find(|(known, _)| *known == name)?;
        Some(value.get_or_init(|| (self.make)(name)))
    }
}
