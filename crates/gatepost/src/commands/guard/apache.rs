//! This file is where the configuration of Apache httpd is written: a few lines of Lua that ask `GET /forward-auth`.
//!
//! Apache has no module of its own that asks an HTTP server about a request, and none that verifies a JWT. mod_lua
//! comes with it, and LuaSocket with every distribution.

use super::{Forwarding, fill};
use crate::ending::Trouble;

const TEMPLATE: &str = include_str!("apache.conf");

/// The configuration, to be included by the server; LuaSocket speaks no TLS.
pub(super) fn snippet(forwarding: &Forwarding<'_>) -> Result<String, Trouble> {
    if forwarding.gatepost.scheme() != "http" {
        let what = format!("Apache can't ask at {}", forwarding.gatepost);
        let fix = "give --url with the http address of a Gatepost on this machine or in a private network";
        return Err(Trouble::usage("guard.url", what, "LuaSocket speaks no TLS", fix));
    }
    let values = [
        ("API", forwarding.api.as_str()),
        ("LISTEN", &forwarding.flags.listen.to_string()),
        ("UPSTREAM", &forwarding.flags.upstream),
        ("ADDRESS", forwarding.host().trim_matches(['[', ']'])),
        ("PORT", &forwarding.port().to_string()),
        ("HOST", &forwarding.authority()),
        ("QUESTION", &forwarding.question),
    ];
    Ok(fill(TEMPLATE, &values))
}
