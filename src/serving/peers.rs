//! Who is on the other side, for what one client may hold. Pure.

use std::net::{IpAddr, Ipv6Addr};

/// One client, as shares are counted: an IPv4 address, or an IPv6 network of 64 bits, since whoever has one
/// address of such a network has all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Peer(IpAddr);

impl Peer {
    /// The client with this address. An IPv4 address that is written as IPv6 is the IPv4 address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = address.to_bits() >> 64 << 64;
                Self(Ipv6Addr::from_bits(network).into())
            }
            address => Self(address),
        }
    }

    /// All requests whose client's address is not known, together.
    pub const UNKNOWN: Self = Self(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
}

/// What one client may hold of something that there is `total` of: this many percent, and at least one.
pub fn share_of(total: u64, percent: u32) -> u64 {
    let share = (u128::from(total) * u128::from(percent)).div_ceil(100);
    u64::try_from(share).unwrap_or(u64::MAX).clamp(1, total.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Peer {
        Peer::of(text.parse().expect("an address"))
    }

    #[test]
    fn an_ipv6_network_is_one_client_and_an_ipv4_address_is_one() {
        assert_eq!(peer("2001:db8:1:2::1"), peer("2001:db8:1:2:ffff::9"));
        assert_ne!(peer("2001:db8:1:2::1"), peer("2001:db8:1:3::1"));
        assert_eq!(peer("203.0.113.9"), peer("::ffff:203.0.113.9"));
        assert_ne!(peer("203.0.113.9"), peer("203.0.113.10"));
    }

    #[test]
    fn a_share_is_rounded_up_and_never_more_than_there_is() {
        for (total, percent, share) in
            [(1024, 50, 512), (1, 50, 1), (3, 50, 2), (10, 100, 10), (7, 1, 1)]
        {
            assert_eq!(share_of(total, percent), share, "{percent} % of {total}");
        }
        assert_eq!(share_of(u64::MAX, 100), u64::MAX);
    }
}
