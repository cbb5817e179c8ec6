//! This file is where rows G044 to G064 are built: a token is three parts in one alphabet with one signature.

use std::collections::HashMap;

use axum::http::HeaderValue;
use gatepost_guard::jose::{base64url, sign};

use super::mint::{BOTH, Profile, key};
use super::rows::{Row, Rows, assert_is_refusal, call, check};

const NOT_THREE: &str = "not_three_parts";

#[tokio::test]
async fn every_structure_row_is_refused() {
    check(rows, &[key()]).await;
}

pub(crate) fn rows(profile: Profile) -> Vec<Row> {
    let mut rows = Rows::new(profile);
    dots_and_edges(&mut rows);
    alphabets(&mut rows);
    other_serializations(&mut rows);
    signatures(&mut rows);
    paddings(&mut rows);
    rows.rows
}

fn dots_and_edges(rows: &mut Rows) {
    let token = rows.token();
    rows.refused("G044", "token_too_large", ".".repeat(1_000_000));
    rows.refused("G044", NOT_THREE, ".".repeat(10_000));
    for forged in [format!(".{token}"), format!("{token}."), format!("{token}.{token}")] {
        rows.refused("G046", NOT_THREE, forged);
    }
    for edge in [" ", "\n", "\r\n", ",", "\0", "\t", "\u{a0}"] {
        rows.refused("G046", "base64", format!("{edge}{token}"));
        rows.refused("G046", "base64", format!("{token}{edge}"));
    }
}

fn alphabets(rows: &mut Rows) {
    let token = token_with_both_letters(rows);
    rows.refused("G047", "base64", token.replace('-', "+").replace('_', "/"));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    rows.refused("G048", "base64", format!("{token}=="));
    rows.refused("G048", "base64", format!("{signed}=.{signature}"));
    rows.refused("G061", NOT_THREE, token.replace('.', "%2E"));
    rows.refused("G062", "header_json", token.to_uppercase());
    rows.refused("G063", NOT_THREE, token.replace('.', "\u{ff0e}"));
    rows.refused("G064", "base64", format!("Bearer {token}"));
}

/// A signature of 256 bytes nearly always has both letters; `jti` makes another until it does.
fn token_with_both_letters(rows: &Rows) -> String {
    let candidates = (0..).map(|number| {
        let mut draft = rows.draft();
        draft.claims.set("jti", &format!("\"{number}\""));
        draft.sign(key())
    });
    let both = |token: &String| token.contains('-') && token.contains('_');
    candidates.into_iter().find(both).unwrap()
}

fn other_serializations(rows: &mut Rows) {
    let token = rows.token();
    let parts: Vec<_> = token.split('.').collect();
    let json = format!(
        r#"{{"payload":"{}","signatures":[{{"protected":"{}","signature":"{}"}}]}}"#,
        base64url::encode(br#"{"sub":"admin"}"#),
        parts[0],
        parts[2]
    );
    rows.refused("G052", NOT_THREE, &json);
    rows.refused("G052", "base64", format!("{json}.{}.{}", parts[1], parts[2]));

    let part = |json: &str| base64url::encode(json.as_bytes());
    let bomb = base64url::encode(&[0x78; 8_000]);
    rows.refused(
        "G053",
        NOT_THREE,
        format!("{}.AA.AA.{bomb}.AA", part(r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#)),
    );
    let pbes2 = r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2s":"AAAA","p2c":2147483648}"#;
    rows.refused("G054", NOT_THREE, format!("{}.AA.AA.AA.AA", part(pbes2)));
    rows.refused("G054", "algorithm_unknown", format!("{}.{}.{}", part(pbes2), parts[1], parts[2]));
    rows.header("G054", "header_refused", "p2c", "2147483648");
}

fn signatures(rows: &mut Rows) {
    let input = rows.draft().input();
    let signature = key().sign(input.as_bytes()).unwrap();
    let modulus = base64url::decode(key().public().to_jwk().n.as_deref().unwrap()).unwrap();
    let mut above = modulus.clone();
    above[255] = above[255].wrapping_add(2);
    for forged in [
        signature[..255].to_vec(),
        signature[1..].to_vec(),
        [&signature[..], &[0]].concat(),
        [&[0], &signature[..]].concat(),
        vec![0; 256],
        vec![0xff; 256],
        modulus,
        above,
    ] {
        rows.refused("G056", "signature", sign::finish(input.clone(), &forged));
    }
    let mut other = rows.draft();
    other.claims.set("jti", "\"another\"");
    let other = other.sign(key());
    rows.refused("G057", "signature", format!("{input}.{}", other.rsplit_once('.').unwrap().1));
}

/// Signatures made with the private key over paddings that a sloppy verifier takes; the control shows that they
/// were made as they should be.
fn paddings(rows: &mut Rows) {
    let data = include_str!("../data/pkcs1_forgeries.json");
    let mut by_profile: HashMap<String, HashMap<String, String>> = serde_json::from_str(data).unwrap();
    let name = if rows.is_passport() { "passport" } else { "rfc9068" };
    let mut tokens = by_profile.remove(name).unwrap();
    rows.accepted("G059", tokens.remove("control").unwrap());
    assert_eq!(tokens.len(), 5);
    for token in tokens.into_values() {
        rows.refused("G059", "signature", token);
    }
}

#[tokio::test]
async fn g064_a_scheme_is_named_once() {
    for profile in BOTH {
        let token = profile.token(key());
        for value in
            [format!("Bearer Bearer {token}"), format!("Bearer bearer {token}"), format!("Bearer\t{token}")]
        {
            let response = call(&profile.guard_of(&[key()]), HeaderValue::from_str(&value).unwrap()).await;
            assert_is_refusal(&response, &value);
        }
    }
}
