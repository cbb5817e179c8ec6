//! This file is where keys of four primes are timed: do they sign so much faster that they are worth having?
//!
//! The idea: the same processor signs in turn with the key and with one of two primes of the same length, and each one's
//! shortest time counts, so that other work on the machine does not.
//! The limit: where a processor has instructions that only the library of two-prime keys uses (AVX-512 IFMA), the answer is
//! no: 1.2 times there.
//! The price: some forty milliseconds on a thread of its own, for a server that starts and for the doctor.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepost_jose::{KeyError, Primes, SigningKey, Yardstick};

use crate::failure::Failure;
use crate::gate::Gate;

/// Below this a key of four primes is not worth its price; where it was measured it signs three times as fast.
const LEAST: f64 = 2.0;
/// How often each signs; one of them meets a quiet moment.
const ROUNDS: usize = 5;
const TEXT: &[u8] = b"gatepost self test";

/// How fast a key of four primes signs here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pace {
    /// The API that it signs for.
    pub(crate) api: String,
    /// Its thumbprint.
    pub(crate) kid: String,
    /// How many times as fast as a key of two primes and the same length.
    pub(crate) times: f64,
}

impl Pace {
    /// Whether the key is not worth its price here.
    pub(crate) fn is_slow(&self) -> bool {
        self.times < LEAST
    }

    /// What was found, in words.
    pub(crate) fn what(&self) -> String {
        format!("the key of four primes of {} signs {:.1} times as fast as one of two", self.api, self.times)
    }

    /// What to do about a slow one.
    pub(crate) fn fix(&self) -> String {
        format!(
            "gatepost key rotate --api {} --primes 2, or run on a quieter machine and look again",
            self.api
        )
    }

    /// Why a slow one is not well.
    pub(crate) fn why(&self) -> String {
        format!(
            "it is worth its price from {LEAST:.1} times on; with AVX-512 IFMA two primes are nearly as fast"
        )
    }
}

/// Times every key of four primes that signs for an API.
pub(crate) async fn measure(gate: &Gate) -> Result<Vec<Pace>, Failure> {
    let keys = of_four_primes(gate);
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let timed = tokio::task::spawn_blocking(move || {
        let yardstick = Yardstick::new()?;
        keys.into_iter().map(|(api, key)| timed(api, &key, &yardstick)).collect::<Result<_, KeyError>>()
    });
    Ok(timed.await.map_err(|error| Failure::internal("key.pace", error.to_string()))??)
}

fn of_four_primes(gate: &Gate) -> Vec<(String, Arc<SigningKey>)> {
    let ring = gate.ring();
    let signing = ring.apis().iter().filter_map(|api| {
        let key = &ring.keys_of(api.api.id)?.signer.key;
        let four = key.primes() == Some(Primes::Four);
        four.then(|| (api.api.name.as_str().to_owned(), Arc::clone(key)))
    });
    signing.collect()
}

fn timed(api: String, key: &SigningKey, yardstick: &Yardstick) -> Result<Pace, KeyError> {
    let (mut of_four, mut of_two) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        of_four = of_four.min(time(|| key.sign(TEXT).map(drop))?);
        of_two = of_two.min(time(|| yardstick.sign())?);
    }
    let times = of_two.as_secs_f64() / of_four.as_secs_f64();
    Ok(Pace { api, kid: key.kid().as_str().to_owned(), times })
}

fn time(signs: impl FnOnce() -> Result<(), KeyError>) -> Result<Duration, KeyError> {
    let begun = Instant::now();
    signs()?;
    Ok(begun.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_not_twice_as_fast_is_slow() {
        let pace = |times| Pace { api: "a".into(), kid: "k".into(), times };
        assert!(pace(1.9).is_slow());
        assert!(!pace(2.0).is_slow());
        assert_eq!(pace(3.24).what(), "the key of four primes of a signs 3.2 times as fast as one of two");
    }
}
