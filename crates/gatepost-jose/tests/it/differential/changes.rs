//! This file is where the changes of header members and claims are listed that are signed again by the right key.

use super::{AUDIENCE, FAR_AHEAD, ISSUER, LONG_AGO};

/// The half of a token that a change is made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    Header,
    Claims,
}

/// What happens to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It gets this JSON text as its value.
    Set,
    /// It is written a second time, with this value.
    Again,
    /// It is left out.
    Removed,
}

/// One change.
pub(crate) struct Change {
    pub(crate) half: Half,
    pub(crate) member: &'static str,
    pub(crate) how: How,
    pub(crate) json: String,
}

impl Change {
    /// The kind, as the arguments name it.
    pub(crate) fn kind(&self) -> String {
        let half = match self.half {
            Half::Header => "header",
            Half::Claims => "claims",
        };
        let json = match self.json.len() {
            0..=48 => self.json.clone(),
            length => format!("{}.. of {length} bytes", self.json.chars().take(16).collect::<String>()),
        };
        match self.how {
            How::Set => format!("{half}: {} {json}", self.member),
            How::Again => format!("{half}: {} again {json}", self.member),
            How::Removed => format!("{half}: {} removed", self.member),
        }
    }
}

/// Every change.
pub(crate) fn all() -> Vec<Change> {
    let mut changes = Vec::new();
    for (member, values) in header_values() {
        changes.extend(values.into_iter().map(|json| set(Half::Header, member, json)));
    }
    for (member, values) in claim_values() {
        changes.extend(values.into_iter().map(|json| set(Half::Claims, member, json)));
    }
    for member in ["typ", "alg", "kid"] {
        changes.push(removed(Half::Header, member));
    }
    for member in ["iss", "aud", "sub", "client_id", "scope", "jti", "exp", "nbf", "iat"] {
        changes.push(removed(Half::Claims, member));
    }
    changes.extend(repeated());
    changes
}

fn set(half: Half, member: &'static str, json: String) -> Change {
    Change { half, member, how: How::Set, json }
}

fn removed(half: Half, member: &'static str) -> Change {
    Change { half, member, how: How::Removed, json: String::new() }
}

fn repeated() -> impl Iterator<Item = Change> {
    let header = [("typ", "\"at+jwt\""), ("alg", "\"none\""), ("kid", "\"k\""), ("x", "1")];
    let claims = [
        ("iss", "\"https://evil.example\""),
        ("aud", "\"https://evil.example\""),
        ("sub", "\"root\""),
        ("client_id", "\"root\""),
        ("scope", "\"admin\""),
        ("jti", "\"2\""),
        ("exp", "4102444800"),
        ("nbf", "1"),
        ("iat", "1"),
        (r"ex\u0070", "4102444800"),
    ];
    let again = |half| {
        move |(member, json): (&'static str, &str)| Change {
            half,
            member,
            how: How::Again,
            json: json.into(),
        }
    };
    header.into_iter().map(again(Half::Header)).chain(claims.into_iter().map(again(Half::Claims)))
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

fn long(length: usize) -> String {
    format!("\"{}\"", "x".repeat(length))
}

fn header_values() -> Vec<(&'static str, Vec<String>)> {
    let mut values = vec![
        (
            "typ",
            texts(&[
                r#""JWT""#,
                r#""AT+JWT""#,
                r#""application/at+jwt""#,
                r#""at+jwt ""#,
                r#""""#,
                "5",
                "null",
            ]),
        ),
        ("typ", texts(&[r#""rt+jwt""#, r#""secevent+jwt""#, r#"["at+jwt"]"#, r#""at\u002bjwt""#])),
        ("alg", texts(&[r#""none""#, r#""None""#, r#""HS256""#, r#""RS384""#, r#""ES384""#, r#""rs256""#])),
        ("alg", texts(&[r#""""#, "null", "256", r#"["RS256"]"#, r#""EdDSA\u0000""#, r#""PS512""#])),
        ("kid", texts(&[r#""other""#, r#""""#, "7", "null", r#"["k"]"#, r#""../../dev/null""#])),
        ("crit", texts(&[r#"["exp"]"#, r#"["b64"]"#, "[]", r#""exp""#, "null"])),
        ("b64", texts(&["false", "true"])),
        ("zip", texts(&[r#""DEF""#])),
        ("cty", texts(&[r#""JWT""#])),
        ("jku", texts(&[r#""https://evil.example/jwks""#])),
        ("jwk", texts(&[r#"{"kty":"oct","k":"AAAA"}"#])),
        ("x5u", texts(&[r#""https://evil.example/x""#])),
        ("x5c", texts(&["[]", r#"["AAAA"]"#])),
        ("x5t", texts(&[r#""AAAA""#])),
        ("x5t#S256", texts(&[r#""AAAA""#])),
        ("enc", texts(&[r#""A128GCM""#])),
        ("epk", texts(&["{}"])),
        ("p2c", texts(&["1"])),
        ("url", texts(&[r#""https://x.example""#, "5"])),
        ("nonce", texts(&[r#""n""#, "5"])),
        (
            "x",
            texts(&["1", "null", r#""é""#, r#"{"a":1,"a":1}"#, r#""\u0000""#, r#""\ud800""#, "1e400", "01"]),
        ),
    ];
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    values.push(("x", vec![deep, long(300)]));
    values.push(("typ", vec![long(256)]));
    values.push(("kid", vec![long(256)]));
    values
}

fn claim_values() -> Vec<(&'static str, Vec<String>)> {
    let mut values = vec![
        (
            "iss",
            texts(&[
                r#""https://issuer.example/""#,
                r#""https://ISSUER.example""#,
                r#""""#,
                "null",
                "1",
                "{}",
            ]),
        ),
        ("iss", vec![format!("[\"{ISSUER}\"]"), format!("[\"{ISSUER}\",\"https://evil.example\"]")]),
        ("iss", texts(&[r#""https:\/\/issuer.example""#, r#""https://issuer.example ""#])),
        ("aud", texts(&[r#""https://other.example""#, r#""""#, "[]", "null", "1", "{}", "[1]", "[null]"])),
        ("aud", vec![format!("[\"{AUDIENCE}\"]"), format!("[\"{AUDIENCE}\",\"{AUDIENCE}\"]")]),
        (
            "aud",
            vec![format!("[\"{AUDIENCE}\",1]"), format!("[[\"{AUDIENCE}\"]]"), format!("\"{AUDIENCE}/\"")],
        ),
        ("aud", texts(&[r#"["https://other.example"]"#, r#""https:\/\/api.example""#])),
        ("sub", texts(&[r#""""#, "null", "1", "[]", r#""\u0000""#])),
        ("client_id", texts(&[r#""""#, "null", "1", "[]"])),
        ("jti", texts(&[r#""""#, "null", "1", "[]"])),
        (
            "scope",
            texts(&[r#""""#, "null", "1", "[]", r#"["a"]"#, r#""a  b""#, r#"" a""#, r#""a\"b""#, r#""é""#]),
        ),
        ("scopes", texts(&[r#"["a"]"#, "1"])),
        ("user_id", texts(&["null", r#""u""#, "1"])),
        ("partner_id", texts(&["null", r#""p""#, "1"])),
        ("is_test", texts(&["true", "false", r#""true""#, "1", "null"])),
        ("cnf", texts(&[r#"{"jkt":"AAAA"}"#, "null", "1"])),
        (
            "x",
            texts(&[
                "null",
                "1.5",
                r#"{"a":[1,2]}"#,
                r#"{"a":1,"a":1}"#,
                r#""\u0007""#,
                r#""\ud800""#,
                "1e400",
            ]),
        ),
        ("x", texts(&["01", "NaN", "'a'", "1,", r#""😀""#, r#""\ud83d\ude00""#])),
    ];
    for name in ["sub", "client_id", "jti"] {
        values.push((name, vec![long(255), long(256)]));
    }
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    values.push(("x", vec![deep, long(17_000)]));
    values.extend(["exp", "nbf", "iat"].map(|date| (date, dates())));
    values
}

fn dates() -> Vec<String> {
    let mut dates =
        texts(&["-1", "-1.5", "0", "1", "\"4102444800\"", "null", "true", "[]", "{}", "1e300", "1e400"]);
    dates.extend(texts(&[
        "1.5778368e9",
        "4.1024448e9",
        "1577836800.0",
        "4102444800.5",
        "1577836800.0000001",
    ]));
    dates.extend(texts(&[
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999",
    ]));
    dates.extend([LONG_AGO + 9, FAR_AHEAD - 9, FAR_AHEAD * 1000].map(|date| date.to_string()));
    dates
}
