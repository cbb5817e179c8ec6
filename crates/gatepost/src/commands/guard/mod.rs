//! This folder is where the configuration of proxies is printed that lets calls through only with a token: a template
//! a proxy, and the values that it needs.
//!
//! The idea: nginx, Apache and Caddy ask `GET /forward-auth` about each call, so that a revoked token is refused within
//! a second. HAProxy can't ask without code of its own; it checks the token itself, and sees no revocation.
//! The limit: what is printed stands alone in the proxy's configuration; TLS of the callers is the operator's to add.

mod apache;
mod caddy;
mod haproxy;
mod nginx;

use std::fmt::Write as _;

use gatepost_operations::config::Loaded;
use gatepost_operations::core::name::Slug;
use gatepost_operations::core::scope::Scopes;
use gatepost_operations::{apis, master_key};
use serde::Serialize;
use url::Url;

use super::desk::at_desk;
use super::settings;
use crate::args::{Globals, GuardCommand, GuardSnippet, Proxy, base_url};
use crate::ending::{Exit, Trouble};
use crate::output::Output;

/// Carries out a command about what protects an API.
pub(super) fn run(globals: &Globals, command: GuardCommand, output: Output) -> Result<(), Trouble> {
    let GuardCommand::Snippet(flags) = command;
    let api = Slug::parse(&flags.api).map_err(|bad| {
        Trouble::usage(
            "guard.api",
            format!("`{}` is no API's name", flags.api),
            bad.to_string(),
            "see `gatepost api list`",
        )
    })?;
    warn_if_unknown(globals, &api, output);
    match flags.proxy {
        Proxy::Haproxy => {
            at_desk(globals, async |desk| print(output, &flags, haproxy::snippet(desk, &flags, &api)?))
        }
        Proxy::Nginx => print(output, &flags, nginx::snippet(&asking(globals, &flags, api)?)),
        Proxy::Apache => print(output, &flags, apache::snippet(&asking(globals, &flags, api)?)?),
        Proxy::Caddy => print(output, &flags, caddy::snippet(&asking(globals, &flags, api)?)),
    }
}

/// Where the state is at hand, a name that no API has is told; a proxy's machine has none, and prints all the same.
fn warn_if_unknown(globals: &Globals, api: &Slug, output: Output) {
    // What is wrong with the settings is told where they are needed.
    let Ok(Loaded { config, warnings }) = settings::layers(globals, []) else {
        return;
    };
    if !master_key::path(&config.data).exists() {
        warnings.iter().for_each(|warning| output.warn(warning));
        return;
    }
    let mut is_unknown = false;
    // A state that can't be opened says nothing of its APIs.
    let _ = at_desk(globals, async |desk| {
        is_unknown = apis::show(&desk.gate, api.as_str()).is_err();
        Ok(())
    });
    if is_unknown {
        let name = api.as_str();
        output.warn(&format!(
            "there is no API `{name}` here, so every call will be refused; see `gatepost api list`, or make it with \
             `gatepost api create {name} --audience URL`"
        ));
    }
}

/// What a proxy that asks Gatepost needs to know; it needs no state, so it may be printed anywhere.
fn asking<'a>(globals: &Globals, flags: &'a GuardSnippet, api: Slug) -> Result<Forwarding<'a>, Trouble> {
    if flags.write_keys {
        let fix = "leave --write-keys out; nginx, Apache and Caddy ask Gatepost and hold no keys";
        return Err(Trouble::usage(
            "guard.keys",
            "no keys to write",
            "only HAProxy verifies tokens itself",
            fix,
        ));
    }
    Forwarding::of(flags, api, gatepost(globals, flags)?)
}

/// Where the proxy reaches Gatepost: as told, else where partners do.
fn gatepost(globals: &Globals, flags: &GuardSnippet) -> Result<Url, Trouble> {
    if let Some(url) = &flags.url {
        return Ok(url.clone());
    }
    let issuer = settings::issuer(&settings::layers(globals, [])?.config)?;
    base_url(issuer.as_str()).map_err(|why| Trouble {
        exit: Exit::Usage,
        code: "guard.url",
        what: format!("the issuer, {}, is no address to ask at", issuer.as_str()),
        why,
        fix: "give --url, like http://127.0.0.1:8460".to_owned(),
    })
}

#[derive(Serialize)]
struct Snippet {
    proxy: String,
    api: String,
    snippet: String,
}

fn print(output: Output, flags: &GuardSnippet, snippet: String) -> Result<(), Trouble> {
    if output.is_json() {
        let proxy = format!("{:?}", flags.proxy).to_lowercase();
        return output.document(&Snippet { proxy, api: flags.api.clone(), snippet });
    }
    output.text(&snippet)
}

/// What a proxy that asks Gatepost needs to know.
#[derive(Debug)]
struct Forwarding<'a> {
    flags: &'a GuardSnippet,
    api: Slug,
    gatepost: Url,
    /// Path and query of the question.
    question: String,
}

impl<'a> Forwarding<'a> {
    fn of(flags: &'a GuardSnippet, api: Slug, gatepost: Url) -> Result<Self, Trouble> {
        let mut question = format!("/forward-auth?api={}", api.as_str());
        for (name, scopes) in [("scope", &flags.scopes), ("any", &flags.any)] {
            for scope in parsed(scopes)?.iter() {
                let _ = write!(question, "&{name}={}", escaped(scope.as_str()));
            }
        }
        if flags.live {
            question.push_str("&live=1");
        }
        Ok(Self { flags, api, gatepost, question })
    }

    /// The name of Gatepost's host; an IPv6 address in brackets.
    fn host(&self) -> &str {
        self.gatepost.host_str().unwrap_or_default()
    }

    fn port(&self) -> u16 {
        self.gatepost.port_or_known_default().unwrap_or(80)
    }

    /// Host and port as the `Host` header names them.
    fn authority(&self) -> String {
        self.gatepost.port().map_or_else(|| self.host().to_owned(), |port| format!("{}:{port}", self.host()))
    }
}

fn parsed(scopes: &[String]) -> Result<Scopes, Trouble> {
    let parsed = gatepost_operations::core::scope::Scope::parse;
    scopes.iter().map(|scope| parsed(scope)).collect::<Result<_, _>>().map_err(|bad| {
        Trouble::usage(
            "guard.scope",
            "a scope can't be asked for",
            bad.to_string(),
            "see `gatepost scope list`",
        )
    })
}

/// Percent-encodes all but unreserved characters, so that no proxy reads syntax of its own in it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Puts the values into their places; no value can hold a mark, for none can hold `@`.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (mark, value)| text.replace(&format!("@{mark}@"), value))
}

#[cfg(test)]
mod tests;
