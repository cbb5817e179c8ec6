//! This file is where the signing keys are looked at: whether each API signs, and whether any key is overdue or too small.

use std::time::Duration;

use gatepost_core::apis::ApiWithScopes;
use gatepost_core::keys::rotation::in_state;
use gatepost_core::keys::{KeyState, StoredKey};
use gatepost_core::time::Timestamp;
use gatepost_jose::{Jwk, base64url};

use super::Check;
use crate::clock::written;
use crate::config::write_duration;
use crate::failure::Failure;
use crate::gate::Gate;
use crate::keys::four_primes::Pace;
use crate::keys::{self, schedule};

/// A running server does what is due within a second; what waits longer waits for one.
const PATIENCE: Duration = Duration::from_secs(60);

/// Below this RSA signatures can be forged with money (NIST SP 800-131A).
const LEAST_RSA_BITS: usize = 2_048;

/// The keys of each API, the server's own, and under what they are sealed.
pub(super) async fn checks(gate: &Gate) -> Result<Vec<Check>, Failure> {
    let ring = gate.ring();
    let mut checks: Vec<Check> = ring.apis().iter().flat_map(|api| of_api(gate, api)).collect();
    if ring.service().is_none() {
        let why = "revocation feed and signed introspection answers need it";
        checks.push(Check::fail(
            "keys",
            "the server has no key of its own",
            why,
            "restore the store from a backup",
        ));
    }
    checks.extend(keys::four_primes::measure(gate).await?.iter().map(pace));
    let keys = gate.store.keys().await?;
    let master = gate.master();
    let older = keys.iter().filter(|key| !master.wrapping.is_current(&key.sealed.wrapping)).count();
    if older > 0 {
        let what = format!("{older} keys are sealed under an older wrapping key");
        let why = "that one has to stay in the master key file as long as they are";
        checks.push(Check::warn("keys", what, why, "gatepost key rewrap"));
    }
    Ok(checks)
}

/// Whether a key of four primes is worth having here.
fn pace(pace: &Pace) -> Check {
    if pace.is_slow() {
        return Check::warn("keys", pace.what(), pace.why(), pace.fix());
    }
    Check::ok("keys", pace.what())
}

fn of_api(gate: &Gate, api: &ApiWithScopes) -> Vec<Check> {
    let name = api.api.name.as_str();
    let ring = gate.ring();
    let keys = ring.stored_of(api.api.id);
    let Some(signing) = in_state(keys, KeyState::Signing) else {
        let fix = format!("gatepost key rotate --api {name}, then gatepost key promote --api {name} --now");
        return vec![Check::fail("keys", format!("{name} has no key that signs"), "it gets no tokens", fix)];
    };
    let odd: Vec<Check> = [
        size(gate, name, signing),
        age(gate, api, keys, signing),
        waiting(gate, api, keys),
        over(gate, name, keys),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !odd.is_empty() {
        return odd;
    }
    let kid = signing.kid.as_str().get(..8).unwrap_or_default();
    vec![Check::ok("keys", format!("{name} signs with {kid}… since {}", written(signing.signs_from)))]
}

fn size(gate: &Gate, name: &str, signing: &StoredKey) -> Option<Check> {
    let bits = rsa_bits(&signing.public)?;
    let what = format!("the RSA key of {name} has {bits} bits");
    let fix = format!("gatepost key rotate --api {name}");
    if bits < LEAST_RSA_BITS {
        return Some(Check::fail("keys", what, "less than 2048 bits are no longer safe", fix));
    }
    let wanted = usize::try_from(gate.config.keys.rsa_bits).unwrap_or(LEAST_RSA_BITS);
    let why = format!("keys.rsa_bits asks for {wanted}");
    (bits < wanted).then(|| Check::warn("keys", what, why, fix))
}

/// How long the modulus is, without leading zeros.
fn rsa_bits(public: &Jwk) -> Option<usize> {
    let modulus = base64url::decode(public.n.as_deref()?)?;
    let mut significant = modulus.iter().skip_while(|byte| **byte == 0).peekable();
    let zeros = usize::try_from(significant.peek()?.leading_zeros()).unwrap_or(0);
    Some(significant.count().saturating_mul(8).saturating_sub(zeros))
}

fn age(gate: &Gate, api: &ApiWithScopes, keys: &[StoredKey], signing: &StoredKey) -> Option<Check> {
    let name = api.api.name.as_str();
    let every = schedule(gate, api).rotate_every?;
    let due = signing.signs_from.after(every).after(PATIENCE);
    if is_ahead(gate, due) || in_state(keys, KeyState::Published).is_some() {
        return None;
    }
    let what = format!("{name} signs with the same key since {}", written(signing.signs_from));
    let every = write_duration(every);
    let why = format!("its keys are to take turns every {every}, but no server has published the next one");
    Some(Check::warn("keys", what, why, format!("run the server, or gatepost key rotate --api {name}")))
}

fn waiting(gate: &Gate, api: &ApiWithScopes, keys: &[StoredKey]) -> Option<Check> {
    let name = api.api.name.as_str();
    let published = in_state(keys, KeyState::Published)?;
    if is_ahead(gate, published.signs_from.after(PATIENCE)) {
        return None;
    }
    let what = format!("the next key of {name} could sign since {}", written(published.signs_from));
    let why = if api.api.profile.names_key() {
        "no server runs that lets it take over"
    } else {
        "its tokens name no key, so it takes over only when told"
    };
    let fix = format!("gatepost key promote --api {name}, when its readers have the new key");
    Some(Check::warn("keys", what, why, fix))
}

fn over(gate: &Gate, name: &str, keys: &[StoredKey]) -> Option<Check> {
    let overdue = |key: &&StoredKey| {
        let until = key.verifies_until.map(|until| until.after(PATIENCE));
        key.state == KeyState::Verifying && until.is_some_and(|until| !is_ahead(gate, until))
    };
    let key = keys.iter().find(overdue)?;
    let what = format!("an old key of {name} is in the key set still");
    let why = "its last token has expired, and no server runs that retires it";
    let kid = key.kid.as_str();
    Some(Check::warn("keys", what, why, format!("run the server, or gatepost key retire {kid}")))
}

fn is_ahead(gate: &Gate, instant: Timestamp) -> bool {
    instant > gate.clock.now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_an_rsa_key_is_that_of_its_modulus() {
        let key = |modulus: &[u8]| Jwk { n: Some(base64url::encode(modulus)), ..Jwk::default() };
        let mut modulus = vec![0xff; 256];
        assert_eq!(rsa_bits(&key(&modulus)), Some(2_048));
        modulus[0] = 0x7f;
        assert_eq!(rsa_bits(&key(&modulus)), Some(2_047));
        modulus[0] = 0;
        assert_eq!(rsa_bits(&key(&modulus)), Some(2_040));
        assert_eq!(rsa_bits(&Jwk::default()), None);
    }
}
