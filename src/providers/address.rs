//! The address that was configured at a sender, for senders that sign it. Behind a proxy, the gateway
//! cannot derive this address from the request, so it is a setting.

use std::sync::Arc;

use crate::authenticate::Refusal;
use crate::providers::Options;

/// What is missing from a source that has no such address.
pub(super) const NONE: &str = "`public_url`, the address that was set at the sender";

/// A fault, where the address is missing.
pub(super) fn lacks(provider: &str, options: &Options) -> Vec<String> {
    let fault = || format!("provider `{provider}` needs {NONE}");
    options.public_url.is_none().then(fault).into_iter().collect()
}

/// The address with the query string of the request. Refused where the address is not configured.
pub(super) fn full(options: &Options, query: &str) -> Result<String, Refusal> {
    let url = options.public_url.as_ref().ok_or(Refusal::Misconfigured(NONE))?;
    Ok(if query.is_empty() { url.clone() } else { format!("{url}?{query}") })
}

/// The name of the repository at an address such as `https://github.com/acme/risk.git` or
/// `git@github.com:acme/risk.git`: its path.
pub(super) fn repository_in(url: &str) -> Option<Arc<str>> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => url.split_once(':')?.1,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
    let name = path.strip_suffix(".git").unwrap_or(path);
    name.contains('/').then(|| name.into())
}

/// The forms that an address may have had when it was signed: as it is, without its port, with the
/// default port, and each of these with apostrophes escaped. They are all the same address, so
/// accepting each of them does not weaken the signature.
pub(super) fn spellings(url: &str) -> Vec<String> {
    let mut all = vec![url.to_owned()];
    if let Some((scheme, rest)) = url.split_once("://") {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (host, port) = split_port(authority);
        let usual = if scheme == "https" { "443" } else { "80" };
        all.push(match port {
            Some(_) => format!("{scheme}://{host}{path}"),
            None => format!("{scheme}://{host}:{usual}{path}"),
        });
    }
    if url.contains('\'') {
        let escaped: Vec<String> = all.iter().map(|url| url.replace('\'', "%27")).collect();
        all.extend(escaped);
    }
    all
}

/// Splits an authority into the host, with any user information, and the port.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port))
            if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            (host, Some(port))
        }
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_spelled_with_and_without_its_port() {
        for (url, other) in [
            ("https://a.example/x?y", "https://a.example:443/x?y"),
            ("http://a.example", "http://a.example:80"),
            ("https://a.example:1234/x", "https://a.example/x"),
            ("https://u:p@a.example/x", "https://u:p@a.example:443/x"),
            ("https://[::1]/x", "https://[::1]:443/x"),
        ] {
            assert_eq!(spellings(url), [url, other]);
        }
        assert_eq!(spellings("https://a/?b='").last().expect("escaped"), "https://a:443/?b=%27");
    }
}
