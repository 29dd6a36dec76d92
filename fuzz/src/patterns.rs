//! Globs of `on:` and the patterns of `matches`: a literal passes itself, and both end in time.

use cdsw_gateway::expression::compile_pattern;
use cdsw_gateway::matching::Patterns;

use super::text_line;

/// The text to look at on the first line, then patterns, one a line.
pub fn run(data: &[u8]) {
    let (text, data) = text_line(data);
    let patterns: Vec<String> = String::from_utf8_lossy(data).lines().map(str::to_owned).collect();
    match Patterns::parse(&patterns) {
        Ok(parsed) => {
            let passes = parsed.pass(&text);
            if let Some(literals) = parsed.literals() {
                assert!(!passes || literals.contains(&text.as_str()), "{patterns:?} on {text:?}");
            }
        }
        Err(faults) => assert!(faults.iter().all(|fault| fault.index <= patterns.len())),
    }
    if let Some(Ok(pattern)) = patterns.first().map(|pattern| compile_pattern(pattern)) {
        let _ = pattern.is_match(&text);
    }
}
