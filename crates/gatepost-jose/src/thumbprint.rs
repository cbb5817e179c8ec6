//! This file is where a key's thumbprint is computed (RFC 7638, RFC 8037 section 2).

use aws_lc_rs::digest::{SHA256, digest};

use crate::algorithm::PublicMaterial;
use crate::base64url;

/// SHA-256 of the required members in lexicographic order without white space, as base64url.
pub(crate) fn thumbprint(material: &PublicMaterial) -> String {
    let canonical = match material {
        PublicMaterial::Rsa { n, e } => {
            format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, base64url::encode(e), base64url::encode(n))
        }
        PublicMaterial::P256 { x, y } => {
            let (x, y) = (base64url::encode(x), base64url::encode(y));
            format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
        }
        PublicMaterial::Ed25519 { x } => {
            format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, base64url::encode(x))
        }
    };
    base64url::encode(digest(&SHA256, canonical.as_bytes()).as_ref())
}
