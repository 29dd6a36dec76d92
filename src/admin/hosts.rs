//! Which names the admin listener answers to. Pure.
//!
//! A web page can have its own name lead to the gateway's address (DNS rebinding). The browser then sends the
//! page's requests here, with the page's name in `Host`, and lets the page read the answers. So a name that
//! somebody outside could own is refused, unless the configuration names it. An address is no name: nobody
//! can make a page's origin of it without being there.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::header::HOST;
use http::{HeaderMap, Uri};

/// Ends of names that nobody can register in the public DNS.
const PRIVATE: [&str; 5] = [".localhost", ".svc", ".cluster.local", ".internal", ".home.arpa"];

/// Whether each host that a request names is one of ours. A request that names none comes from no browser.
pub(super) fn are_known(uri: &Uri, headers: &HeaderMap, configured: &[String]) -> bool {
    let in_headers = headers.get_all(HOST).iter();
    let known = |host: &str| is_known(host, configured);
    uri.authority().is_none_or(|authority| known(authority.as_str()))
        && in_headers.map(|host| host.to_str().ok()).all(|host| host.is_some_and(known))
}

/// Whether one host, with or without a port, is one of ours.
fn is_known(host: &str, configured: &[String]) -> bool {
    if host.contains('@') {
        return false;
    }
    let name = without_port(host);
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    if let Some(address) = address {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name.parse::<Ipv4Addr>().is_ok()
        || !name.is_empty()
            && !name.contains('.')
            && !name.bytes().all(|byte| byte.is_ascii_digit())
        || PRIVATE.iter().any(|end| name.len() > end.len() && name.ends_with(end))
        || configured.contains(&name)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(host: &str) -> bool {
        is_known(host, &["gateway.example.com".to_owned()])
    }

    #[test]
    fn addresses_private_names_and_configured_ones_are_known() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8081",
            "10.1.2.3:8081",
            "[::1]:8081",
            "[fd00::7]",
            "localhost",
            "LOCALHOST:8081",
            "gateway",
            "gateway-admin:8081",
            "gateway-admin.prod.svc:8081",
            "gateway-admin.prod.svc.cluster.local",
            "gateway.corp.internal",
            "gateway.example.com",
            "Gateway.Example.com.:443",
        ] {
            assert!(known(host), "{host}");
        }
    }

    #[test]
    fn names_that_somebody_else_may_own_are_not() {
        for host in [
            "evil.example",
            "evil.example:8081",
            "gateway.example.com.evil.example",
            "127.0.0.1.nip.io",
            "localhost.evil.example",
            "svc",
            ".svc",
            "",
            ":8081",
            "a@127.0.0.1",
            "gateway.example.com@evil.example",
            "[evil.example]",
            "2130706433",
            "0x7f.1",
            "evil.svc.example",
            "sub.gateway.example.com",
        ] {
            assert_eq!(known(host), host == "svc", "{host}");
        }
    }
}
