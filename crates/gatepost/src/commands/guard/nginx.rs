//! This file is where the configuration of nginx is written: `auth_request` to `GET /forward-auth`.

use super::{Forwarding, fill};

const TEMPLATE: &str = include_str!("nginx.conf");

/// Without these lines nginx would take any certificate.
const TLS: &str = "        proxy_ssl_server_name on;
        proxy_ssl_name @HOST_NAME@;
        proxy_ssl_verify on;
        proxy_ssl_verify_depth 3;
        proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
";

/// The configuration, to be included inside `http`.
pub(super) fn snippet(forwarding: &Forwarding<'_>) -> String {
    let scheme = forwarding.gatepost.scheme();
    let server = format!("{}:{}", forwarding.host(), forwarding.port());
    let values = [
        ("TLS", if scheme == "https" { TLS } else { "" }),
        ("API", forwarding.api.as_str()),
        ("LISTEN", &forwarding.flags.listen.to_string()),
        ("UPSTREAM", &forwarding.flags.upstream),
        ("SCHEME", scheme),
        ("GATEPOST", &server),
        ("HOST", &forwarding.authority()),
        ("HOST_NAME", forwarding.host()),
        ("QUESTION", &forwarding.question),
    ];
    fill(TEMPLATE, &values)
}
