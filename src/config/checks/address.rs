//! Checks web addresses: those of a workbench, a proxy and a job's page.

use std::net::IpAddr;

use reqwest::Url;

use super::checker::Checker;
use crate::config::yaml::At;

/// The address of a host: a scheme, a host, an optional port, and nothing else.
pub(super) fn host_address(checker: Checker<'_>, at: &At<String>) -> Option<Url> {
    let url = web_address(checker, at)?;
    let mut good = true;
    let mut fault = |message: &str, hint: &str| {
        checker.fault(at.id, message, hint.to_owned());
        good = false;
    };
    if !matches!(url.path(), "" | "/") {
        fault("the address must not have a path", "write the scheme and the host only");
    }
    if url.query().is_some() || url.fragment().is_some() {
        fault("the address must not have a query", "write the scheme and the host only");
    }
    if !url.username().is_empty() || url.password().is_some() {
        fault("the address must not have a user or password", "remove what stands before the `@`");
    }
    good.then_some(url)
}

/// An `http://` or `https://` address.
pub(super) fn web_address(checker: Checker<'_>, at: &At<String>) -> Option<Url> {
    let hint = "write it as https://host or https://host:port".to_owned();
    match Url::parse(&at.value) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
        Ok(_) => {
            checker.fault(at.id, "the address must start with `https://` or `http://`", hint);
            None
        }
        Err(error) => {
            let why = if at.value.contains("://") { format!(": {error}") } else { String::new() };
            checker.fault(at.id, format!("this is not a web address{why}"), hint);
            None
        }
    }
}

/// Whether the host of an address is this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    ip.map_or(host == "localhost", |ip| ip.is_loopback())
}
