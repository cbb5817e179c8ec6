//! This file is where it is decided of how many primes an API's next RSA key is.
//!
//! Who does not say gets as many as the key has that signs now: a schedule keeps what an operator chose.

use gatepost_core::apis::ApiWithScopes;
use gatepost_core::keys::{KeyState, StoredKey, rotation};
use gatepost_jose::Primes;

use super::maker::Wanted;
use crate::failure::{Failure, Kind};
use crate::gate::Gate;

/// The kind of the API's next key; refused if its algorithm or this build has no such key.
pub(super) fn next_key(
    gate: &Gate,
    api: &ApiWithScopes,
    keys: &[StoredKey],
    asked: Option<Primes>,
) -> Result<Wanted, Failure> {
    let algorithm = api.api.algorithm;
    match asked {
        Some(_) if !algorithm.is_rsa() => Err(no_primes(api)),
        Some(primes) if !primes.can_be_held() => {
            Err(Failure::four_primes_absent("this build can't make RSA keys of four primes"))
        }
        Some(primes) => Ok(Wanted { algorithm, primes }),
        None => Ok(Wanted { algorithm, primes: of_present(gate, keys).unwrap_or(Primes::Two) }),
    }
}

fn of_present(gate: &Gate, keys: &[StoredKey]) -> Option<Primes> {
    let present = rotation::in_state(keys, KeyState::Signing)?;
    gate.ring().primes_of(&present.kid)
}

fn no_primes(api: &ApiWithScopes) -> Failure {
    let (name, alg) = (api.api.name.as_str(), api.api.algorithm);
    Failure::new(
        Kind::Invalid,
        "key.primes",
        format!("the keys of {name} are not made of primes"),
        format!("its algorithm is {alg}; --primes is for RS256 and PS256"),
        "leave --primes out; such keys sign faster than any RSA key",
    )
}
