//! This file is where rows G067 to G095 are built: what the claims of a token with a good signature must be.

use std::sync::Arc;

use gatepost_guard::{Caller, RevocationCheck};

use super::clock::{NOW, TestClock};
use super::mint::{BOTH, Profile, fixed, key, text};
use super::rows::{Row, Rows, check};

#[tokio::test]
async fn every_claims_row_has_its_verdict() {
    check(rows, &[key()]).await;
}

pub(crate) fn rows(profile: Profile) -> Vec<Row> {
    let mut rows = Rows::new(profile);
    expiry(&mut rows);
    other_dates(&mut rows);
    issuer(&mut rows);
    audience(&mut rows);
    subject(&mut rows);
    scope(&mut rows);
    token_id(&mut rows);
    repeated(&mut rows);
    strings(&mut rows);
    other_tenants(&mut rows);
    rows.rows
}

fn expiry(rows: &mut Rows) {
    rows.claim("G067", "date", "exp", "\"9999999999\"");
    for json in ["null", "true", "[]", "{}", "\"\""] {
        rows.claim("G068", "date", "exp", json);
    }
    for json in ["NaN", "Infinity", "1e400"] {
        rows.claim("G069", "claims_json", "exp", json);
    }
    rows.claim("G069", "date", "exp", &format!("{NOW}.1234567"));
    if rows.is_passport() {
        rows.good_claim("G069", "exp", &format!("{}.123456", NOW + 60));
    } else {
        rows.claim("G069", "date_fraction", "exp", &format!("{}.5", NOW + 60));
    }
    for (json, code) in [("-1", "expired"), ("0", "expired"), ("-9223372036854775808", "date")] {
        rows.claim("G070", code, "exp", json);
    }
    for (json, code) in [
        ("2147483648", "lifetime"),
        ("4294967296", "lifetime"),
        ("9007199254740993", "date"),
        ("9223372036854775807", "date"),
        ("9223372036854775808", "date"),
        ("18446744073709551616", "date"),
    ] {
        rows.claim("G071", code, "exp", json);
    }
    rows.claim("G072", "lifetime", "exp", &format!("{}000", NOW + 3600));
    rows.claim("G073", "lifetime", "exp", &(NOW + 24 * 3600 + 1).to_string());
    rows.missing("G073", "date_missing", "exp");
}

fn other_dates(rows: &mut Rows) {
    rows.claim("G074", "not_yet_valid", "nbf", &(NOW + 61).to_string());
    rows.claim("G074", "date", "nbf", &format!("\"{NOW}\""));
    rows.claim("G074", "date", "nbf", &format!("{NOW}.1234567"));
    if rows.is_passport() {
        rows.good_claim("G074", "nbf", &format!("{NOW}.583114"));
    } else {
        rows.claim("G074", "date_fraction", "nbf", &format!("{NOW}.5"));
    }
    let mut late = rows.draft();
    late.claims.set("exp", &(NOW - 10).to_string());
    late.claims.set("iat", &(NOW - 100).to_string());
    late.claims.set("nbf", &(NOW + 10).to_string());
    rows.refused("G074", "lifetime", late.sign(key()));

    rows.claim("G075", "issued_in_future", "iat", &(NOW + 61).to_string());
    rows.claim("G075", "date", "iat", &format!("\"{NOW}\""));
    rows.missing("G075", "date_missing", "iat");
}

fn issuer(rows: &mut Rows) {
    if rows.is_passport() {
        rows.claim("G076", "iss", "iss", "\"https://auth.example.com\"");
        rows.claim("G076", "iss", "iss", "\"\"");
        let token = rows.token();
        rows.accepted("G076", token);
    } else {
        rows.missing("G076", "iss", "iss");
        for other in [
            "https://evil.example",
            "https://auth.example.com/",
            "https://AUTH.example.com",
            "https://auth.example.co",
            "",
        ] {
            rows.claim("G076", "iss", "iss", &text(other));
        }
    }
    rows.claim("G076", "claim_type", "iss", r#"["https://auth.example.com","https://evil.example"]"#);
}

fn audience(rows: &mut Rows) {
    let both = r#"["https://api.example.com","https://other.example.com"]"#;
    if rows.is_passport() {
        rows.claim("G078", "aud", "aud", both);
        rows.claim("G078", "aud", "aud", r#"["client-1"]"#);
    } else {
        rows.good_claim("G078", "aud", both);
        rows.claim("G078", "aud", "aud", r#"["https://other.example.com"]"#);
    }
    rows.claim("G078", "aud", "aud", "[]");
    rows.missing("G078", "aud", "aud");
    for json in [r#"["https://api.example.com",1]"#, r#"[["https://api.example.com"]]"#, "{}", "null", "1"] {
        rows.claim("G078", "claim_type", "aud", json);
    }
}

fn subject(rows: &mut Rows) {
    rows.missing("G080", "sub", "sub");
    if rows.is_passport() {
        rows.good_claim("G080", "sub", "\"\"");
        rows.good_claim("G080", "sub", "\"client-1\"");
        rows.claim("G080", "sub", "sub", "\"client-2\"");
    } else {
        rows.claim("G080", "sub", "sub", "\"\"");
    }
    rows.claim("G080", "claim_type", "sub", "1");
    rows.claim("G080", "claim_type", "sub", "[\"client-1\"]");
    rows.claim("G080", "sub", "sub", &text(&"s".repeat(256)));
    rows.claim("G080", "token_too_large", "sub", &text(&"s".repeat(1024 * 1024)));
}

fn scope(rows: &mut Rows) {
    let mut without = rows.draft();
    let (ours, theirs) = if rows.is_passport() { ("scopes", "scope") } else { ("scope", "scopes") };
    without.claims.remove(ours);
    rows.accepted("G082", without.sign(key()));
    let (right_json, wrong_form) =
        if rows.is_passport() { ("\"read\"", "\"read\"") } else { ("[\"read\"]", "[\"read\"]") };
    rows.claim("G082", "claim_type", ours, right_json);
    without.claims.set(theirs, wrong_form);
    rows.refused("G082", "scope", without.sign(key()));
    rows.claim("G082", "claim_type", theirs, wrong_form);
    rows.claim("G082", "claim_type", ours, "7");
    let wrap = |scope: &str| if ours == "scopes" { format!("[\"{scope}\"]") } else { format!("\"{scope}\"") };
    rows.claim("G082", "claims_json", ours, &wrap("read\\tadmin"));
    rows.claim("G082", "scope", ours, &wrap("read\u{a0}admin"));
}

fn token_id(rows: &mut Rows) {
    rows.missing("G084", "jti", "jti");
    rows.claim("G084", "jti", "jti", "\"\"");
    rows.claim("G084", "claim_type", "jti", "[\"token-1\"]");
    rows.claim("G084", "token_too_large", "jti", &text(&"j".repeat(1024 * 1024)));
    rows.claim("G084", "jti", "jti", &text(&"j".repeat(256)));
    rows.claim("G087", "cnf", "cnf", r#"{"jkt":"AAAA","x5t#S256":"BBBB"}"#);
    rows.claim("G087", "cnf", "cnf", "{}");
}

fn repeated(rows: &mut Rows) {
    let mut twice = |id: &'static str, name: &str, json: &str| {
        let mut after = rows.draft();
        after.claims.add(name, json);
        rows.refused(id, "claims_json", after.sign(key()));
        let mut before = rows.draft();
        before.claims.add_first(name, json);
        rows.refused(id, "claims_json", before.sign(key()));
    };
    twice("G089", "exp", &(NOW - 3600).to_string());
    twice("G089", r"e\u0078p", &(NOW + 3600).to_string());
    twice("G090", "aud", "\"https://other.example.com\"");
    let mut twice_of_two = |name: &str| {
        let mut draft = rows.draft();
        draft.claims.remove(name);
        draft.claims.add(name, "\"client-1\"");
        draft.claims.add(name, "\"client-2\"");
        rows.refused("G090", "claims_json", draft.sign(key()));
    };
    for name in ["scope", "scopes", "client_id", "partner_id"] {
        twice_of_two(name);
    }
}

fn strings(rows: &mut Rows) {
    for escape in [r"\u0000", r"\r\n", r"\u001b[31m", r"\u007f", r"\u0085"] {
        for name in ["jti", "partner_id", "anything"] {
            rows.claim("G092", "claims_json", name, &format!("\"x{escape}y\""));
        }
    }
}

fn other_tenants(rows: &mut Rows) {
    if rows.is_passport() {
        // The tenant of a passport token is the key that signed it; what it may say of another is refused.
        rows.claim("G095", "client_id", "client_id", "\"client-2\"");
        rows.claim("G095", "iss", "iss", "\"https://tenant-2.example.com\"");
    } else {
        rows.claim("G095", "iss", "iss", "\"https://auth.example.com/tenant-2\"");
        rows.claim("G095", "aud", "aud", "\"https://staging.api.example.com\"");
    }
}

#[tokio::test]
async fn g069_a_whole_number_with_an_exponent_is_a_date() {
    let now = 10_000_000_000 - 3600;
    for profile in BOTH {
        let guard = profile.guard(fixed(&[key()])).clock(TestClock::at(now)).build().unwrap();
        let mut draft = profile.draft(key());
        draft.claims.set("iat", &now.to_string());
        draft.claims.set("nbf", &now.to_string());
        draft.claims.set("exp", "1e10");

        assert!(guard.judge(&draft.sign(key())).await.is_ok(), "{profile:?}");
    }
}

struct Revoked(Arc<str>);

impl RevocationCheck for Revoked {
    fn is_revoked(&self, caller: &Caller) -> bool {
        *caller.jti == *self.0
    }
}

#[tokio::test]
async fn g084_a_revoked_id_in_another_case_is_another_id() {
    for profile in BOTH {
        let revoked = Revoked("token-1".into());
        let guard =
            profile.guard(fixed(&[key()])).clock(TestClock::new()).revocations(revoked).build().unwrap();
        let mut other_case = profile.draft(key());
        other_case.claims.set("jti", "\"TOKEN-1\"");

        assert_eq!(guard.judge(&profile.token(key())).await.unwrap_err().code(), "revoked");
        // The id is part of what is signed, so nobody but the issuer could have changed its case.
        assert!(guard.judge(&other_case.sign(key())).await.is_ok());
        assert!(guard.judge(&profile.token(key()).to_lowercase()).await.is_err());
    }
}

#[tokio::test]
async fn g095_a_token_of_the_test_environment_is_refused_where_live_ones_are_needed() {
    for profile in BOTH {
        let guard = profile.guard(fixed(&[key()])).clock(TestClock::new()).live_only().build().unwrap();
        let mut test = profile.draft(key());
        test.claims.set("is_test", "true");

        assert!(guard.judge(&profile.token(key())).await.is_ok());
        assert_eq!(guard.judge(&test.sign(key())).await.unwrap_err().code(), "test_token");
    }
}
