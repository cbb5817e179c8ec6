//! This file is where addresses of clients' key sets are held to what a server may fetch from (RFC 8725 section 3.10).
//!
//! A client chooses the address, this server's network opens it: so only https, only public addresses, and the decision
//! is made on the resolved address that is then connected to, not on the name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

/// Why an address is not fetched from; the text says how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {fix}")]
pub struct BadJwksUri {
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub fix: &'static str,
}

/// What an operator allows though it is not public.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Hosts, in lower case; whatever they resolve to.
    pub hosts: Vec<String>,
    /// Networks; whatever name leads there.
    pub networks: Vec<IpNet>,
}

impl Allowed {
    fn has_host(&self, host: &str) -> bool {
        let plain = |name: &str| name.trim_end_matches('.').to_ascii_lowercase();
        self.hosts.iter().any(|allowed| plain(allowed) == plain(host))
    }

    fn has_address(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address.to_canonical()))
    }
}

/// The address of a key set that may be fetched, as far as the text tells; [`JwksUri::admit`] judges where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwksUri(Url);

const GIVE_HTTPS: &str = "give an https address without user, password and fragment";
const GIVE_PUBLIC: &str =
    "give a public address, or let the operator name the host in clients.jwks_uri_allow";

impl JwksUri {
    /// Accepts an address by its text.
    pub fn parse(text: &str, allowed: &Allowed) -> Result<Self, BadJwksUri> {
        let url = Url::parse(text).map_err(|_| bad("the jwks_uri is no address", GIVE_HTTPS))?;
        if url.scheme() != "https" {
            return Err(bad("the jwks_uri is not https", GIVE_HTTPS));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(bad("the jwks_uri holds a user, password or fragment", GIVE_HTTPS));
        }
        if url.port().is_some_and(|port| port < 1024) {
            return Err(bad(
                "the jwks_uri names a port of another service",
                "take port 443 or one above 1023",
            ));
        }
        let uri = Self(url);
        match uri.host() {
            Host::Ipv4(address) => uri.admit(&[address.into()], allowed)?,
            Host::Ipv6(address) => uri.admit(&[address.into()], allowed)?,
            Host::Domain(name) if is_local(name) && !allowed.has_host(name) => {
                return Err(bad("the jwks_uri leads to this machine itself", GIVE_PUBLIC));
            }
            Host::Domain(_) => {}
        }
        Ok(uri)
    }

    /// Judges the addresses that the host resolved to; one that is not public spoils them all.
    pub fn admit(&self, resolved: &[IpAddr], allowed: &Allowed) -> Result<(), BadJwksUri> {
        let internal =
            resolved.iter().find(|address| !is_public(**address) && !allowed.has_address(**address));
        if let Some(address) = internal.filter(|_| !self.is_allowed_by_name(allowed)) {
            let what = format!("the jwks_uri leads to {address}, which is not public");
            return Err(BadJwksUri { what, fix: GIVE_PUBLIC });
        }
        if resolved.is_empty() {
            return Err(bad("the host of the jwks_uri has no address", GIVE_PUBLIC));
        }
        Ok(())
    }

    /// Whether it is fetched only because the operator allows what is not public.
    pub fn is_internal(&self, resolved: &[IpAddr], allowed: &Allowed) -> bool {
        self.is_allowed_by_name(allowed) || resolved.iter().any(|address| allowed.has_address(*address))
    }

    fn is_allowed_by_name(&self, allowed: &Allowed) -> bool {
        self.0.host_str().is_some_and(|host| allowed.has_host(host))
    }

    /// The whole address.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The host.
    pub fn host(&self) -> Host<&str> {
        // An https address has a host, or it would not have parsed.
        self.0.host().unwrap_or(Host::Domain(""))
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.0.port().unwrap_or(443)
    }
}

fn bad(what: &str, fix: &'static str) -> BadJwksUri {
    BadJwksUri { what: what.to_owned(), fix }
}

fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether an address is one that the public internet routes, and so nothing that only this server can reach.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// By the IANA registry of special-purpose addresses (RFC 6890), and the one public address that a cloud made its own.
fn is_public_v4(address: Ipv4Addr) -> bool {
    const AZURE: [u8; 4] = [168, 63, 129, 16];
    let special = match address.octets() {
        [0 | 10 | 127, ..] | [224..=255, ..] => true,
        [100, second, ..] => (64..128).contains(&second),
        [169, 254, ..] | [192, 168, ..] => true,
        [172, second, ..] => (16..32).contains(&second),
        [192, 0, 0 | 2, _] | [192, 88, 99, _] => true,
        [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        octets => octets == AZURE,
    };
    !special
}

/// Of IPv6 only what is assigned to global unicast is public; an IPv4 address inside is judged as such.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    match address.segments() {
        // NAT64 (RFC 6052): how a network without IPv4 reaches it.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Protocol assignments with Teredo, documentation, 6to4.
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x2002, ..] => false,
        [0x3fff, second, ..] => second >= 0x1000,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first and last of each special range, and what clouds keep their secrets at.
    const INSIDE: &str = "\
        0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 100.100.100.200 127.0.0.1 \
        127.255.255.254 169.254.169.254 168.63.129.16 172.16.0.1 172.31.255.255 192.0.0.192 \
        192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 \
        224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::10.0.0.1 ::8.8.8.8 \
        ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 \
        64:ff9b::a9fe:a9fe 64:ff9b:1::808:808 100::1 2001::1 2001:10::1 2001:db8::1 2002:7f00:1:: \
        2002:808:808:: 3fff::1 3fff:fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1";

    /// Their neighbours, and some that everybody knows.
    const OUTSIDE: &str = "\
        1.1.1.1 8.8.8.8 93.184.215.14 100.63.255.255 100.128.0.1 172.15.255.255 172.32.0.1 192.0.1.1 \
        192.167.1.1 198.17.1.1 198.20.0.1 203.0.112.1 223.255.255.254 168.63.129.17 ::ffff:8.8.8.8 \
        64:ff9b::808:808 2001:200::1 2001:4860:4860::8888 2606:4700::1111 2a00:1450::1 3ffe::1 \
        3fff:1000::1";

    fn parse(text: &str) -> Result<JwksUri, BadJwksUri> {
        JwksUri::parse(text, &Allowed::default())
    }

    #[test]
    fn only_plain_https_addresses_that_may_be_public_are_accepted() {
        for good in [
            "https://keys.example/jwks.json",
            "https://keys.example:8443/a?b=c",
            "https://93.184.215.14/j",
            "https://[2606:4700::1111]/j",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for (row, bad) in [
            ("A029", "http://127.0.0.1:8080/jwks"),
            ("A030", "https://[::1]/jwks"),
            ("A031", "https://[::ffff:127.0.0.1]/j"),
            ("A032", "https://169.254.169.254/latest/meta-data"),
            ("A033", "https://2130706433/"),
            ("A034", "https://0x7f.1/"),
            ("A036", "https://localhost./j"),
            ("A037", "file:///etc/passwd"),
            ("A038", "gopher://127.0.0.1:25/_x"),
            ("A041", "https://user:pw@evil/j"),
            ("A042", "http://plain.example/jwks"),
            ("localhost", "https://localhost/j"),
            ("a name of it", "https://a.LOCALHOST/j"),
            ("octal", "https://0177.0.0.1/j"),
            ("full-width digits", "https://１２７.0.0.1/j"),
            ("mail", "https://keys.example:25/j"),
            ("plain http's port", "https://keys.example:80/j"),
            ("a fragment", "https://keys.example/j#x"),
            ("no scheme", "keys.example/j"),
            ("nothing", ""),
        ] {
            assert!(parse(bad).is_err(), "{row}: {bad}");
        }
    }

    #[test]
    fn addresses_that_only_this_server_can_reach_are_not_public() {
        for text in INSIDE.split(' ') {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in OUTSIDE.split(' ') {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn one_inner_address_spoils_what_a_name_resolves_to() {
        let uri = parse("https://rebind.example/j").unwrap();
        let of = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        let admit = |texts: &[&str]| uri.admit(&of(texts), &Allowed::default());

        assert_eq!(admit(&["8.8.8.8", "1.1.1.1"]), Ok(()));
        assert!(admit(&["8.8.8.8", "10.0.0.1"]).unwrap_err().to_string().contains("10.0.0.1"));
        assert!(admit(&["::1"]).is_err());
        assert!(admit(&[]).is_err());
    }

    #[test]
    fn an_operator_may_allow_hosts_by_name_and_networks_by_address() {
        let by_name = Allowed { hosts: vec!["keys.internal".into(), "localhost".into()], networks: vec![] };
        let by_network = Allowed { hosts: vec![], networks: vec!["10.1.0.0/16".parse().unwrap()] };
        let ten = ["10.1.2.3".parse().unwrap()];

        let uri = JwksUri::parse("https://Keys.Internal./j", &by_name).unwrap();
        assert!(uri.admit(&ten, &by_name).is_ok());
        assert!(uri.admit(&ten, &by_network).is_ok());
        assert!(uri.admit(&["10.2.0.1".parse().unwrap()], &by_network).is_err());
        assert!(uri.admit(&["::ffff:10.1.2.3".parse().unwrap()], &by_network).is_ok());
        assert!(JwksUri::parse("https://localhost:8443/j", &by_name).is_ok());
        assert!(JwksUri::parse("https://10.1.9.9/j", &by_network).is_ok());
        assert!(JwksUri::parse("http://keys.internal/j", &by_name).is_err(), "https all the same");
    }

    #[test]
    fn what_is_allowed_by_name_or_network_is_told_from_what_is_public() {
        let allowed =
            Allowed { hosts: vec!["keys.internal".into()], networks: vec!["10.0.0.0/8".parse().unwrap()] };
        let public = parse("https://keys.example/j").unwrap();
        assert!(!public.is_internal(&["8.8.8.8".parse().unwrap()], &allowed));
        assert!(public.is_internal(&["10.0.0.1".parse().unwrap()], &allowed));
    }
}
