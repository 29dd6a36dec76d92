//! The budget of one evaluation: how much work it may do and how much it may build.
//!
//! It counts steps and bytes and never uses a clock, so that an expression and a payload always
//! give the same result.

use super::fault::{EvaluationFault, EvaluationFaultKind};
use crate::model::Value;

/// The largest number of steps: nodes evaluated, elements visited, and blocks of text read.
const STEPS: u64 = 1_000_000;
/// The largest number of bytes of text and lists that may be built.
const BYTES: usize = 1 << 20;
/// Bytes of text that cost one step.
const BLOCK: usize = 64;

/// What remains of a budget.
pub(super) struct Meter {
    given: u64,
    steps: u64,
    bytes: usize,
}

impl Meter {
    /// A whole budget, with at most `allowance` steps.
    pub(super) fn new(allowance: u64) -> Self {
        let given = STEPS.min(allowance);
        Self { given, steps: given, bytes: BYTES }
    }

    /// The steps that were used.
    pub(super) fn spent(&self) -> u64 {
        self.given - self.steps
    }

    /// Charges for steps of work.
    pub(super) fn work(&mut self, steps: u64) -> Result<(), EvaluationFault> {
        match self.steps.checked_sub(steps) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                self.steps = 0;
                Err(over("takes too many steps on this payload"))
            }
        }
    }

    /// Charges for reading this many bytes once.
    pub(super) fn scan(&mut self, bytes: usize) -> Result<(), EvaluationFault> {
        self.work((bytes / BLOCK) as u64)
    }

    /// Charges for text that is about to be built.
    pub(super) fn build(&mut self, bytes: usize) -> Result<(), EvaluationFault> {
        self.scan(bytes)?;
        match self.bytes.checked_sub(bytes) {
            Some(left) => {
                self.bytes = left;
                Ok(())
            }
            None => {
                self.bytes = 0;
                Err(over("builds too much text or too long a list on this payload"))
            }
        }
    }

    /// Charges for a list of this many elements that is about to be built.
    pub(super) fn build_list(&mut self, elements: usize) -> Result<(), EvaluationFault> {
        self.build(elements.saturating_mul(size_of::<Value>()))
    }

    /// Charges for the look-up of a name among this many fields.
    pub(super) fn look_up(&mut self, name: &str, fields: usize) -> Result<(), EvaluationFault> {
        let comparisons = u64::from(fields.checked_ilog2().unwrap_or(0));
        self.work(comparisons * (1 + (name.len() / BLOCK) as u64) / 4)
    }
}

fn over(what: &str) -> EvaluationFault {
    let message = format!("the expression {what}");
    EvaluationFault::new(EvaluationFaultKind::Budget, message)
}
