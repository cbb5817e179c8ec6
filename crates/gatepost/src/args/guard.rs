//! This file is where the commands about what protects an API are described.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use url::Url;

/// What protects an API.
#[derive(Debug, Subcommand)]
pub(crate) enum GuardCommand {
    /// Print the configuration by which a proxy lets calls through only with a token
    Snippet(GuardSnippet),
}

/// What the configuration of a proxy is made of.
#[derive(Debug, Args)]
pub(crate) struct GuardSnippet {
    /// The proxy
    #[arg(value_enum)]
    pub(crate) proxy: Proxy,
    /// The API's name
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) api: String,
    /// Where the proxy reaches Gatepost [default: the issuer]
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub(crate) url: Option<Url>,
    /// A scope that every call needs; may be repeated, then all are needed
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// A scope of which every call needs at least one; may be repeated
    #[arg(long, value_name = "SCOPE")]
    pub(crate) any: Vec<String>,
    /// Let no test client through
    #[arg(long)]
    pub(crate) live: bool,
    /// Where the proxy listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Where the API behind the proxy listens
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:3000", value_parser = host_and_port)]
    pub(crate) upstream: String,
    /// HAProxy only: the folder of the API's public keys
    #[arg(long, value_name = "DIR", default_value = "/etc/haproxy/gatepost")]
    pub(crate) keys: PathBuf,
    /// HAProxy only: write the API's public keys into that folder
    #[arg(long)]
    pub(crate) write_keys: bool,
}

/// The proxies that Gatepost knows how to set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Proxy {
    /// nginx, by auth_request
    Nginx,
    /// HAProxy 2.6 or newer, by its own jwt_verify: tokens are checked without Gatepost, so revocation is not seen
    Haproxy,
    /// Apache httpd 2.4, by mod_lua and LuaSocket
    Apache,
    /// Caddy 2.6 or newer, by forward_auth
    Caddy,
}

/// Reads an address that is scheme, host and port and nothing else; what is printed is then free of foreign syntax.
pub(crate) fn base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}; write it like http://127.0.0.1:8460"))?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let anonymous = url.username().is_empty() && url.password().is_none();
    // A URL's host may hold `;`, `$` and braces, which a proxy would read as syntax.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    let named = url.host_str().is_some_and(|host| host.bytes().all(plain));
    if matches!(url.scheme(), "http" | "https") && named && bare && anonymous {
        return Ok(url);
    }
    Err("give scheme, host and port only, like http://127.0.0.1:8460".to_owned())
}

/// Reads `host:port`; the host is a name, an IPv4 address or an IPv6 address in brackets.
fn host_and_port(text: &str) -> Result<String, String> {
    let fix = || "write it like 127.0.0.1:3000 or api.internal:3000".to_owned();
    if text.parse::<SocketAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(fix)?;
    let named =
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    let numbered =
        port.parse::<u16>().is_ok_and(|port| port > 0) && port.bytes().all(|byte| byte.is_ascii_digit());
    if named && numbered { Ok(text.to_owned()) } else { Err(fix()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_gatepost_holds_no_more_than_scheme_host_and_port() {
        for good in ["http://127.0.0.1:8460", "https://auth.example.com", "http://[::1]:8460/"] {
            assert!(base_url(good).is_ok(), "{good}");
        }
        for bad in [
            "127.0.0.1:8460",
            "ftp://a",
            "http://a/b",
            "http://a?x",
            "http://u:p@a",
            "http://a#b",
            "http://a;b",
        ] {
            assert!(base_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_upstream_can_hold_no_syntax_of_a_proxy() {
        for good in ["127.0.0.1:3000", "[::1]:3000", "api.internal:80"] {
            assert!(host_and_port(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "a:",
            "a:0",
            "a:+1",
            "a:70000",
            "a b:1",
            "a;b:1",
            "$a:1",
            "{a}:1",
            "a\n:1",
            "http://a:1",
            "@A@:1",
        ] {
            assert!(host_and_port(bad).is_err(), "{bad}");
        }
    }
}
