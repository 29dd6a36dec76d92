//! Regular expressions, and what it costs to try them on a text.
//!
//! The engine never backtracks, but a text made for a pattern can still cost time for each byte
//! that grows with the size of the compiled pattern. That size is measured when the pattern is
//! loaded, and charged when it is used.

use regex::{Regex, RegexBuilder, bytes};

use super::fault::EvaluationFault;
use super::meter::Meter;

/// The largest compiled pattern, in bytes; one `\w` takes about 40 thousand.
const MAX_SIZE: usize = 1 << 21;
/// The smallest size that is told apart from larger ones.
const MIN_SIZE: usize = 1 << 9;
/// A pattern of this size costs at most about one step for each byte of text.
const SIZE_OF_A_STEP: usize = 1 << 9;
/// What starting a search costs.
const START: usize = 8;

/// A pattern that was compiled and weighed.
#[derive(Debug)]
pub(super) struct Pattern {
    regex: Regex,
    size: usize,
}

impl Pattern {
    /// Compiles a pattern, or says in words why it cannot be.
    pub(super) fn compile(source: &str) -> Result<Self, String> {
        let regex = compile(source)?;
        let size = size(source);
        Ok(Self { regex, size })
    }

    /// Whether the pattern is found in the text.
    pub(super) fn is_match(&self, text: &str, meter: &mut Meter) -> Result<bool, EvaluationFault> {
        let cost = text.len().saturating_mul(self.size) / SIZE_OF_A_STEP;
        meter.work((START + cost) as u64)?;
        Ok(self.regex.is_match(text))
    }
}

/// Compiles a pattern within bounds, or says in words why it cannot be.
pub fn compile(source: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(source).size_limit(MAX_SIZE).dfa_size_limit(1 << 20).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
        _ => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            format!("the pattern is not valid: {reason}")
        }
    })
}

/// The size of the compiled pattern, up to a factor of two. It is that of the pattern over ASCII,
/// where it can be had: the tables of Unicode are large, and cost no time for each of their rows.
fn size(source: &str) -> usize {
    let mut size = MIN_SIZE;
    while size < MAX_SIZE {
        let ascii = bytes::RegexBuilder::new(source).unicode(false).size_limit(size).build();
        let fits = match ascii {
            Ok(_) => true,
            Err(regex::Error::CompiledTooBig(_)) => false,
            Err(_) => RegexBuilder::new(source).size_limit(size).build().is_ok(),
        };
        if fits {
            break;
        }
        size *= 2;
    }
    size
}
