//! This file is where the printed configurations are looked at; the real proxies run them in interop/proxies.

use clap::Parser as _;

use super::*;
use crate::args::{Command, CommandLine};

fn flags(words: &[&str]) -> GuardSnippet {
    let line = CommandLine::parse_from(["gatepost", "guard", "snippet"].iter().chain(words));
    let Command::Guard(GuardCommand::Snippet(flags)) = line.command else { panic!("another command") };
    flags
}

fn snippet(words: &[&str]) -> Result<String, Trouble> {
    let flags = flags(words);
    let gatepost = flags.url.clone().unwrap();
    let forwarding = Forwarding::of(&flags, Slug::parse(&flags.api).unwrap(), gatepost)?;
    match flags.proxy {
        Proxy::Nginx => Ok(nginx::snippet(&forwarding)),
        Proxy::Apache => apache::snippet(&forwarding),
        Proxy::Caddy => Ok(caddy::snippet(&forwarding)),
        Proxy::Haproxy => panic!("HAProxy does not ask"),
    }
}

/// Whether a place in a template was left unfilled.
fn holds_a_mark(text: &str) -> bool {
    let mark =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    text.split('@').skip(1).any(mark)
}

const ASKING: [&str; 3] = ["nginx", "apache", "caddy"];

#[test]
fn every_place_of_a_template_is_filled() {
    for proxy in ASKING {
        let text = snippet(&[proxy, "--url", "http://127.0.0.1:8460"]).unwrap();
        assert!(!holds_a_mark(&text), "{text}");
        assert!(text.contains("/forward-auth?api=default"), "{text}");
        assert!(text.contains("8460") && text.contains("127.0.0.1:3000") && text.contains("8080"), "{text}");
    }
    assert!(holds_a_mark("a @HOST@ b"));
}

#[test]
fn a_scope_can_hold_no_syntax_of_a_proxy() {
    let scope = "$a{b}%;'#@API@/c";
    for proxy in ASKING {
        let text =
            snippet(&[proxy, "--url", "http://a:1", "--scope", scope, "--any", "x", "--any", "y", "--live"])
                .unwrap();
        let question = "?api=default&scope=%24a%7Bb%7D%25%3B%27%23%40API%40%2Fc&any=x&any=y&live=1";
        assert!(text.contains(question), "{text}");
    }
    assert_eq!(snippet(&["nginx", "--url", "http://a:1", "--scope", "a b"]).unwrap_err().code, "guard.scope");
}

#[test]
fn every_proxy_overwrites_or_drops_what_callers_say_of_themselves() {
    for proxy in ASKING {
        let text = snippet(&[proxy, "--url", "http://a:1"]).unwrap();
        for header in ["X-Partner-Id", "X-Client-Id", "X-Scopes", "X-Is-Test"] {
            assert!(text.contains(header), "{proxy} {header}");
        }
    }
}

#[test]
fn no_proxy_passes_on_another_method_than_the_one_that_was_judged() {
    for (proxy, dropped) in [
        ("nginx", ["X-HTTP-Method \"\"", "X-HTTP-Method-Override \"\"", "X-Method-Override \"\""]),
        ("apache", ["\"x-http-method\"", "\"x-http-method-override\"", "\"x-method-override\""]),
        ("caddy", ["-X-Http*", "-X-Method*", "-X_*"]),
    ] {
        let text = snippet(&[proxy, "--url", "http://a:1"]).unwrap();
        assert!(dropped.iter().all(|header| text.contains(header)), "{text}");
    }
}

#[test]
fn tls_to_gatepost_is_verified_or_refused() {
    let nginx = snippet(&["nginx", "--url", "https://auth.example.com"]).unwrap();
    assert!(
        nginx.contains("proxy_ssl_verify on;") && nginx.contains("server auth.example.com:443;"),
        "{nginx}"
    );
    let caddy = snippet(&["caddy", "--url", "https://auth.example.com"]).unwrap();
    assert!(caddy.contains("forward_auth https://auth.example.com "), "{caddy}");
    assert_eq!(snippet(&["apache", "--url", "https://auth.example.com"]).unwrap_err().code, "guard.url");
}
