//! This file is where a build without the feature `multi-prime` refuses keys of four primes.

use zeroize::Zeroizing;

use crate::algorithm::Algorithm;
use crate::error::KeyError;

/// A key of four primes; in this build there is none.
pub(crate) enum FourPrimes {}

impl FourPrimes {
    pub(crate) fn generate() -> Result<Self, KeyError> {
        Err(KeyError::FourPrimesAbsent)
    }

    pub(crate) fn from_pkcs1(_: &[u8]) -> Result<Self, KeyError> {
        Err(KeyError::FourPrimesAbsent)
    }

    pub(crate) fn check(&self) -> Result<(), KeyError> {
        match *self {}
    }

    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match *self {}
    }

    pub(crate) fn spki(&self) -> Result<Vec<u8>, KeyError> {
        match *self {}
    }

    pub(crate) fn sign(&self, _: Algorithm, _: &[u8]) -> Result<Vec<u8>, KeyError> {
        match *self {}
    }
}

/// What a key of four primes is compared with; in this build there is nothing to compare.
pub enum Yardstick {}

impl Yardstick {
    /// Refused in this build.
    pub fn new() -> Result<Self, KeyError> {
        Err(KeyError::FourPrimesAbsent)
    }

    /// Signs once.
    pub fn sign(&self) -> Result<(), KeyError> {
        match *self {}
    }
}
