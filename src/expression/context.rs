//! The values of one event that an expression can read.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use crate::model::Value;

/// Makes the value of a top-level name.
type Make<'e> = Box<dyn Fn(&'static str) -> Value + 'e>;

/// The values of the top-level names for one event. Each value is made when it is first read.
pub struct Context<'e> {
    names: Vec<(&'static str, OnceCell<Value>)>,
    make: Make<'e>,
    /// The steps that remain for all evaluations over this context together.
    allowance: Rc<Cell<u64>>,
}

impl Default for Context<'_> {
    fn default() -> Self {
        Self::of(&[], |_| Value::Null)
    }
}

impl<'e> Context<'e> {
    /// A context without any names.
    pub fn new() -> Self {
        Self::default()
    }

    /// A context with these names. `make` makes the value of a name.
    pub fn of(names: &[&'static str], make: impl Fn(&'static str) -> Value + 'e) -> Self {
        Self {
            names: names.iter().map(|name| (*name, OnceCell::new())).collect(),
            make: Box::new(make),
            allowance: Rc::new(Cell::new(u64::MAX)),
        }
    }

    /// Sets the value of a name, and replaces an earlier value of the same name.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.names.retain(|(known, _)| *known != name);
        self.names.push((name, OnceCell::from(value.into())));
        self
    }

    /// The same values, but for this one. Both contexts share one allowance.
    pub fn masked(&self, name: &'static str, value: Value) -> Context<'_> {
        let names: Vec<_> = self.names.iter().map(|(name, _)| *name).collect();
        let others = Context::of(&names, |name| self.get(name).cloned().unwrap_or_default());
        Context { allowance: Rc::clone(&self.allowance), ..others.with(name, value) }
    }

    /// Limits the steps of all evaluations over this context together, in addition to the budget of
    /// each evaluation. A thousand steps take about 35 microseconds.
    #[must_use]
    pub fn with_allowance(self, steps: u64) -> Self {
        self.allowance.set(steps);
        self
    }

    /// Whether the allowance is used up. If it is, the last evaluation may have failed only for
    /// that reason.
    pub fn exhausted(&self) -> bool {
        self.allowance.get() == 0
    }

    /// The steps that remain.
    pub(super) fn allowance(&self) -> u64 {
        self.allowance.get()
    }

    /// Subtracts steps from those that remain.
    pub(super) fn spend(&self, steps: u64) {
        self.allowance.set(self.allowance.get().saturating_sub(steps));
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let (name, value) = self.names.iter().find(|(known, _)| *known == name)?;
        Some(value.get_or_init(|| (self.make)(name)))
    }
}
