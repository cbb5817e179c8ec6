//! This folder is where RSA keys of four primes are: private keys that sign up to three times as fast (RFC 8017
//! section 3).
//!
//! The idea: a signature is put together from one exponentiation for each prime, and four short ones cost less than two
//! long ones. The public half is an ordinary RSA key, verified by aws-lc-rs as any other.
//! The limits: 4096 bits only, since the primes of a smaller key could be found one by one; and OpenSSL is the only library
//! here that holds such a key, so builds without the feature `multi-prime` refuse it (`absent.rs`).
//! The price: OpenSSL hardens its way for two primes further than the one for four; docs/decisions/0022-four-primes.md.

use std::fmt;
use std::str::FromStr;

use crate::error::KeyError;

#[cfg(not(feature = "multi-prime"))]
mod absent;
#[cfg(feature = "multi-prime")]
mod held;
#[cfg(feature = "multi-prime")]
mod numbers;
#[cfg(feature = "multi-prime")]
mod yardstick;

#[cfg(not(feature = "multi-prime"))]
pub(crate) use absent::FourPrimes;
#[cfg(not(feature = "multi-prime"))]
pub use absent::Yardstick;
#[cfg(feature = "multi-prime")]
pub(crate) use held::FourPrimes;
#[cfg(feature = "multi-prime")]
pub use yardstick::Yardstick;

/// Of how many primes the modulus of an RSA key is the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Primes {
    /// Two, as in nearly every RSA key.
    Two,
    /// Four, of 1024 bits each.
    Four,
}

impl Primes {
    /// The number.
    #[must_use]
    pub const fn count(self) -> u8 {
        match self {
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// Whether this build can make and hold RSA keys of so many primes.
    #[must_use]
    pub const fn can_be_held(self) -> bool {
        match self {
            Self::Two => true,
            Self::Four => cfg!(feature = "multi-prime"),
        }
    }
}

impl fmt::Display for Primes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.count())
    }
}

impl FromStr for Primes {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        match text {
            "2" => Ok(Self::Two),
            "4" => Ok(Self::Four),
            _ => Err(KeyError::PrimeCount),
        }
    }
}
