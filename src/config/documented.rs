//! Builds a source from the example in its provider's documentation, so that a provider can be
//! tried without a configuration. The source goes through the same checks as any other.

use std::path::PathBuf;
use std::sync::Arc;

use super::checks::check;
use super::files::{FileText, Files};
use super::plan::SourcePlan;
use super::report::Report;
use crate::providers::Provider;

/// The documented source of a provider. Each of `settings` is a key and a value in YAML, and
/// replaces or adds a setting. The source has the provider's name.
///
/// # Errors
/// What is wrong with the settings.
pub fn documented_source(
    provider: &dyn Provider,
    settings: &[(String, String)],
) -> Result<Arc<SourcePlan>, Report> {
    let name = provider.name();
    let mut text = format!("sources:\n  {name}:\n");
    let is_set = |line: &str| settings.iter().any(|(key, _)| key_of(line) == Some(key));
    let mut replaced = false;
    for line in provider.about().source.lines() {
        // An indented line belongs to the key above it.
        if key_of(line).is_some() {
            replaced = is_set(line);
        }
        if !replaced {
            text.push_str(&format!("    {line}\n"));
        }
    }
    for (key, value) in settings {
        text.push_str(&format!("    {key}: {value}\n"));
    }
    let files = Files {
        passed_over: Vec::new(),
        directory: PathBuf::from("."),
        main: FileText { name: format!("the source of {name}"), text: Ok(text) },
        routes: Vec::new(),
        listing: None,
    };
    let checked = check(&files, &Default::default());
    let source = checked.plan.and_then(|plan| plan.sources.get(name).cloned());
    source.ok_or(checked.report)
}

fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once(':')?;
    (!key.is_empty() && !key.starts_with([' ', '#', '-'])).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers;

    fn source(name: &str, settings: &[(&str, &str)]) -> Result<Arc<SourcePlan>, Report> {
        let settings: Vec<(String, String)> =
            settings.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        documented_source(providers::find(name).expect("a provider"), &settings)
    }

    #[test]
    fn every_provider_has_a_documented_source() {
        for name in providers::names() {
            let source = source(name, &[]);
            assert!(source.is_ok(), "{}", source.expect_err("a fault").render(false));
        }
    }

    #[test]
    fn a_setting_takes_the_place_of_the_documented_one() {
        let source = source(
            "hmac",
            &[
                ("header", "X-Other"),
                ("template", "\"{timestamp}.{body}\""),
                ("timestamp_header", "X-Time"),
            ],
        )
        .expect("good");
        assert_eq!(source.options.header.as_ref().map(http::HeaderName::as_str), Some("x-other"));
        assert_eq!(source.options.prefix.as_deref(), Some("sha256="));
    }

    #[test]
    fn a_setting_that_does_not_belong_is_a_fault() {
        let report = source("github", &[("header", "X-Other")]).expect_err("a fault");
        assert!(report.render(false).contains("does not belong"), "{}", report.render(false));
        assert!(source("hmac", &[("alogrithm", "sha1")]).is_err());
    }
}
