//! Regular expressions, and the cost of matching one against a text.
//!
//! The engine never backtracks. But for some texts, the time for each byte grows with the size of
//! the compiled pattern. So that size is measured when the pattern is loaded, and charged when it
//! is used.

use regex::{Regex, RegexBuilder, bytes};

use super::fault::EvaluationFault;
use super::meter::Meter;

/// The largest compiled pattern, in bytes. One `\w` takes about 40 thousand.
const MAX_SIZE: usize = 1 << 21;
/// The smallest size in bytes that is measured. Smaller patterns count as this size.
const MIN_SIZE: usize = 1 << 9;
/// A pattern of this size in bytes costs at most about one step for each byte of text.
const SIZE_OF_A_STEP: usize = 1 << 9;
/// The steps that the start of a search costs.
const START: usize = 8;

/// A compiled pattern and its size.
#[derive(Debug)]
pub(super) struct Pattern {
    regex: Regex,
    size: usize,
}

impl Pattern {
    /// Compiles a pattern. The error says in words what is wrong.
    pub(super) fn compile(source: &str) -> Result<Self, String> {
        let regex = compile(source)?;
        let size = size(source);
        Ok(Self { regex, size })
    }

    /// The text that it was compiled from.
    pub(super) fn source(&self) -> &str {
        self.regex.as_str()
    }

    /// Whether the pattern matches anywhere in the text.
    pub(super) fn is_match(&self, text: &str, meter: &mut Meter) -> Result<bool, EvaluationFault> {
        let cost = text.len().saturating_mul(self.size) / SIZE_OF_A_STEP;
        meter.work((START + cost) as u64)?;
        Ok(self.regex.is_match(text))
    }
}

/// Compiles a pattern of limited size. The error says in words what is wrong.
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

/// The size of the compiled pattern, up to a factor of two. If possible, the pattern is compiled
/// for ASCII: the Unicode tables are large, but do not cost time for each of their rows.
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
