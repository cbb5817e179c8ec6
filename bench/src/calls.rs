//! This file is where requests with tokens are made, good ones and forged ones, for guards in this process.

use gatepost_guard::jose::{Algorithm, RsaBits, SigningKey, sign};
use gatepost_guard::{Clock as _, SystemClock};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use crate::failure::{Failure, Outcome};
use crate::processor::cores;
use crate::subject::Subject;

/// Whose tokens they are.
pub(crate) const ISSUER: &str = "https://gate.example";
/// What they are for.
pub(crate) const AUDIENCE: &str = "https://api.example";

const SCHEME: &str = "Bearer ";

/// Requests with a token each, all different.
pub(crate) struct Calls {
    pub key: SigningKey,
    pub good: Vec<Call>,
    /// The good ones' claims under another one's signature.
    pub forged: Vec<Call>,
}

/// A request as a guard gets it, and what raw verification needs of it.
pub(crate) struct Call {
    pub headers: HeaderMap,
    pub signature: Vec<u8>,
}

impl Calls {
    /// At least two, signed on all cores.
    pub(crate) fn sign(subject: Subject, count: usize) -> Outcome<Self> {
        let (algorithm, bits) = match subject {
            Subject::Rsa4096 => (Algorithm::Rs256, RsaBits::B4096),
            Subject::Rsa2048 => (Algorithm::Rs256, RsaBits::B2048),
            Subject::Es256 => (Algorithm::Es256, RsaBits::B2048),
            Subject::Eddsa => (Algorithm::EdDsa, RsaBits::B2048),
        };
        let key = SigningKey::generate(algorithm, bits).map_err(failed)?;
        let tokens = tokens(&key, count.max(2))?;
        let good = tokens.iter().map(|token| Call::of(token)).collect::<Outcome<Vec<_>>>()?;
        let others = tokens.iter().cycle().skip(1);
        let swapped = tokens.iter().zip(others).map(|(token, other)| Call::of(&swapped(token, other)?));
        Ok(Self { forged: swapped.collect::<Outcome<_>>()?, good, key })
    }
}

impl Call {
    fn of(token: &str) -> Outcome<Self> {
        let mut value = HeaderValue::try_from(format!("{SCHEME}{token}")).map_err(failed)?;
        value.set_sensitive(true);
        let (_, signature) = halves(token)?;
        let signature = gatepost_guard::jose::base64url::decode(signature)
            .ok_or_else(|| failed("a signature is no base64url"))?;
        Ok(Self { headers: HeaderMap::from_iter([(AUTHORIZATION, value)]), signature })
    }

    /// The token as it is sent.
    pub(crate) fn token(&self) -> &[u8] {
        let value = self.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        value.and_then(|value| value.strip_prefix(SCHEME.as_bytes())).unwrap_or_default()
    }

    /// What is signed of it.
    pub(crate) fn signed(&self) -> &[u8] {
        let token = self.token();
        token.iter().rposition(|byte| *byte == b'.').and_then(|dot| token.get(..dot)).unwrap_or_default()
    }
}

fn tokens(key: &SigningKey, count: usize) -> Outcome<Vec<String>> {
    let now = SystemClock::new().now().seconds();
    let numbers: Vec<usize> = (0..count).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = numbers
            .chunks(count.div_ceil(cores()).max(1))
            .map(|some| {
                scope.spawn(move || {
                    some.iter().map(|number| token(key, *number, now)).collect::<Outcome<Vec<_>>>()
                })
            })
            .collect();
        let mut tokens = Vec::new();
        for thread in threads {
            tokens.extend(thread.join().map_err(|_| failed("a signing thread broke off"))??);
        }
        Ok(tokens)
    })
}

fn token(key: &SigningKey, number: usize, now: i64) -> Outcome<String> {
    let header =
        serde_json::json!({ "typ": "at+jwt", "alg": key.algorithm().to_string(), "kid": key.kid().as_str() });
    let claims = serde_json::json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "client", "client_id": "client", "scope": "bookings:read",
        "jti": format!("token-{number}"), "iat": now, "exp": now + 3_600, "is_test": false,
    });
    sign::compact(key, &header.to_string(), &claims.to_string()).map_err(failed)
}

/// A token with another one's signature.
fn swapped(token: &str, other: &str) -> Outcome<String> {
    let ((signed, _), (_, signature)) = (halves(token)?, halves(other)?);
    Ok(format!("{signed}.{signature}"))
}

fn halves(token: &str) -> Outcome<(&str, &str)> {
    token.rsplit_once('.').ok_or_else(|| failed("a token is no JWT"))
}

fn failed(why: impl std::fmt::Display) -> Failure {
    Failure::new("the tokens of the calls", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signed_token_verifies_and_no_forged_one_does() {
        for subject in [Subject::Rsa2048, Subject::Es256, Subject::Eddsa] {
            let calls = Calls::sign(subject, 3).expect("tokens");
            let verifies = |call: &Call| calls.key.public().verify(call.signed(), &call.signature).is_ok();
            assert_eq!((calls.good.len(), calls.forged.len()), (3, 3));
            assert!(calls.good.iter().all(verifies) && !calls.forged.iter().any(verifies), "{subject:?}");
        }
    }
}
