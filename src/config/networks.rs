//! Lists of IP addresses and networks, for `allow_from` and `trusted_proxies`.

use std::net::IpAddr;

use ipnet::IpNet;

/// A list of networks. A single address is a network of one address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// Why a text is not a network, and what to write instead.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NetworkFault {
    pub(super) message: String,
    pub(super) hint: String,
}

impl Networks {
    /// A list of these networks.
    pub(super) fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// A list of the networks that these texts name.
    #[cfg(test)]
    pub(crate) fn of(texts: &[&str]) -> Self {
        Self(texts.iter().map(|text| network(text).expect("a network")).collect())
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the address is in one of the networks. An IPv4 address that is mapped into IPv6
    /// counts as the IPv4 address.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Reads an address or a network in CIDR notation.
///
/// A network with host bits set is refused and not rounded: `10.1.2.3/8` may mean one address or
/// sixteen million.
pub(super) fn network(text: &str) -> Result<IpNet, NetworkFault> {
    let fault = |message: String, hint: String| NetworkFault { message, hint };
    if let Ok(address) = text.parse::<IpAddr>() {
        return match (address, address.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(plain)) => Err(fault(
                format!("`{text}` is an IPv4 address written as IPv6"),
                format!("write {plain}, which stands for both forms"),
            )),
            _ => Ok(IpNet::from(address)),
        };
    }
    let Ok(network) = text.parse::<IpNet>() else {
        return Err(fault(
            format!("`{text}` is not an IP address or network"),
            "write an address such as 203.0.113.7, or a network such as 10.0.0.0/8 or \
             2001:db8::/32; names are not looked up"
                .to_owned(),
        ));
    };
    if network.addr() != network.network() {
        return Err(fault(
            format!("`{text}` has bits set beyond its prefix"),
            format!(
                "the network is {}; for the one address write {}",
                network.trunc(),
                network.addr()
            ),
        ));
    }
    if let IpNet::V6(v6) = network
        && let Some(plain) = v6.addr().to_ipv4_mapped()
        && v6.prefix_len() >= 96
    {
        return Err(fault(
            format!("`{text}` is an IPv4 network written as IPv6"),
            format!("write {plain}/{}, which stands for both forms", v6.prefix_len() - 96),
        ));
    }
    Ok(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contain(networks: &Networks, address: &str) -> bool {
        networks.contain(address.parse().expect("an address"))
    }

    #[test]
    fn an_address_is_in_its_networks_in_either_form() {
        let some = Networks::of(&["10.0.0.0/8", "203.0.113.7", "2001:db8::/32"]);
        for inside in ["10.255.0.1", "203.0.113.7", "::ffff:10.1.2.3", "2001:db8:1::1"] {
            assert!(contain(&some, inside), "{inside}");
        }
        for outside in ["11.0.0.0", "203.0.113.8", "::10.1.2.3", "2001:db9::1", "::ffff:8.8.8.8"] {
            assert!(!contain(&some, outside), "{outside}");
        }
    }

    #[test]
    fn what_could_mean_two_things_is_refused_with_both() {
        let fault = network("10.1.2.3/8").expect_err("host bits");
        assert!(fault.hint.contains("10.0.0.0/8") && fault.hint.contains("10.1.2.3"), "{fault:?}");
        let fault = network("::ffff:10.0.0.0/104").expect_err("IPv4");
        assert!(fault.hint.contains("10.0.0.0/8"), "{fault:?}");
        assert!(network("::ffff:10.0.0.1").expect_err("IPv4").hint.contains("10.0.0.1"));
        for odd in ["", "localhost", "10.0.0.0/33", "10.0.0", "010.0.0.1", "::/129"] {
            assert!(network(odd).is_err(), "{odd}");
        }
    }
}
