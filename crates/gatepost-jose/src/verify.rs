//! This file is where a token is judged: size, structure, header, key, signature, claims, in this order (RFC 8725).
//!
//! Nothing that the token says chooses what happens: the keys at hand choose the algorithm, and the claims are not
//! looked at before the signature holds.

use serde_json::value::RawValue;

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::claims::Claims;
use crate::error::Rejection;
use crate::key::{KeyId, PublicKey};
use crate::key_in_jti::ClaimedKey;
use crate::strict_json::Object;

/// A longer token is refused before anything of it is read.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// How many keys are tried in turn for a token that names none.
pub const MAX_CANDIDATES: usize = 4;
const MAX_HEADER_TEXT: usize = 255;

/// True for parameters that change what the token means, or bring a key along. None is ever looked into.
fn is_refused(parameter: &str) -> bool {
    matches!(parameter, "crit" | "b64" | "zip" | "cty" | "jwk" | "jku" | "x5u" | "x5c" | "x5t" | "x5t#S256")
        || matches!(parameter, "enc" | "epk" | "apu" | "apv" | "iv" | "tag" | "p2s" | "p2c")
}

/// The keys that a token may be verified with.
pub trait Keys {
    /// The keys with the header's `kid`. Without one [`Candidates::all`]: of those the token's `jti` may choose one
    /// ([`crate::key_in_jti`]), else [`MAX_CANDIDATES`] are tried.
    fn candidates(&self, header: &Header) -> Candidates<'_>;

    /// Told before each signature check, for whoever counts them.
    fn checking(&self) {}
}

/// Keys of which one may have signed, kept without an allocation.
#[derive(Debug, Clone, Default)]
pub struct Candidates<'k> {
    few: [Option<PublicKey>; MAX_CANDIDATES],
    all: &'k [PublicKey],
}

impl<'k> Candidates<'k> {
    /// No key.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// One key.
    #[must_use]
    pub fn one(key: PublicKey) -> Self {
        Self { few: [Some(key), None, None, None], all: &[] }
    }

    /// All that there are, however many: the token names one of them, or they are tried up to [`MAX_CANDIDATES`].
    #[must_use]
    pub fn all(keys: &'k [PublicKey]) -> Self {
        Self { few: Default::default(), all: keys }
    }

    fn iter(&self) -> impl Iterator<Item = &PublicKey> + Clone {
        self.few.iter().flatten().chain(self.all)
    }
}

impl FromIterator<PublicKey> for Candidates<'_> {
    /// Keys beyond [`MAX_CANDIDATES`] are left out.
    fn from_iter<I: IntoIterator<Item = PublicKey>>(keys: I) -> Self {
        let mut candidates = Self::none();
        for (place, key) in candidates.few.iter_mut().zip(keys) {
            *place = Some(key);
        }
        candidates
    }
}

/// What a token's header says of itself; nothing of it is trusted.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// The algorithm; the key must be for the same.
    pub alg: Algorithm,
    /// The media type.
    pub typ: Option<String>,
    /// The key's id.
    pub kid: Option<String>,
}

/// Only the algorithm is ours; the rest is the caller's text and stays out of logs.
impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Header").field("alg", &self.alg).finish_non_exhaustive()
    }
}

impl Header {
    /// Reads a token's header without verifying anything, to say what a token claims to be.
    pub fn peek(token: &str) -> Result<Self, Rejection> {
        Parts::split(token)?.header()
    }

    pub(crate) fn parse(json: &[u8]) -> Result<Self, Rejection> {
        let object = Object::parse(json).map_err(|_| Rejection::HeaderJson)?;
        let alg = algorithm(object.get("alg"))?;
        if object.names().any(is_refused) {
            return Err(Rejection::HeaderRefused);
        }
        Ok(Self { alg, typ: short_text(object.get("typ"))?, kid: short_text(object.get("kid"))? })
    }
}

fn algorithm(value: Option<&RawValue>) -> Result<Algorithm, Rejection> {
    let name: String =
        value.and_then(|value| serde_json::from_str(value.get()).ok()).ok_or(Rejection::AlgorithmUnknown)?;
    name.parse().map_err(|_| Rejection::AlgorithmUnknown)
}

fn short_text(value: Option<&RawValue>) -> Result<Option<String>, Rejection> {
    let Some(value) = value else { return Ok(None) };
    let text: String = serde_json::from_str(value.get()).map_err(|_| Rejection::HeaderType)?;
    if text.len() > MAX_HEADER_TEXT { Err(Rejection::HeaderType) } else { Ok(Some(text)) }
}

/// A token whose signature was verified and whose claims have the right types; only [`verify`] makes one.
///
/// What the claims say is for [`crate::expect::Expectation::check`] to judge.
#[derive(Debug, Clone)]
pub struct Verified {
    header: Header,
    kid: KeyId,
    claims: Claims,
}

impl Verified {
    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The id of the key that verified the token.
    #[must_use]
    pub fn kid(&self) -> &KeyId {
        &self.kid
    }

    /// The claims.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The claims, taken out.
    #[must_use]
    pub fn into_claims(self) -> Claims {
        self.claims
    }
}

/// Verifies a compact JWS up to the types of its claims.
pub fn verify<K: Keys + ?Sized>(token: &str, keys: &K) -> Result<Verified, Rejection> {
    let parts = Parts::split(token)?;
    let header = parts.header()?;
    let signature = decode(parts.signature)?;
    let claims = decode(parts.claims)?;
    let kid =
        signed_by(keys, &header, &Signed { text: parts.signed, claims: &claims, signature: &signature })?;
    Ok(Verified { header, kid, claims: Claims::parse(claims)? })
}

/// Whom a token says it is about, before anything of it is verified: to find the keys that tell whether it is true.
///
/// For client assertions alone (RFC 7521 section 4.2): their keys belong to the one that they name.
pub fn claimed_subject(token: &str) -> Result<Option<String>, Rejection> {
    let claims = decode(Parts::split(token)?.claims)?;
    Ok(Claims::parse(claims)?.sub)
}

/// Which key a token says it was signed by, before anything of it is verified: to find whom to ask about it.
pub fn claimed_key(token: &str) -> Result<ClaimedKey, Rejection> {
    let parts = Parts::split(token)?;
    let header = parts.header()?;
    Ok(ClaimedKey::read(header.kid.as_deref(), &decode(parts.claims)?))
}

/// What a signature is checked against.
struct Signed<'a> {
    text: &'a str,
    claims: &'a [u8],
    signature: &'a [u8],
}

fn signed_by<K: Keys + ?Sized>(keys: &K, header: &Header, signed: &Signed<'_>) -> Result<KeyId, Rejection> {
    let candidates = keys.candidates(header);
    if candidates.iter().next().is_none() {
        return Err(if header.kid.is_some() { Rejection::KeyUnknown } else { Rejection::KeyIdMissing });
    }
    let fits = |key: &&PublicKey| key.algorithm() == header.alg;
    if candidates.iter().find(fits).is_none() {
        return Err(Rejection::AlgorithmMismatch);
    }
    // The choice comes before the bound: the key that is named may be any of them.
    let meant: Candidates<'_> = match header.kid {
        Some(_) => candidates,
        None => {
            ClaimedKey::read(None, signed.claims).among(candidates.iter()).filter(fits).cloned().collect()
        }
    };
    for key in meant.iter().filter(fits) {
        keys.checking();
        if key.verify(signed.text.as_bytes(), signed.signature).is_ok() {
            return Ok(key.kid().clone());
        }
    }
    Err(Rejection::Signature)
}

/// The three parts of a compact JWS.
pub(crate) struct Parts<'a> {
    pub(crate) signed: &'a str,
    pub(crate) header: &'a str,
    pub(crate) claims: &'a str,
    pub(crate) signature: &'a str,
}

impl<'a> Parts<'a> {
    fn split(token: &'a str) -> Result<Self, Rejection> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Rejection::TooLarge);
        }
        Self::of_any_length(token)
    }

    pub(crate) fn of_any_length(token: &'a str) -> Result<Self, Rejection> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Rejection::NotThreeParts)?;
        let (header, claims) = signed.split_once('.').ok_or(Rejection::NotThreeParts)?;
        if header.is_empty() || claims.is_empty() || signature.is_empty() || claims.contains('.') {
            return Err(Rejection::NotThreeParts);
        }
        Ok(Self { signed, header, claims, signature })
    }

    pub(crate) fn header(&self) -> Result<Header, Rejection> {
        Header::parse(&decode(self.header)?)
    }
}

pub(crate) fn decode(part: &str) -> Result<Vec<u8>, Rejection> {
    base64url::decode(part).ok_or(Rejection::Base64)
}
