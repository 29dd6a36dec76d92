//! What is given on the command line: times, numbers, headers, the name of a source, and a payload.

use std::path::Path;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::cli::failure::Failure;
use crate::config::{Plan, SourcePlan};

/// Parses a time given as an argument.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let seconds = || Timestamp::from_second(text.parse().ok()?).ok();
    text.parse().ok().or_else(seconds).ok_or_else(|| {
        "not a time; write one such as 2026-03-01T12:00:00Z, or seconds since 1970".to_owned()
    })
}

/// Parses the number of an entry given as an argument.
pub(super) fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "not a number; write one that counts from 1, such as 12".to_owned())
}

/// The source of this name. The error names the known ones.
pub(in crate::cli) fn find_source<'a>(
    plan: &'a Plan,
    name: &str,
) -> Result<&'a Arc<SourcePlan>, Failure> {
    plan.sources.get(name).ok_or_else(|| {
        let known: Vec<&str> = plan.sources.keys().map(|name| &**name).collect();
        Failure::Missing(format!("there is no source `{name}`; there are: {}", known.join(", ")))
    })
}

/// A payload from a file, or from standard input.
pub(in crate::cli) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = if path == Path::new("-") {
        let mut body = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut body).map(|_| body)
    } else {
        std::fs::read(path)
    };
    read.map_err(|error| Failure::Missing(format!("cannot read {}: {error}", path.display())))
}

/// Parses `Name: value`, as curl takes it.
pub(in crate::cli) fn parse_header(text: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    let fault = || Failure::Usage(format!("`{text}` is not a header; write it as `Name: value`"));
    let (name, value) = text.split_once(':').ok_or_else(fault)?;
    let name = name.trim().parse().map_err(|_| fault())?;
    let value = HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| fault())?;
    Ok((name, value))
}
