//! This file is where the configuration of HAProxy is written: its own check of tokens, with the API's public keys.
//!
//! The price of not asking Gatepost: revocation is not seen, and keys, scopes and routes are those of the day on which
//! it was printed.

use std::fmt::Write as _;
use std::path::Path;

use gatepost_operations::apis;
use gatepost_operations::core::apis::routes::Route;
use gatepost_operations::core::name::Slug;
use gatepost_operations::core::scope::Scopes;
use gatepost_operations::jose::PublicKey;
use gatepost_operations::routes;

use super::{fill, parsed};
use crate::args::GuardSnippet;
use crate::commands::desk::Desk;
use crate::ending::{Exit, Trouble};

const TEMPLATE: &str = include_str!("haproxy.conf");
const DENIED: &str = "deny deny_status 403 content-type application/json string '{\"error\":\"insufficient_scope\"}' hdr WWW-Authenticate 'Bearer error=\"insufficient_scope\"'";

/// What HAProxy 2.6 can verify of what an API can sign.
const VERIFIED: [&str; 2] = ["RS256", "ES256"];

/// From `"scopes":["a","b"]` to `a b`. HAProxy's queries find no lists, and the two levels of quotes in its language leave
/// no nicer way to write it.
const SCOPES_OF_LIST: &str = r#""var(txn.gp_token),word(2,.),ub64dec,regsub('^.*\\x22scopes\\x22:\\x5b([^\\x5d]*)\\x5d.*\$','\\1'),regsub('\\x22\\x2c\\x22',' ',g),regsub('\\x22','',g)""#;

/// A boolean is 0 or 1 where HAProxy compares texts.
const LIVE: &str = "{ var(txn.gp_token),jwt_payload_query('$.is_test') -m str 0 }";

/// What differs between the token profiles.
struct Shape {
    typ: &'static str,
    not_before: &'static str,
    client: &'static str,
    scopes: &'static str,
    issued: String,
}

/// The configuration; with `--write-keys` the keys that it names are written too.
pub(super) fn snippet(desk: &Desk, flags: &GuardSnippet, api: &Slug) -> Result<String, Trouble> {
    refuse_what_it_cannot(flags)?;
    let shown = apis::show(&desk.gate, api.as_str())?;
    if !VERIFIED.contains(&shown.alg) {
        let fix = "give the API keys of another algorithm, or use nginx, Apache or Caddy, which ask Gatepost";
        return Err(cannot(
            &format!("HAProxy verifies {}, and this API signs {}", VERIFIED.join(", "), shown.alg),
            fix,
        ));
    }
    let shape = match shown.profile {
        "passport" => Shape::passport(),
        _ => Shape::rfc9068(desk.gate.issuer.as_str(), &shown.audience)?,
    };
    let ring = desk.gate.ring();
    let keys =
        ring.apis().iter().find(|known| known.api.name == *api).and_then(|known| ring.keys_of(known.api.id));
    let keys = keys.map_or(&[][..], |keys| &keys.verifying);
    if flags.write_keys {
        write_keys(&flags.keys, api, keys)?;
    }

    let key_rules = key_rules(&flags.keys, api, keys)?;
    let values = [
        ("API", api.as_str()),
        ("LISTEN", &flags.listen.to_string()),
        ("UPSTREAM", &flags.upstream),
        ("KEYS", key_rules.trim_end()),
        ("NOT_BEFORE", shape.not_before),
        ("TYP", shape.typ),
        ("LEEWAY", &desk.gate.config.tokens.leeway.as_secs().to_string()),
        ("ISSUED", &shape.issued),
        ("SCOPES", shape.scopes),
        ("CLIENT", shape.client),
        ("LIVE", LIVE),
        ("RULES", &rules(flags, &table(desk, api)?)?),
    ];
    Ok(fill(TEMPLATE, &values))
}

fn refuse_what_it_cannot(flags: &GuardSnippet) -> Result<(), Trouble> {
    if flags.url.is_some() {
        return Err(cannot(
            "HAProxy does not ask Gatepost",
            "leave --url out, or use nginx, Apache or Caddy",
        ));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let folder = flags.keys.to_str().unwrap_or_default();
    if !folder.starts_with('/') || !folder.bytes().all(plain) {
        return Err(cannot(
            "the folder can't be written in HAProxy's configuration",
            "give --keys as a whole path of letters, digits and `._-`",
        ));
    }
    Ok(())
}

fn cannot(why: &str, fix: &str) -> Trouble {
    Trouble::usage("guard.haproxy", "no configuration for HAProxy", why, fix)
}

impl Shape {
    fn passport() -> Self {
        Self {
            typ: "JWT",
            not_before: "nbf",
            client: "aud",
            scopes: SCOPES_OF_LIST,
            // These tokens name no issuer and no API; the API's own key says both.
            issued: String::new(),
        }
    }

    fn rfc9068(issuer: &str, audience: &str) -> Result<Self, Trouble> {
        if format!("{issuer}{audience}").contains(['\'', '@']) {
            return Err(cannot(
                "the issuer or audience holds `'` or `@`",
                "use nginx, Apache or Caddy, which ask Gatepost",
            ));
        }
        let claim = |name: &str, value: &str| {
            format!(" {{ var(txn.gp_token),jwt_payload_query('$.{name}') -m str '{value}' }}")
        };
        Ok(Self {
            typ: "at+jwt",
            // A token of this profile is valid from when it was issued.
            not_before: "iat",
            client: "client_id",
            scopes: "var(txn.gp_token),jwt_payload_query('$.scope')",
            issued: claim("iss", issuer) + &claim("aud", audience),
        })
    }
}

fn key_file(folder: &Path, api: &Slug, key: &PublicKey) -> std::path::PathBuf {
    folder.join(format!("{}-{}.pem", api.as_str(), key.kid().as_str()))
}

/// Tokens of some profiles name no key, so each is tried until one fits; there are four at most.
fn key_rules(folder: &Path, api: &Slug, keys: &[PublicKey]) -> Result<String, Trouble> {
    if keys.is_empty() {
        return Err(cannot("the API has no key", "see `gatepost key list`"));
    }
    let mut rules = String::new();
    for key in keys {
        let (alg, file) = (key.algorithm().as_str(), key_file(folder, api, key));
        let _ = writeln!(
            rules,
            "    http-request set-var(txn.gp_signed) bool(true) if !{{ var(txn.gp_signed) -m bool }} {{ var(txn.gp_token),jwt_verify({alg},{}) 1 }}",
            file.display()
        );
    }
    Ok(rules)
}

fn write_keys(folder: &Path, api: &Slug, keys: &[PublicKey]) -> Result<(), Trouble> {
    let unwritable = |error: std::io::Error| Trouble {
        exit: Exit::Failed,
        code: "guard.keys",
        what: format!("the public keys can't be written to {}", folder.display()),
        why: error.to_string(),
        fix: "give this user the right to write there, or another --keys folder".to_owned(),
    };
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    for key in keys {
        let pem = key.to_pem().map_err(|error| Trouble::internal("guard.keys", error.to_string()))?;
        std::fs::write(key_file(folder, api, key), pem).map_err(unwritable)?;
    }
    Ok(())
}

/// The route table, the most exact line first.
fn table(desk: &Desk, api: &Slug) -> Result<Vec<Route>, Trouble> {
    let mut table = Vec::new();
    for line in routes::list(&desk.gate, api.as_str())? {
        let scopes = parsed(&line.scopes)?;
        let route = Route::parse(&line.method, &line.path, scopes);
        table.push(route.map_err(|bad| Trouble::internal("guard.routes", bad.to_string()))?);
    }
    // Of equally exact lines the last counts, as at the server.
    table.sort_by_key(Route::exactness);
    table.reverse();
    Ok(table)
}

fn rules(flags: &GuardSnippet, table: &[Route]) -> Result<String, Trouble> {
    let mut rules = String::new();
    if flags.live {
        let _ = writeln!(rules, "    http-request {DENIED} unless {LIVE}");
    }
    for scope in parsed(&flags.scopes)?.iter() {
        let _ = writeln!(rules, "    http-request {DENIED} unless {}", has(scope.as_str())?);
    }
    let any: Vec<String> =
        parsed(&flags.any)?.iter().map(|scope| has(scope.as_str())).collect::<Result<_, _>>()?;
    if !any.is_empty() {
        let _ = writeln!(rules, "    http-request {DENIED} unless {}", any.join(" || "));
    }

    for (number, route) in (1..).zip(table) {
        let _ = writeln!(rules, "    # {} {}", route.method, route.path.escape_default());
        let _ = writeln!(
            rules,
            "    http-request set-var(txn.gp_route) int({number}) if !{{ var(txn.gp_route) -m found }}{}",
            matches(route)
        );
        rules.push_str(&needs(number, &route.scopes)?);
    }
    if !table.is_empty() {
        let _ = writeln!(rules, "    http-request {DENIED} unless {{ var(txn.gp_route) -m found }}");
    }
    Ok(rules)
}

fn needs(number: usize, scopes: &Scopes) -> Result<String, Trouble> {
    let mut rules = String::new();
    for scope in scopes.iter() {
        let has = has(scope.as_str())?;
        let _ =
            writeln!(rules, "    http-request {DENIED} if {{ var(txn.gp_route) -m int {number} }} !{has}");
    }
    Ok(rules)
}

fn has(scope: &str) -> Result<String, Trouble> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":._/*+-".contains(&byte);
    if !scope.bytes().all(plain) {
        let why = format!("the scope `{scope}` can't be written in HAProxy's configuration");
        return Err(cannot(&why, "use nginx, Apache or Caddy, which ask Gatepost"));
    }
    Ok(format!("{{ var(txn.gp_padded) -m sub ' {scope} ' }}"))
}

/// The conditions of a line: its method, and its path as a regular expression.
fn matches(route: &Route) -> String {
    let mut pattern = String::from("^");
    for segment in route.path.trim_start_matches('/').split('/') {
        match segment {
            "*" => pattern.push_str("(/.*)?"),
            named if named.starts_with('{') => pattern.push_str("/[^/]+"),
            plain => {
                pattern.push('/');
                pattern.push_str(&literal(plain));
            }
        }
    }
    let method = if route.method == "*" { String::new() } else { format!(" {{ method {} }}", route.method) };
    format!("{method} {{ path -m reg '{pattern}$' }}")
}

/// A text that a regular expression takes as it is, with nothing that HAProxy's configuration could read.
fn literal(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_~-".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, r"\x{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> Route {
        Route::parse(method, path, Scopes::NONE).unwrap()
    }

    #[test]
    fn a_line_of_the_table_becomes_its_conditions() {
        let cases = [
            (route("GET", "/bookings/{id}"), r" { method GET } { path -m reg '^/bookings/[^/]+$' }"),
            (route("*", "/files/*"), r" { path -m reg '^/files(/.*)?$' }"),
            (route("*", "/a.b'c"), r" { path -m reg '^/a\x2Eb\x27c$' }"),
            (route("*", "/"), r" { path -m reg '^/$' }"),
        ];
        for (route, conditions) in cases {
            assert_eq!(matches(&route), conditions);
        }
    }

    #[test]
    fn a_scope_with_syntax_of_haproxy_is_refused() {
        assert_eq!(has("bookings:read").unwrap(), "{ var(txn.gp_padded) -m sub ' bookings:read ' }");
        for scope in ["a'b", "a%[b]", "a$b", "a#b", "@API@"] {
            assert_eq!(has(scope).unwrap_err().code, "guard.haproxy", "{scope}");
        }
    }
}
