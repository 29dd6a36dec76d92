//! The address that a request came from: nobody but a trusted proxy says it, and what a client wrote
//! at the left never changes one that was found.

use std::net::IpAddr;

use cdsw_gateway::config::ProxyHeader;
use cdsw_gateway::receive::client_address;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{line, site, text_line};

/// The peer on the first line (a proxy that is trusted, where it is no address), what a client adds
/// at the left on the second, then a line for each line of the header.
pub fn run(data: &[u8]) {
    let (peer, rest) = text_line(data);
    let (left, rest) = line(rest);
    let peer: IpAddr = peer.trim().parse().unwrap_or(IpAddr::from([10, 0, 0, 1]));
    let lines: Vec<&[u8]> = rest.split(|byte| *byte == b'\n').collect();
    for (header, name) in [
        (ProxyHeader::XForwardedFor, HeaderName::from_static("x-forwarded-for")),
        (ProxyHeader::Forwarded, HeaderName::from_static("forwarded")),
    ] {
        let found = |lines: &[&[u8]]| {
            let values: Result<Vec<_>, _> =
                lines.iter().map(|line| HeaderValue::from_bytes(line)).collect();
            let pairs = values.ok()?.into_iter().map(|value| (name.clone(), value));
            Some(client_address(peer, &pairs.collect::<HeaderMap>(), header, trusted()))
        };
        let Some(address) = found(&lines) else { return };
        assert_eq!(address, address.to_canonical());
        if !trusted().contain(peer) {
            assert_eq!(address, peer.to_canonical(), "a header of a stranger was believed");
        }
        if trusted().contain(address) {
            // The list was not long enough, or a proxy wrote no address.
            continue;
        }
        let joined = [left, b", ", lines[0]].concat();
        let in_line = [&[&joined[..]], &lines[1..]].concat();
        let above = [&[left], &lines[..]].concat();
        for longer in [in_line, above] {
            if let Some(other) = found(&longer) {
                assert_eq!(other, address, "what was written at the left changed what was found");
            }
        }
    }
}

fn trusted() -> &'static cdsw_gateway::config::Networks {
    &site::plan().server.trusted_proxies
}
