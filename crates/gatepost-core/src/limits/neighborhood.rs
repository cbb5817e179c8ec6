//! This file is where addresses become the ones that limits count: an IPv4 address, or the IPv6 network of one subscriber.

use std::net::{IpAddr, Ipv4Addr};

/// What counts as one caller: who has an IPv6 address mostly has the 2^64 beside it too (RFC 6177).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Neighborhood {
    /// One IPv4 address, also when it came as an IPv4-mapped IPv6 address.
    V4(Ipv4Addr),
    /// An IPv6 network of 64 bits.
    V6([u16; 4]),
    /// All whose address is not known: a trusted proxy wrote something unreadable.
    Unknown,
}

impl Neighborhood {
    /// Where that address counts.
    pub fn of(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => Self::V4(address),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
            None => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Neighborhood {
        Neighborhood::of(Some(text.parse().unwrap()))
    }

    #[test]
    fn an_ipv4_address_counts_alone_however_it_is_written() {
        assert_eq!(of("203.0.113.9"), of("::ffff:203.0.113.9"));
        assert_ne!(of("203.0.113.9"), of("203.0.113.10"));
    }

    #[test]
    fn an_ipv6_address_counts_with_its_network_of_64_bits() {
        assert_eq!(of("2001:db8:0:1::1"), of("2001:db8:0:1:ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
        assert_ne!(Neighborhood::of(None), of("::1"));
    }
}
