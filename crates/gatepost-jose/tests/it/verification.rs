//! This file is where a token's structure, header and key choice are judged, one rule a row.

use gatepost_jose::verify::{MAX_TOKEN_BYTES, verify};
use gatepost_jose::{Algorithm, Header, PublicKey, Rejection, base64url, sign};

use crate::keyring::{Ring, fresh, key, token};

fn with_header(header: &str) -> Result<(), Rejection> {
    let key = key(Algorithm::Es256);
    let header = header.replace("KID", key.kid().as_str());
    verify(&sign::compact(key, &header, "{}").unwrap(), &Ring::of(key)).map(|_| ())
}

fn with_claims(claims: &str) -> Result<(), Rejection> {
    let key = key(Algorithm::Es256);
    verify(&sign::compact(key, r#"{"alg":"ES256"}"#, claims).unwrap(), &Ring::of(key)).map(|_| ())
}

#[test]
fn a_header_is_read_strictly() {
    for (header, expected) in [
        (r#"{"alg":"ES256","kid":"KID","typ":"at+jwt"}"#, Ok(())),
        (r#"{"alg":"ES256","kid":"KID","unknown":{"a":[1]}}"#, Ok(())),
        (r#"{"alg":"ES256","alg":"ES256"}"#, Err(Rejection::HeaderJson)),
        (r#"{"alg":"ES256","al\u0067":"ES256"}"#, Err(Rejection::HeaderJson)),
        (r#"["ES256"]"#, Err(Rejection::HeaderJson)),
        (r#"{"alg":"ES256","kid":7}"#, Err(Rejection::HeaderType)),
        (r#"{"alg":"ES256","kid":null}"#, Err(Rejection::HeaderType)),
        (r#"{"alg":"ES256","typ":["JWT"]}"#, Err(Rejection::HeaderType)),
        (r#"{"alg":"ES256","kid":"kid"}"#, Err(Rejection::KeyUnknown)),
        (r#"{"alg":"EdDSA","kid":"KID"}"#, Err(Rejection::AlgorithmMismatch)),
    ] {
        assert_eq!(with_header(header), expected, "{header}");
    }
    let long = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(256));
    assert_eq!(with_header(&long), Err(Rejection::HeaderType));
}

#[test]
fn an_algorithm_that_is_not_ours_is_refused() {
    for alg in [
        "\"none\"",
        "\"None\"",
        "\"NONE\"",
        "\"HS256\"",
        "\"RS384\"",
        "\"RS512\"",
        "\"es256\"",
        "\"ES256 \"",
        "\"\"",
        "null",
        "256",
        "[\"ES256\"]",
        "\"RSA1_5\"",
        "\"dir\"",
        "\"ES384\"",
        "\"ES256K\"",
    ] {
        assert_eq!(with_header(&format!(r#"{{"alg":{alg}}}"#)), Err(Rejection::AlgorithmUnknown), "{alg}");
    }
    assert_eq!(with_header("{}"), Err(Rejection::AlgorithmUnknown));
}

#[test]
fn parameters_that_bring_keys_or_change_the_meaning_are_refused() {
    for parameter in
        ["crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "p2c", "epk", "cty"]
    {
        let header = format!(r#"{{"alg":"ES256","kid":"KID","{parameter}":null}}"#);
        assert_eq!(with_header(&header), Err(Rejection::HeaderRefused), "{parameter}");
    }
}

#[test]
fn claims_are_read_strictly() {
    for (claims, expected) in [
        ("{}", Ok(())),
        (r#"{"aud":["a","b"],"scope":"a b","exp":1e10,"is_test":true,"partner_id":null}"#, Ok(())),
        (r#"{"scope":""}"#, Ok(())),
        ("[]", Err(Rejection::ClaimsJson)),
        (r#"{"exp":1,"exp":2}"#, Err(Rejection::ClaimsJson)),
        (r#"{"extra":{"a":1,"a":2}}"#, Err(Rejection::ClaimsJson)),
        (r#"{"extra":"line\nline"}"#, Err(Rejection::ClaimsJson)),
        (r#"{"exp":"1"}"#, Err(Rejection::Date)),
        (r#"{"exp":null}"#, Err(Rejection::Date)),
        (r#"{"nbf":true}"#, Err(Rejection::Date)),
        (r#"{"iat":9007199254740993}"#, Err(Rejection::Date)),
        (r#"{"iss":["a"]}"#, Err(Rejection::ClaimType)),
        (r#"{"iss":null}"#, Err(Rejection::ClaimType)),
        (r#"{"sub":1}"#, Err(Rejection::ClaimType)),
        (r#"{"aud":{}}"#, Err(Rejection::ClaimType)),
        (r#"{"aud":[["a"]]}"#, Err(Rejection::ClaimType)),
        (r#"{"aud":["a",1]}"#, Err(Rejection::ClaimType)),
        (r#"{"jti":[]}"#, Err(Rejection::ClaimType)),
        (r#"{"client_id":1}"#, Err(Rejection::ClaimType)),
        (r#"{"scope":["a"]}"#, Err(Rejection::ClaimType)),
        (r#"{"scope":"a","scopes":["a"]}"#, Err(Rejection::ClaimType)),
        (r#"{"scopes":"a"}"#, Err(Rejection::ClaimType)),
        (r#"{"is_test":"false"}"#, Err(Rejection::ClaimType)),
        (r#"{"is_test":0}"#, Err(Rejection::ClaimType)),
        (r#"{"partner_id":7}"#, Err(Rejection::ClaimType)),
        (r#"{"scope":"a  b"}"#, Err(Rejection::Scope)),
        (r#"{"scope":" a"}"#, Err(Rejection::Scope)),
        ("{\"scope\":\"a\u{a0}b\"}", Err(Rejection::Scope)),
        (r#"{"scope":"a\"b"}"#, Err(Rejection::Scope)),
        (r#"{"scopes":["a b"]}"#, Err(Rejection::Scope)),
        (r#"{"scopes":[""]}"#, Err(Rejection::Scope)),
    ] {
        assert_eq!(with_claims(claims), expected, "{claims}");
    }
}

#[test]
fn a_token_has_three_parts_in_the_url_alphabet_and_is_bounded() {
    let key = key(Algorithm::Es256);
    let token = token(key);
    let check = |token: &str| verify(token, &Ring::of(key)).map(|_| ());

    for (forged, expected) in [
        (String::new(), Rejection::NotThreeParts),
        ("..".into(), Rejection::NotThreeParts),
        (token.rsplit_once('.').unwrap().0.into(), Rejection::NotThreeParts),
        (format!("{token}.AAAA"), Rejection::NotThreeParts),
        (format!("{token}."), Rejection::NotThreeParts),
        (format!(".{token}"), Rejection::NotThreeParts),
        (".".repeat(MAX_TOKEN_BYTES), Rejection::NotThreeParts),
        (".".repeat(1_000_000), Rejection::TooLarge),
        (format!("{token}="), Rejection::Base64),
        (format!("{token}\n"), Rejection::Base64),
        (format!(" {token}"), Rejection::Base64),
        (token.replace('.', "%2E"), Rejection::NotThreeParts),
        (token.replace('.', "\u{ff0e}"), Rejection::NotThreeParts),
        (r#"{"payload":"e30","signatures":[]}"#.into(), Rejection::NotThreeParts),
    ] {
        assert_eq!(check(&forged), Err(expected), "{}", &forged[..forged.len().min(80)]);
    }
    assert_eq!(check(&token), Ok(()));
}

#[test]
fn without_a_kid_up_to_four_keys_are_tried() {
    let keys: Vec<_> = (0..5).map(|_| fresh(Algorithm::Es256)).collect();
    let ring = Ring(keys.iter().map(|key| key.public().clone()).collect());
    let by = |index: usize| verify(&sign::compact(&keys[index], r#"{"alg":"ES256"}"#, "{}").unwrap(), &ring);

    assert_eq!(by(3).unwrap().kid(), keys[3].kid());
    assert_eq!(by(4).unwrap_err(), Rejection::Signature);
    assert_eq!(
        verify(&sign::compact(&keys[0], r#"{"alg":"ES256"}"#, "{}").unwrap(), &Ring(vec![])).unwrap_err(),
        Rejection::KeyIdMissing
    );
}

#[test]
fn a_signature_by_another_key_with_the_same_kid_is_refused() {
    let (ours, theirs) = (fresh(Algorithm::Es256), fresh(Algorithm::Es256));
    let header = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, ours.kid());

    let rejection = verify(&sign::compact(&theirs, &header, "{}").unwrap(), &Ring::of(&ours)).unwrap_err();

    assert_eq!(rejection, Rejection::Signature);
}

#[test]
fn zero_signatures_are_refused() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let token = token(key);
        let signed = token.rsplit_once('.').unwrap().0;
        for byte in [0, 0xff] {
            let forged = format!("{signed}.{}", base64url::encode(&vec![byte; key.signature_len()]));
            assert_eq!(verify(&forged, &Ring::of(key)).unwrap_err(), Rejection::Signature, "{algorithm}");
        }
    }
}

#[test]
fn peeking_reads_the_header_and_proves_nothing() {
    let key = key(Algorithm::Es256);
    let header = Header::peek(&token(key)).unwrap();

    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::Es256, Some("at+jwt")));
    assert!(PublicKey::from_jwk(&key.public().to_jwk()).is_ok());
}

/// The token on the page that partners read; its key is unknown, its shape must be what we read.
#[test]
fn the_published_sample_fails_only_at_its_signature() {
    let token = include_str!("../data/origin-sample-token.txt").trim();
    let key = key(Algorithm::Rs256);

    assert_eq!(verify(token, &Ring::of(key)).unwrap_err(), Rejection::Signature);

    let parts: Vec<_> = token.split('.').map(|part| base64url::decode(part).unwrap()).collect();
    let [header, claims] = [&parts[0], &parts[1]].map(|json| std::str::from_utf8(json).unwrap());
    let resigned = verify(&sign::compact(key, header, claims).unwrap(), &Ring::of(key)).unwrap();

    assert_eq!(header, r#"{"typ":"JWT","alg":"RS256"}"#);
    assert_eq!(parts[2].len(), 512);
    assert_eq!(resigned.claims().scopes, ["bookings:create", "bookings:delete"]);
    assert_eq!(resigned.claims().iat.map(|iat| iat.0), Some(1_710_220_031_583_112));
    assert_eq!(resigned.claims().is_test, Some(false));
}
