//! This file is where the examples of the RFCs are computed again: RFC 7515 appendix A, RFC 7638, RFC 8037 appendix A.

use gatepost_jose::verify::verify;
use gatepost_jose::{Algorithm, Jwk, Micros, PublicKey, SigningKey, base64url};

use crate::keyring::Ring;

const RFC7515_CLAIMS: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const RFC7515_A2_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RFC7515_A2_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const RFC7638_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
const RFC8037_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn public(json: &str) -> PublicKey {
    PublicKey::from_jwk(&Jwk::parse(json.as_bytes()).unwrap()).unwrap()
}

#[test]
fn rfc_7515_a2_an_rs256_token_verifies() {
    let key = public(&format!(r#"{{"kty":"RSA","alg":"RS256","e":"AQAB","n":"{RFC7515_A2_N}"}}"#));
    let token = format!("eyJhbGciOiJSUzI1NiJ9.{RFC7515_CLAIMS}.{RFC7515_A2_SIGNATURE}");

    let verified = verify(&token, &Ring(vec![key])).unwrap();

    assert_eq!(verified.claims().iss.as_deref(), Some("joe"));
    assert_eq!(verified.claims().exp, Micros::from_seconds(1_300_819_380));
    assert_eq!(verified.header().alg, Algorithm::Rs256);
}

#[test]
fn rfc_7515_a3_an_es256_token_verifies() {
    let key = public(
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
    );
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    let verified =
        verify(&format!("eyJhbGciOiJFUzI1NiJ9.{RFC7515_CLAIMS}.{signature}"), &Ring(vec![key])).unwrap();

    assert_eq!(verified.claims().iss.as_deref(), Some("joe"));
}

#[test]
fn rfc_7638_the_thumbprint_of_an_rsa_key() {
    let key =
        public(&format!(r#"{{"kty":"RSA","n":"{RFC7638_N}","e":"AQAB","alg":"RS256","kid":"2011-04-29"}}"#));

    assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(key.kid().as_str(), "2011-04-29");
}

#[test]
fn rfc_8037_a3_the_thumbprint_of_an_ed25519_key() {
    let key = public(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{RFC8037_X}"}}"#));

    assert_eq!(key.kid().as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn rfc_8037_a4_an_ed25519_signature_is_made_and_verified_to_the_byte() {
    let seed = base64url::decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    let pkcs8 = [&b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"[..], &seed].concat();
    let key = SigningKey::from_pkcs8_der(Algorithm::EdDsa, &pkcs8).unwrap();
    let input = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";

    let signature = key.sign(input).unwrap();

    assert_eq!(key.public().to_jwk().x.as_deref(), Some(RFC8037_X));
    assert_eq!(
        base64url::encode(&signature),
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
    assert_eq!(key.public().verify(input, &signature), Ok(()));
}
