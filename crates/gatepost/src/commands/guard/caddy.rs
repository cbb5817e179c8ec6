//! This file is where the configuration of Caddy is written: `forward_auth` to `GET /forward-auth`.

use super::{Forwarding, fill};

const TEMPLATE: &str = include_str!("caddy.conf");

/// The configuration, to be imported into the Caddyfile.
pub(super) fn snippet(forwarding: &Forwarding<'_>) -> String {
    let gatepost = format!("{}://{}", forwarding.gatepost.scheme(), forwarding.authority());
    let listen = forwarding.flags.listen;
    let ip = if listen.is_ipv6() { format!("[{}]", listen.ip()) } else { listen.ip().to_string() };
    let values = [
        ("API", forwarding.api.as_str()),
        ("LISTEN_IP", &ip),
        ("LISTEN_PORT", &listen.port().to_string()),
        ("UPSTREAM", &forwarding.flags.upstream),
        ("GATEPOST_URL", &gatepost),
        ("HOST", &forwarding.authority()),
        ("QUESTION", &forwarding.question),
    ];
    fill(TEMPLATE, &values)
}
