//! The client's address: the peer of the connection, or the address that trusted proxies report. Pure.
//!
//! Each proxy appends the address that it saw at the right end of the list. So the list is read from the
//! right, and reading stops at the first address that is not a trusted proxy. Entries further left were
//! written by that client or before it, and are never believed.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

use crate::config::{Networks, ProxyHeader};

const X_FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED: &str = "forwarded";

/// The client's address, found behind the peer of the connection.
///
/// Where a trusted proxy names no address, or something that is not one, the result is that proxy's own
/// address. An IPv4 address written as IPv6 is returned as IPv4.
pub fn client(
    peer: IpAddr,
    headers: &HeaderMap,
    header: ProxyHeader,
    trusted: &Networks,
) -> IpAddr {
    behind(Some(peer), headers, header, trusted).unwrap_or_else(|| peer.to_canonical())
}

/// The client's address, found behind the other side of a connection: an address, or none for the proxy on a Unix socket,
/// which is trusted. None where that proxy names no address either.
pub fn behind(
    remote: Option<IpAddr>,
    headers: &HeaderMap,
    header: ProxyHeader,
    trusted: &Networks,
) -> Option<IpAddr> {
    let mut address = remote.map(|address| address.to_canonical());
    let mut named: Box<dyn Iterator<Item = Option<IpAddr>>> = match header {
        ProxyHeader::XForwardedFor => Box::new(lines(headers, X_FORWARDED_FOR).flat_map(|line| {
            line.rsplit(|byte| *byte == b',').map(|entry| node(str::from_utf8(entry).ok()?))
        })),
        ProxyHeader::Forwarded => Box::new(
            lines(headers, FORWARDED).flat_map(|line| from_right(line, b',').map(forwarded_for)),
        ),
    };
    while address.is_none_or(|address| trusted.contain(address))
        && let Some(Some(next)) = named.next()
    {
        address = Some(next);
    }
    address
}

/// The forwarding header that is ignored since the peer is not a trusted proxy, so that the log can name it.
pub(super) fn unbelieved(
    remote: Option<IpAddr>,
    headers: &HeaderMap,
    trusted: &Networks,
) -> Option<&'static str> {
    let is_trusted = remote.is_none_or(|address| trusted.contain(address.to_canonical()));
    let names = [X_FORWARDED_FOR, FORWARDED].into_iter();
    names.filter(|_| !is_trusted).find(|name| headers.contains_key(*name))
}

/// The values of a header, the last one first.
fn lines<'h>(headers: &'h HeaderMap, name: &'static str) -> impl Iterator<Item = &'h [u8]> {
    headers.get_all(name).iter().rev().map(http::HeaderValue::as_bytes)
}

/// The address in one element of `Forwarded`: the value of its only `for`.
///
/// An element with an unclosed quote has no address: joined with what a client wrote further left, it
/// would be another element.
fn forwarded_for(element: &[u8]) -> Option<IpAddr> {
    let element = str::from_utf8(element).ok()?;
    let quotes = (0..element.len()).filter(|at| is_quote(element.as_bytes(), *at)).count();
    if !quotes.is_multiple_of(2) {
        return None;
    }
    let pairs = from_right(element.as_bytes(), b';').filter_map(|pair| {
        let (name, value) = str::from_utf8(pair).ok()?.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value)
    });
    let values: Vec<&str> = pairs.collect();
    let [value] = values[..] else { return None };
    let value = value.trim();
    match value.strip_prefix('"') {
        Some(quoted) => node(quoted.strip_suffix('"')?),
        None => node(value),
    }
}

/// The pieces between separators outside of quotes, the last one first. Quotes are matched from the right
/// too, so an unclosed quote further left cannot swallow what a proxy appended.
fn from_right(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut quoted = false;
        let cut = (0..text.len()).rev().find(|&at| {
            quoted ^= is_quote(text, at);
            text[at] == separator && !quoted
        });
        rest = cut.map(|at| &text[..at]);
        Some(cut.map_or(text, |at| &text[at + 1..]))
    })
}

/// Whether the byte here is a quote that is not escaped by a backslash.
fn is_quote(text: &[u8], at: usize) -> bool {
    let escapes = || text[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
    text[at] == b'"' && escapes().is_multiple_of(2)
}

/// Parses an address with or without a port. An IPv6 address may stand in brackets.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    let address = text.parse().ok().or_else(with_port).or_else(bracketed)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client's address for a connection from 10.0.0.1, where 10.0.0.0/8 and fd00::/8 are trusted.
    fn found(header: ProxyHeader, lines: &[&str]) -> String {
        let name = match header {
            ProxyHeader::XForwardedFor => X_FORWARDED_FOR,
            ProxyHeader::Forwarded => FORWARDED,
        };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, line.parse().expect("a header"));
        }
        let peer = "::ffff:10.0.0.1".parse().expect("an address");
        client(peer, &headers, header, &Networks::of(&["10.0.0.0/8", "fd00::/8"])).to_string()
    }

    fn x_forwarded_for(lines: &[&str]) -> String {
        found(ProxyHeader::XForwardedFor, lines)
    }

    fn forwarded(lines: &[&str]) -> String {
        found(ProxyHeader::Forwarded, lines)
    }

    #[test]
    fn a_header_from_an_untrusted_peer_is_not_believed() {
        let peer = "203.0.113.9".parse().expect("an address");
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_FOR, "10.0.0.7".parse().expect("a header"));
        headers.append(FORWARDED, "for=10.0.0.7".parse().expect("a header"));
        for header in [ProxyHeader::XForwardedFor, ProxyHeader::Forwarded] {
            let trusted = Networks::of(&["10.0.0.0/8"]);
            assert_eq!(client(peer, &headers, header, &trusted), peer);
            assert_eq!(unbelieved(Some(peer), &headers, &trusted), Some(X_FORWARDED_FOR));
            let other = Networks::of(&["203.0.113.0/24"]);
            assert_eq!(unbelieved(Some(peer), &headers, &other), None);
        }
    }

    #[test]
    fn the_proxy_on_a_unix_socket_is_believed_and_nothing_left_of_the_client_is() {
        let trusted = Networks::of(&["10.0.0.0/8"]);
        for (line, expected) in [
            (Some("203.0.113.9"), Some("203.0.113.9")),
            (Some("1.1.1.1, 203.0.113.9"), Some("203.0.113.9")),
            (Some("203.0.113.9, 10.2.0.1"), Some("203.0.113.9")),
            (Some("unix:"), None),
            (Some("203.0.113.9, unknown"), None),
            (Some(""), None),
            (None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.extend(line.map(|line| {
                (http::HeaderName::from_static(X_FORWARDED_FOR), line.parse().expect("a header"))
            }));
            let found = behind(None, &headers, ProxyHeader::XForwardedFor, &trusted);
            assert_eq!(found.map(|address| address.to_string()).as_deref(), expected, "{line:?}");
            assert_eq!(unbelieved(None, &headers, &trusted), None, "{line:?}");
        }
    }

    #[test]
    fn the_list_is_walked_from_the_right_past_trusted_proxies() {
        for (lines, expected) in [
            (&["203.0.113.9"][..], "203.0.113.9"),
            (&["1.1.1.1, 203.0.113.9, 10.2.0.1"], "203.0.113.9"),
            (&["1.1.1.1", "203.0.113.9, 10.2.0.1", "fd00::1"], "203.0.113.9"),
            (&["203.0.113.9:4711"], "203.0.113.9"),
            (&["[2001:db8::1]:4711"], "2001:db8::1"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["::ffff:203.0.113.9"], "203.0.113.9"),
            (&["10.0.0.3, ::ffff:10.0.0.2"], "10.0.0.3"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(x_forwarded_for(lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn the_elements_of_forwarded_are_read_as_its_standard_says() {
        for (lines, expected) in [
            (&["for=203.0.113.9"][..], "203.0.113.9"),
            (&["For=\"203.0.113.9:4711\";proto=https;by=10.0.0.1"], "203.0.113.9"),
            (&["for=\"[2001:db8:cafe::17]:4711\""], "2001:db8:cafe::17"),
            (&["proto=https; for=203.0.113.9 , for=10.2.0.1"], "203.0.113.9"),
            (&["for=203.0.113.9;host=\"a,b;for=1.1.1.1\\\"\""], "203.0.113.9"),
            (&["for=1.1.1.1", "for=203.0.113.9"], "203.0.113.9"),
        ] {
            assert_eq!(forwarded(lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn where_a_trusted_hop_names_no_address_its_own_is_taken() {
        for line in ["unknown", "", ",", "203.0.113.9,", "_hidden", "203.0.113", "a b", "[::1"] {
            assert_eq!(x_forwarded_for(&[line]), "10.0.0.1", "{line}");
        }
        assert_eq!(x_forwarded_for(&["203.0.113.9, nonsense, 10.2.0.1"]), "10.2.0.1");
        for line in [
            "for=unknown",
            "for=_hidden",
            "by=203.0.113.9",
            "203.0.113.9",
            "for=\"203.0.113.9",
            "for=203.0.113.9;for=203.0.113.8",
            "host=a\"b;for=203.0.113.9",
            "",
        ] {
            assert_eq!(forwarded(&[line]), "10.0.0.1", "{line}");
        }
    }

    #[test]
    fn what_a_client_writes_on_the_left_cannot_hide_what_a_proxy_adds_on_the_right() {
        for left in ["for=\"", "\"", "for=\"\\", "for=\"\\\"", ";;\\", "for=10.9.9.9, for=\""] {
            let line = format!("{left}, for=203.0.113.9;host=\"x\"");
            assert_eq!(forwarded(&[&line]), "203.0.113.9", "{line}");
            assert_eq!(forwarded(&[left, "for=203.0.113.9"]), "203.0.113.9", "{left}");
        }
        // Nor does it help against a proxy that copies a quote from the client's `Host`.
        for left in ["", "for=10.9.9.9;x=\", ", "x=\", "] {
            let line = format!("{left}host=a\"b;for=203.0.113.9");
            assert_ne!(forwarded(&[&line]), "10.9.9.9", "{line}");
        }
    }
}
