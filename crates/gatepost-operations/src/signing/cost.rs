//! This file is where it is said what a signature costs beside others, so that lines take turns of the same worth.

use gatepost_jose::Primes;

/// What a signature costs, in parts of an RSA-4096 one, which costs [`TURN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost(i64);

/// What a turn is worth.
pub(super) const TURN: i64 = 512;

impl Cost {
    /// Of an RSA signature of that many bytes: the work grows with the third power of the length, and a key of four
    /// primes signs some three times as fast.
    pub(super) fn of_rsa(signature_bytes: usize, primes: Option<Primes>) -> Self {
        let parts = i64::try_from(signature_bytes / 64).unwrap_or(i64::MAX);
        let of_two = parts.saturating_pow(3).clamp(1, 64 * TURN);
        match primes {
            Some(Primes::Four) => Self(of_two / 3),
            Some(Primes::Two) | None => Self(of_two),
        }
    }

    /// In parts of a long one.
    pub(super) fn parts(self) -> i64 {
        self.0
    }
}
