//! This file is where real chance is taken from; everything else takes random bytes as an argument.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use uuid::{Builder, Uuid};

use crate::failure::Failure;

/// The system's cryptographically secure source of chance.
#[derive(Clone, Debug)]
pub struct Entropy(SystemRandom);

impl Default for Entropy {
    fn default() -> Self {
        Self(SystemRandom::new())
    }
}

/// The source of chance is silent: nothing may be minted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoEntropy;

impl From<NoEntropy> for Failure {
    fn from(none: NoEntropy) -> Self {
        Self::internal("entropy.silent", none.to_string())
    }
}

impl Entropy {
    /// Fresh random bytes.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], NoEntropy> {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes).map_err(|_| NoEntropy)?;
        Ok(bytes)
    }

    /// A fresh random UUID (version 4).
    pub fn uuid(&self) -> Result<Uuid, NoEntropy> {
        Ok(Builder::from_random_bytes(self.bytes()?).into_uuid())
    }
}
