//! This file is where real chance is taken from; everything else takes random bytes as an argument.

use std::cell::RefCell;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use uuid::{Builder, Uuid};

use crate::failure::Failure;

/// So many bytes are drawn for ids at a time.
const DRAWN_FOR_IDS: usize = 512;

thread_local! {
    static FOR_IDS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

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

    /// Random bytes for an id that everybody may see, each given once.
    ///
    /// A draw of some bytes costs nearly as much as one of some hundred, so a thread draws for many ids together. Nothing
    /// secret may be made of them: they have lain in memory.
    pub fn for_id<const N: usize>(&self) -> Result<[u8; N], NoEntropy> {
        FOR_IDS.with_borrow_mut(|drawn| {
            if drawn.len() < N {
                drawn.resize(DRAWN_FOR_IDS.max(N), 0);
                self.0.fill(drawn).map_err(|_| {
                    drawn.clear();
                    NoEntropy
                })?;
            }
            let rest = drawn.len().saturating_sub(N);
            let id = drawn.get(rest..).and_then(|last| last.try_into().ok()).ok_or(NoEntropy)?;
            drawn.truncate(rest);
            Ok(id)
        })
    }

    /// A fresh random UUID (version 4).
    pub fn uuid(&self) -> Result<Uuid, NoEntropy> {
        Ok(Builder::from_random_bytes(self.bytes()?).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_bytes_are_given_for_two_ids() {
        let entropy = Entropy::default();
        let draw = move |_| entropy.for_id::<40>().unwrap();
        let of_here: Vec<_> = (0..100).map(draw.clone()).collect();
        let of_another = std::thread::spawn(move || (0..100).map(draw).collect::<Vec<_>>()).join().unwrap();

        let eights = |id: &[u8; 40]| id.as_chunks::<8>().0.to_vec();
        let seen: HashSet<_> = of_here.iter().chain(&of_another).flat_map(eights).collect();
        assert_eq!(seen.len(), 1_000);
    }

    #[test]
    fn an_id_may_be_longer_than_what_is_drawn_at_a_time() {
        let entropy = Entropy::default();
        let long = entropy.for_id::<1_000>().unwrap();
        assert_ne!(long, [0; 1_000]);
        assert_ne!(long, entropy.for_id().unwrap());
    }
}
