//! This file is where each difference between the two verifiers' verdicts is argued.

use gatepost_jose::Algorithm;

use super::Verdict::{self, Refused, Valid};

/// Kinds of tokens that get different verdicts, and why that is right.
pub(crate) struct Argued {
    pub(crate) kinds: &'static [&'static str],
    pub(crate) ours: Verdict,
    pub(crate) theirs: Verdict,
    /// What the other does, and the rule or the choice by which it is otherwise here.
    pub(crate) reason: &'static str,
}

/// What is argued of the tokens of one algorithm alone.
pub(crate) fn argued_of(algorithm: Algorithm) -> &'static [Argued] {
    match algorithm {
        Algorithm::EdDsa => &[Argued {
            kinds: &["signature: EdDSA as Ed25519"],
            ours: Valid,
            theirs: Refused,
            reason: "it does not know the fully specified name; RFC 9864 section 2.2 gives the same keys and \
                     signatures both names, and the key chooses the algorithm here, not the name",
        }],
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => &[],
    }
}

pub(crate) const ARGUED: &[Argued] = &[
    Argued {
        kinds: &[
            r#"header: typ """#,
            r#"header: typ "JWT""#,
            r#"header: typ "at+jwt ""#,
            r#"header: typ "rt+jwt""#,
            r#"header: typ "secevent+jwt""#,
            r#"header: typ "xxxxxxxxxxxxxxx.. of 258 bytes"#,
            "header: typ null",
            "header: typ removed",
        ],
        ours: Refused,
        theirs: Valid,
        reason: "it leaves typ to its caller; RFC 9068 section 4 demands at+jwt, so that no other JWT \
                 of the issuer passes",
    },
    Argued {
        kinds: &[
            r#"header: crit ["b64"]"#,
            r#"header: crit ["exp"]"#,
            "header: crit []",
            "header: crit null",
        ],
        ours: Refused,
        theirs: Valid,
        reason: "it parses crit and does not act on it; RFC 7515 section 4.1.11 refuses what is \
                 critical and not understood, an empty list and one that names registered members",
    },
    Argued {
        kinds: &[
            "header: b64 false",
            "header: b64 true",
            r#"header: cty "JWT""#,
            r#"header: enc "A128GCM""#,
            "header: epk {}",
            r#"header: jku "https://evil.example/jwks""#,
            r#"header: jwk {"kty":"oct","k":"AAAA"}"#,
            "header: p2c 1",
            r#"header: x5c ["AAAA"]"#,
            "header: x5c []",
            r#"header: x5t "AAAA""#,
            r#"header: x5t#S256 "AAAA""#,
            r#"header: x5u "https://evil.example/x""#,
            r#"header: zip "DEF""#,
        ],
        ours: Refused,
        theirs: Valid,
        reason: "it ignores parameters that bring a key along, change the payload's coding or belong to \
                 encryption; here no such token is ours, and none is looked into (RFC 8725 sections 3.1 \
                 and 3.10)",
    },
    Argued {
        kinds: &[
            r#"claims: client_id again "root""#,
            "claims: iat again 1",
            r#"claims: jti again "2""#,
            r#"claims: scope again "admin""#,
            r#"claims: x {"a":1,"a":1}"#,
            "header: x again 1",
            r#"header: x {"a":1,"a":1}"#,
        ],
        ours: Refused,
        theirs: Valid,
        reason: "it keeps the last of repeated members that it does not judge itself; two readers that \
                 keep different ones see two tokens (RFC 8725 section 2.6, RFC 7515 section 4)",
    },
    Argued {
        kinds: &["header: nonce 5", "header: url 5"],
        ours: Valid,
        theirs: Refused,
        reason: "it gives these two ACME parameters (RFC 8555) a type; in an access token they are \
                 unknown parameters, and RFC 7515 section 4 has those ignored",
    },
    Argued {
        kinds: &[r#"claims: sub "\u0000""#, r#"claims: x "\u0007""#, r#"header: x "\u0000""#],
        ours: Refused,
        theirs: Valid,
        reason: "control characters in any text are refused here, because claims end up in logs and in \
                 headers of other servers; RFC 8259 allows them escaped",
    },
    Argued {
        kinds: &[
            r#"claims: client_id "xxxxxxxxxxxxxxx.. of 258 bytes"#,
            r#"claims: jti "xxxxxxxxxxxxxxx.. of 258 bytes"#,
            r#"claims: sub "xxxxxxxxxxxxxxx.. of 258 bytes"#,
            r#"claims: x "xxxxxxxxxxxxxxx.. of 17002 bytes"#,
            "claims: x [[[[[[[[[[[[[[[[.. of 80 bytes",
            "header: x [[[[[[[[[[[[[[[[.. of 80 bytes",
        ],
        ours: Refused,
        theirs: Valid,
        reason: "size and depth are bounded here, so that a hostile token costs nothing: 16 KiB, 12 \
                 levels or fewer, 255 bytes for ids",
    },
    Argued {
        kinds: &[
            r#"claims: iss ["https://issuer.. of 49 bytes"#,
            r#"claims: iss ["https://issuer.example"]"#,
        ],
        ours: Refused,
        theirs: Valid,
        reason: "it takes a list of issuers; RFC 7519 section 4.1.1 has one text",
    },
    Argued {
        kinds: &["claims: nbf -1"],
        ours: Valid,
        theirs: Refused,
        reason: "it keeps dates without sign; a date before 1970 is a NumericDate (RFC 7519 section 2), \
                 and a token that was valid from then on is valid now",
    },
    Argued {
        kinds: &[
            r#"claims: iat "4102444800""#,
            "claims: iat -1.5",
            "claims: iat 1577836800.0000001",
            "claims: iat 18446744073709551615",
            "claims: iat 18446744073709551616",
            "claims: iat 1e300",
            "claims: iat 4.1024448e9",
            "claims: iat 4102444791",
            "claims: iat 4102444800.5",
            "claims: iat 4102444800000",
            "claims: iat 9223372036854775808",
            "claims: iat 99999999999",
            "claims: iat []",
            "claims: iat null",
            "claims: iat removed",
            "claims: iat true",
            "claims: iat {}",
        ],
        ours: Refused,
        theirs: Valid,
        reason: "it does not read iat; RFC 9068 section 2.2 demands it, as a whole second that is not \
                 in the future",
    },
    Argued {
        kinds: &[
            "claims: exp 4102444800000",
            "claims: exp 99999999999",
            "claims: iat -1",
            "claims: iat 0",
            "claims: iat 1",
        ],
        ours: Refused,
        theirs: Valid,
        reason: "it has no longest lifetime; here a token that claims to live longer than any that is \
                 issued was not made by the issuer's rules",
    },
    Argued {
        kinds: &[
            "claims: exp 18446744073709551615",
            "claims: exp 4102444800.5",
            "claims: exp 9223372036854775808",
            "claims: nbf 1577836800.0000001",
        ],
        ours: Refused,
        theirs: Valid,
        reason: "it rounds dates through floating point; dates of rfc9068 tokens are whole seconds \
                 here, and one that cannot be kept exactly is refused",
    },
    Argued {
        kinds: &[
            r#"claims: client_id """#,
            "claims: client_id 1",
            "claims: client_id []",
            "claims: client_id null",
            "claims: client_id removed",
            r#"claims: jti """#,
            "claims: jti 1",
            "claims: jti []",
            "claims: jti null",
            "claims: jti removed",
            r#"claims: sub """#,
        ],
        ours: Refused,
        theirs: Valid,
        reason: "it does not read client_id and jti and takes an empty sub; RFC 9068 section 2.2 \
                 demands all three",
    },
    Argued {
        kinds: &[
            r#"claims: scope " a""#,
            r#"claims: scope "a  b""#,
            r#"claims: scope "a\"b""#,
            r#"claims: scope "é""#,
            "claims: scope 1",
            r#"claims: scope ["a"]"#,
            "claims: scope []",
            "claims: scope null",
            "claims: scopes 1",
            r#"claims: scopes ["a"]"#,
        ],
        ours: Refused,
        theirs: Valid,
        reason: "it does not read scope; RFC 6749 section 3.3 has scope tokens of visible ASCII between \
                 single blanks, and only the text form is this profile's",
    },
    Argued {
        kinds: &["claims: cnf 1", "claims: cnf null", r#"claims: cnf {"jkt":"AAAA"}"#],
        ours: Refused,
        theirs: Valid,
        reason: "it ignores cnf; a token bound to a key must not pass as a bearer token (RFC 7800 \
                 section 3.1, RFC 9449)",
    },
    Argued {
        kinds: &[
            r#"claims: is_test "true""#,
            "claims: is_test 1",
            "claims: is_test null",
            "claims: partner_id 1",
            "claims: user_id 1",
        ],
        ours: Refused,
        theirs: Valid,
        reason: "it does not know the claims user_id, partner_id and is_test; here they are typed, and \
                 a wrong type is refused and not guessed",
    },
];
