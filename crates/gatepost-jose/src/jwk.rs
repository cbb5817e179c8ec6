//! This file is where public keys are read and written as JWK (RFC 7517, RFC 7518 section 6, RFC 8037).

mod set;

pub use set::{JwkSet, MAX_KEYS};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::algorithm::{Algorithm, PublicMaterial};
use crate::base64url;
use crate::error::KeyError;
use crate::strict_json::Object;

/// A JWK with the public members only; reading one with private members fails.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AnyJwk")]
pub struct Jwk {
    /// Key type: RSA, EC or OKP.
    pub kty: String,
    /// Use: `sig`.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub key_use: Option<String>,
    /// Algorithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// Key id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// RSA modulus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// RSA exponent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// Curve: P-256 or Ed25519.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// The point, or its first coordinate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// The second coordinate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// Whether tokens of the key that have no `kid` name it in their `jti` ([`crate::key_in_jti`]); others ignore it
    /// (RFC 7517 section 4).
    #[serde(rename = "gatepost_jti_names_key", skip_serializing_if = "Option::is_none")]
    pub jti_names_key: Option<bool>,
}

impl Jwk {
    /// Reads one JWK from JSON; repeated members are refused.
    pub fn parse(json: &[u8]) -> Result<Self, KeyError> {
        Object::parse(json).map_err(|error| KeyError::JwkShape { why: error.why() })?;
        let any: AnyJwk =
            serde_json::from_slice(json).map_err(|_| KeyError::JwkShape { why: "wrong member type" })?;
        any.try_into()
    }

    pub(crate) fn of(algorithm: Algorithm, kid: &str, material: &PublicMaterial) -> Self {
        let named = Self {
            key_use: Some("sig".into()),
            alg: Some(algorithm.to_string()),
            kid: Some(kid.to_owned()),
            ..Self::default()
        };
        match material {
            PublicMaterial::Rsa { n, e } => Self { kty: "RSA".into(), n: encoded(n), e: encoded(e), ..named },
            PublicMaterial::P256 { x, y } => {
                Self { kty: "EC".into(), crv: Some("P-256".into()), x: encoded(x), y: encoded(y), ..named }
            }
            PublicMaterial::Ed25519 { x } => {
                Self { kty: "OKP".into(), crv: Some("Ed25519".into()), x: encoded(x), ..named }
            }
        }
    }

    /// The algorithm and the numbers, before the checks of the key itself.
    pub(crate) fn material(&self) -> Result<(Algorithm, PublicMaterial), KeyError> {
        if self.key_use.as_deref().is_some_and(|purpose| purpose != "sig") {
            return Err(KeyError::JwkUnsupported { why: "its use is not sig" });
        }
        let material = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => PublicMaterial::Rsa { n: bytes("n", &self.n)?, e: bytes("e", &self.e)? },
            ("EC", Some("P-256")) => {
                PublicMaterial::P256 { x: coordinate("x", &self.x)?, y: coordinate("y", &self.y)? }
            }
            ("OKP", Some("Ed25519")) => PublicMaterial::Ed25519 { x: coordinate("x", &self.x)? },
            ("oct", _) => return Err(KeyError::JwkPrivate),
            _ => {
                return Err(KeyError::JwkUnsupported {
                    why: "kty and crv must be RSA, EC P-256 or OKP Ed25519",
                });
            }
        };
        Ok((self.algorithm(&material)?, material))
    }

    fn algorithm(&self, material: &PublicMaterial) -> Result<Algorithm, KeyError> {
        let named = match self.alg.as_deref() {
            Some(name) => Some(name.parse()?),
            None => None,
        };
        match (material, named) {
            (PublicMaterial::Rsa { .. }, None) => {
                Err(KeyError::JwkUnsupported { why: "an RSA key needs alg RS256 or PS256" })
            }
            (PublicMaterial::P256 { .. }, None) => Ok(Algorithm::Es256),
            (PublicMaterial::Ed25519 { .. }, None) => Ok(Algorithm::EdDsa),
            (_, Some(algorithm)) => Ok(algorithm),
        }
    }
}

fn encoded(bytes: &[u8]) -> Option<String> {
    Some(base64url::encode(bytes))
}

fn bytes(member: &'static str, text: &Option<String>) -> Result<Vec<u8>, KeyError> {
    text.as_deref().and_then(base64url::decode).ok_or(KeyError::JwkMember { member })
}

fn coordinate(member: &'static str, text: &Option<String>) -> Result<[u8; 32], KeyError> {
    bytes(member, text)?.try_into().map_err(|_| KeyError::JwkMember { member })
}

/// A JWK as anybody may write it; the way to [`Jwk`] refuses what must not be public.
#[derive(Deserialize)]
struct AnyJwk {
    kty: String,
    #[serde(rename = "use")]
    key_use: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    #[serde(rename = "gatepost_jti_names_key")]
    jti_names_key: Option<bool>,
    d: Option<IgnoredAny>,
    p: Option<IgnoredAny>,
    q: Option<IgnoredAny>,
    dp: Option<IgnoredAny>,
    dq: Option<IgnoredAny>,
    qi: Option<IgnoredAny>,
    oth: Option<IgnoredAny>,
    k: Option<IgnoredAny>,
    #[serde(rename = "priv")]
    private: Option<IgnoredAny>,
}

impl TryFrom<AnyJwk> for Jwk {
    type Error = KeyError;

    fn try_from(any: AnyJwk) -> Result<Self, KeyError> {
        let secret = [any.d, any.p, any.q, any.dp, any.dq, any.qi, any.oth, any.k, any.private]
            .iter()
            .any(Option::is_some);
        if secret {
            return Err(KeyError::JwkPrivate);
        }
        let AnyJwk { kty, key_use, alg, kid, n, e, crv, x, y, jti_names_key, .. } = any;
        Ok(Self { kty, key_use, alg, kid, n, e, crv, x, y, jti_names_key })
    }
}
