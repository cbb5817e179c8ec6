//! This file is where rows G001 to G014 are built: the algorithm is the key's, whatever the header says.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use gatepost_guard::jose::{Algorithm, base64url, sign};

use super::mint::{Profile, fresh, key, text};
use super::rows::{Row, Rows, check};

const UNKNOWN: &str = "algorithm_unknown";

#[tokio::test]
async fn every_algorithm_row_is_refused() {
    check(rows, &[key()]).await;
}

pub(crate) fn rows(profile: Profile) -> Vec<Row> {
    let mut rows = Rows::new(profile);
    none(&mut rows);
    misspelt(&mut rows);
    symmetric(&mut rows);
    other_hashes_of_the_same_key(&mut rows);
    other_kinds(&mut rows);
    rows.rows
}

fn none(rows: &mut Rows) {
    let mut draft = rows.draft();
    for (id, name) in [("G001", "none"), ("G002", "None"), ("G002", "nOnE"), ("G002", "NONE")] {
        draft.header.set("alg", &text(name));
        rows.refused(id, "not_three_parts", format!("{}.", draft.input()));
        rows.refused(id, UNKNOWN, format!("{}.AA", draft.input()));
    }
    draft.header.set("alg", &text("none"));
    let original = rows.token();
    let signature = original.rsplit_once('.').unwrap().1;
    rows.refused("G003", UNKNOWN, format!("{}.{signature}", draft.input()));
}

fn misspelt(rows: &mut Rows) {
    let mut without = rows.draft();
    without.header.remove("alg");
    rows.refused("G004", UNKNOWN, without.sign(key()));
    for json in ["\"\"", "null", "256", "[\"RS256\"]"] {
        rows.header("G005", UNKNOWN, "alg", json);
    }
    rows.header("G006", UNKNOWN, "alg", "\"rs256\"");
    rows.header("G006", UNKNOWN, "alg", "\"RS256 \"");
    rows.header("G006", "header_json", "alg", r#""RS256\u0000""#);
}

/// The public key as the secret of an HMAC, in every form an attacker can get it.
fn symmetric(rows: &mut Rows) {
    let public = key().public();
    let pem = public.to_pem().unwrap();
    let jwk = public.to_jwk();
    let modulus = base64url::decode(jwk.n.as_deref().unwrap()).unwrap();
    let secrets =
        [pem.clone().into_bytes(), serde_json::to_vec(&jwk).unwrap(), modulus, format!(" \n{pem}").into()];
    let empty = [Vec::new()];
    let ids = std::iter::repeat_n("G008", secrets.len()).chain(["G009"]);
    for (id, secret) in ids.zip(secrets.iter().chain(&empty)) {
        let mut draft = rows.draft();
        draft.header.set("alg", &text("HS256"));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), draft.input().as_bytes());
        rows.refused(id, UNKNOWN, sign::finish(draft.input(), tag.as_ref()));
    }
}

fn other_hashes_of_the_same_key(rows: &mut Rows) {
    let pair = RsaKeyPair::from_pkcs8(&key().to_pkcs8_der().unwrap()).unwrap();
    let cases: [(&str, &str, &'static dyn RsaEncoding); 3] = [
        ("RS384", UNKNOWN, &RSA_PKCS1_SHA384),
        ("RS512", UNKNOWN, &RSA_PKCS1_SHA512),
        ("PS256", "algorithm_mismatch", &RSA_PSS_SHA256),
    ];
    for (name, code, encoding) in cases {
        let mut draft = rows.draft();
        draft.header.set("alg", &text(name));
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), draft.input().as_bytes(), &mut signature).unwrap();
        rows.refused("G010", code, sign::finish(draft.input(), &signature));
    }
}

fn other_kinds(rows: &mut Rows) {
    let mut draft = rows.draft();
    draft.header.set("kid", &text(key().kid().as_str()));
    draft.header.set("alg", &text("ES256"));
    rows.refused("G011", "algorithm_mismatch", sign::finish(draft.input(), &[0; 64]));
    draft.header.set("alg", &text("EdDSA"));
    rows.refused("G013", "algorithm_mismatch", draft.sign(&fresh(Algorithm::EdDsa)));
    for name in ["RSA1_5", "dir"] {
        rows.header("G014", UNKNOWN, "alg", &text(name));
    }
}

#[tokio::test]
async fn g011_zero_is_no_signature_of_an_elliptic_key_either() {
    let elliptic = fresh(Algorithm::Es256);
    let rsa = fresh(Algorithm::Rs256);
    for profile in super::mint::BOTH {
        let guard = profile.guard_of(&[&elliptic, &rsa]);
        let forged = sign::finish(profile.draft(&elliptic).input(), &[0; 64]);

        assert!(guard.judge(&profile.token(&elliptic)).await.is_ok());
        assert_eq!(guard.judge(&forged).await.unwrap_err().code(), "signature");
    }
}
