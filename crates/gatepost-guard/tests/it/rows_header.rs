//! This file is where rows G015 to G038 are built: what else a header may say.

use gatepost_guard::jose::{Algorithm, SigningKey};

use super::jwks_server::JwksServer;
use super::mint::{BOTH, Profile, fresh, key, text};
use super::rows::{Row, Rows, check};

#[tokio::test]
async fn every_header_row_has_its_verdict() {
    check(rows, &[key()]).await;
}

pub(crate) fn rows(profile: Profile) -> Vec<Row> {
    let mut rows = Rows::new(profile);
    key_ids(&mut rows);
    keys_brought_along(&mut rows, "https://attacker.example/jwks.json");
    extensions(&mut rows);
    types(&mut rows);
    rows.rows
}

fn key_ids(rows: &mut Rows) {
    let mut without = rows.draft();
    without.header.remove("kid");
    if rows.is_passport() {
        rows.accepted("G015", without.sign(key()));
        let mut with = rows.draft();
        with.header.set("kid", &text(key().kid().as_str()));
        rows.accepted("G015", with.sign(key()));
    } else {
        rows.refused("G015", "kid_missing", without.sign(key()));
    }
    for kid in ["../../../../dev/null", "/etc/passwd"] {
        rows.header("G019", "kid_unknown", "kid", &text(kid));
    }
    for kid in ["x' UNION SELECT 'AAAA' -- ", "*)(uid=*))(|(uid=*", "|cat /etc/passwd", "${jndi:ldap://x/y}"]
    {
        rows.header("G020", "kid_unknown", "kid", &text(kid));
    }
    let kid = key().kid().as_str();
    let swapped: String = kid.chars().map(swap_case).collect();
    for other in [swapped, format!("{kid}\u{301}"), kid.replace('-', "\u{2010}") + " ", kid[1..].to_owned()] {
        rows.header("G026", "kid_unknown", "kid", &text(&other));
    }
}

fn swap_case(letter: char) -> char {
    if letter.is_ascii_uppercase() { letter.to_ascii_lowercase() } else { letter.to_ascii_uppercase() }
}

fn keys_brought_along(rows: &mut Rows, url: &str) {
    let attacker = fresh(Algorithm::Rs256);
    let jwk = serde_json::to_string(&attacker.public().to_jwk()).unwrap();
    for (id, name, json) in
        [("G027", "jwk", jwk.as_str()), ("G028", "jku", &text(url)), ("G030", "x5t", "\"AAAA\"")]
    {
        rows.header(id, "header_refused", name, json);
        let mut draft = rows.profile.draft(&attacker);
        draft.header.set(name, json);
        rows.refused(id, "header_refused", draft.sign(&attacker));
    }
    rows.header("G030", "header_refused", "x5t#S256", "\"AAAA\"");
}

fn extensions(rows: &mut Rows) {
    let mut draft = rows.draft();
    draft.header.set("crit", r#"["b64"]"#);
    draft.header.set("b64", "false");
    let signed = draft.sign(key());
    let parts: Vec<_> = signed.split('.').collect();
    rows.refused("G032", "header_refused", &signed);
    rows.refused("G032", "header_refused", format!("{}.not-encoded.{}", parts[0], parts[2]));
    rows.header("G032", "header_refused", "crit", "[]");
    rows.header("G032", "header_refused", "b64", "true");
    rows.header("G033", "header_refused", "zip", "\"DEF\"");

    let mut twice = rows.draft();
    twice.header.add(r"al\u0067", "\"RS256\"");
    rows.refused("G038", "header_json", twice.sign(key()));
    let mut twice = rows.draft();
    twice.header.add_first(r"\u0061lg", "\"none\"");
    rows.refused("G038", "header_json", twice.sign(key()));
}

fn types(rows: &mut Rows) {
    for typ in ["AT+JWT", "application/at+jwt", "at+jwt"] {
        let mut draft = rows.draft();
        draft.header.set("typ", &text(typ));
        let token = draft.sign(key());
        if rows.is_passport() { rows.refused("G036", "typ", token) } else { rows.accepted("G036", token) }
    }
    if rows.is_passport() {
        rows.header("G036", "typ", "typ", "\"jwt\"");
    } else {
        rows.header("G036", "typ", "typ", "\"JWT\"");
    }
    let mut without = rows.draft();
    without.header.remove("typ");
    rows.refused("G036", "typ", without.sign(key()));
}

#[tokio::test]
async fn g028_no_address_in_a_token_is_ever_called() {
    let attacker: SigningKey = fresh(Algorithm::Rs256);
    let server = JwksServer::with_keys(&[&attacker]).await;
    for profile in BOTH {
        let guard = profile.guard_of(&[key()]);
        for parameter in ["jku", "x5u"] {
            let mut draft = profile.draft(&attacker);
            draft.header.set(parameter, &text(&server.url()));
            assert_eq!(guard.judge(&draft.sign(&attacker)).await.unwrap_err().code(), "header_refused");
        }
    }
    assert_eq!(server.hits(), 0);
}
