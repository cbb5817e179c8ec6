//! This file is where the two failures of this crate are named: a key that can't be used, a token that isn't valid.

use thiserror::Error;

/// Why a key can't be used. No variant holds key material.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The text holds no PEM block that can be read.
    #[error("no PEM block was found; give a text that starts with -----BEGIN and ends with -----END")]
    NoPem,
    /// The PEM block is of another kind than the one needed.
    #[error("a PEM block `{found}` can't be used here; give {wanted}")]
    WrongPem {
        /// The label found, shortened to what a label may hold.
        found: String,
        /// The labels that can be used.
        wanted: &'static str,
    },
    /// The PEM block is protected by a passphrase.
    #[error(
        "the PEM key is encrypted; decrypt it first, for example with `openssl pkcs8 -in KEY -out PLAIN`"
    )]
    Encrypted,
    /// The encoding is not that of a key of this algorithm.
    #[error("the bytes are not a {algorithm} key; check the file and the algorithm")]
    Encoding {
        /// The algorithm the key was read for.
        algorithm: crate::Algorithm,
    },
    /// The RSA modulus is outside 2048 to 8192 bits.
    #[error("the RSA key has {bits} bits; use 2048 to 8192 bits")]
    RsaSize {
        /// The size found.
        bits: usize,
    },
    /// The RSA numbers are not those of a sound key.
    #[error("the RSA key is refused: {why}; make a new key with exponent 65537")]
    RsaUnsound {
        /// Which rule it breaks.
        why: &'static str,
    },
    /// An RSA key of a number of primes that no library here holds.
    #[error("an RSA key may have two primes, or four and 4096 bits; make one of those")]
    PrimeCount,
    /// Keys of this algorithm are not made of primes to choose a number of.
    #[error("{algorithm} keys are not made of primes; leave the number of primes out")]
    NoPrimes {
        /// The algorithm.
        algorithm: crate::Algorithm,
    },
    /// This build has no library that holds RSA keys of four primes.
    #[error(
        "this build can't hold RSA keys of four primes; use what `make release` made, or build with \
         `--features multi-prime`"
    )]
    FourPrimesAbsent,
    /// The point is not on the curve, or not of the right length.
    #[error("the {curve} public key is not a point of the curve; make a new key")]
    NotOnCurve {
        /// The curve's JWK name.
        curve: &'static str,
    },
    /// The JWK, or JWK set, is not JSON of the right shape.
    #[error("the JWK is not usable JSON: {why}")]
    JwkShape {
        /// Which rule it breaks.
        why: &'static str,
    },
    /// A member that the JWK's type needs is missing or not base64url.
    #[error("the JWK member `{member}` is missing or not canonical base64url")]
    JwkMember {
        /// The member's name.
        member: &'static str,
    },
    /// The JWK is private or symmetric.
    #[error("the JWK holds a private or symmetric key; give the public key only")]
    JwkPrivate,
    /// The JWK's type, curve, use or algorithm is none that this crate verifies with.
    #[error("the JWK can't be used: {why}")]
    JwkUnsupported {
        /// Which member says so.
        why: &'static str,
    },
    /// Two usable keys of a set have the same key id.
    #[error("two keys of the JWK set share one kid; give each key its own")]
    SharedKid,
    /// The set has more keys than are read.
    #[error("the JWK set has more than {limit} keys; publish fewer")]
    TooManyKeys {
        /// The limit.
        limit: usize,
    },
    /// A key id is empty, too long or holds characters that are not visible ASCII.
    #[error("a key id must be 1 to 255 visible ASCII characters")]
    KeyId,
    /// An algorithm's name is not one of ours.
    #[error("the algorithm is unknown; use RS256, PS256, ES256 or EdDSA")]
    UnknownAlgorithm,
    /// The cryptographic library refused to make a key.
    #[error("no {algorithm} key could be made; the cryptographic library refused")]
    Generation {
        /// The algorithm asked for.
        algorithm: crate::Algorithm,
    },
    /// The cryptographic library refused to sign.
    #[error("signing with {algorithm} failed; the cryptographic library refused")]
    Signing {
        /// The key's algorithm.
        algorithm: crate::Algorithm,
    },
    /// The signature doesn't verify.
    #[error("the signature does not verify")]
    Signature,
}

/// Why a token is not valid. Neither `Display` nor `Debug` holds any byte of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum Rejection {
    /// Longer than [`crate::verify::MAX_TOKEN_BYTES`].
    #[error("the token is longer than 16 KiB")]
    TooLarge,
    /// Not three non-empty parts between two dots.
    #[error("the token is not three parts between two dots")]
    NotThreeParts,
    /// A part is not canonical base64url without padding.
    #[error("a part of the token is not canonical base64url without padding")]
    Base64,
    /// The header is not a strict JSON object.
    #[error("the header is not a strict JSON object")]
    HeaderJson,
    /// A header parameter has the wrong JSON type or an impossible value.
    #[error("a header parameter has the wrong type or size")]
    HeaderType,
    /// The algorithm is missing or none of RS256, PS256, ES256, EdDSA.
    #[error("the header's algorithm is not one of RS256, PS256, ES256, EdDSA")]
    AlgorithmUnknown,
    /// A header parameter that would change the meaning of the token or bring a key along.
    #[error("the header has a parameter that is refused (crit, jwk, jku, x5u, zip, encryption)")]
    HeaderRefused,
    /// The token has no `kid` and the keys need one.
    #[error("the header has no kid")]
    KeyIdMissing,
    /// No key has this `kid`.
    #[error("no key with the token's kid is known")]
    KeyUnknown,
    /// The key is for another algorithm than the header says.
    #[error("the key is for another algorithm than the header says")]
    AlgorithmMismatch,
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
    /// The claims are not a strict JSON object.
    #[error("the claims are not a strict JSON object")]
    ClaimsJson,
    /// A claim has the wrong JSON type, is too long, or has both spellings of scope.
    #[error("a claim has the wrong type or size")]
    ClaimType,
    /// A date is not a number that can be kept exactly.
    #[error("a date claim is no number of at most six decimals in range")]
    Date,
    /// The `typ` is not the profile's.
    #[error("the header's typ is not the one expected")]
    Type,
    /// The issuer is missing, another, or present where none may be.
    #[error("the issuer is not the one expected")]
    Issuer,
    /// The audience is missing or another.
    #[error("the audience is not the one expected")]
    Audience,
    /// A date that the profile demands is missing.
    #[error("a date claim is missing")]
    DateMissing,
    /// A date has a fraction where the profile demands whole seconds.
    #[error("a date claim is not a whole number of seconds")]
    DateFraction,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// The token is not valid yet.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The token says that it was issued in the future.
    #[error("the token was issued in the future")]
    IssuedInFuture,
    /// The token would live longer than is allowed, or its dates are in the wrong order.
    #[error("the token's dates are in the wrong order or its lifetime is longer than allowed")]
    Lifetime,
    /// The subject is missing, empty, too long or not the profile's.
    #[error("the subject is not the one expected")]
    Subject,
    /// The client id is missing or empty.
    #[error("the client id is missing or empty")]
    ClientId,
    /// The token id is missing, empty or too long.
    #[error("the token id is missing, empty or too long")]
    TokenId,
    /// The scope is not of the profile's form or has characters that RFC 6749 doesn't allow.
    #[error("the scope is not of the form expected")]
    Scope,
    /// The token is bound to a key or certificate, and binding is not supported.
    #[error("the token is bound to a key or certificate (cnf), which is not supported")]
    Bound,
}

impl Rejection {
    /// A stable name for logs, metrics and the command line.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "token_too_large",
            Self::NotThreeParts => "not_three_parts",
            Self::Base64 => "base64",
            Self::HeaderJson => "header_json",
            Self::HeaderType => "header_type",
            Self::AlgorithmUnknown => "algorithm_unknown",
            Self::HeaderRefused => "header_refused",
            Self::KeyIdMissing => "kid_missing",
            Self::KeyUnknown => "kid_unknown",
            Self::AlgorithmMismatch => "algorithm_mismatch",
            Self::Signature => "signature",
            Self::ClaimsJson => "claims_json",
            Self::ClaimType => "claim_type",
            Self::Date => "date",
            Self::Type => "typ",
            Self::Issuer => "iss",
            Self::Audience => "aud",
            Self::DateMissing => "date_missing",
            Self::DateFraction => "date_fraction",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInFuture => "issued_in_future",
            Self::Lifetime => "lifetime",
            Self::Subject => "sub",
            Self::ClientId => "client_id",
            Self::TokenId => "jti",
            Self::Scope => "scope",
            Self::Bound => "cnf",
        }
    }

    /// True if newer keys might turn the verdict, so that a guard may fetch them once.
    ///
    /// For keys without a `kid` a signature by none of the pinned keys says the same.
    #[must_use]
    pub const fn is_unknown_key(self) -> bool {
        matches!(self, Self::KeyUnknown)
    }
}
