//! This file is where the keys of one moment are kept and found.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gatepost_jose::verify::{Candidates, Keys};
use gatepost_jose::{Header, PublicKey};

/// Keys as they were fetched; never changed, only replaced.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ring {
    by_id: HashMap<String, PublicKey>,
    in_order: Vec<PublicKey>,
    /// Counts the changes of the keys; 0 before the first.
    pub(crate) generation: u64,
    /// On the steady clock.
    pub(crate) fetched: Duration,
    pub(crate) max_age: Duration,
}

impl Ring {
    /// These keys after the ones here; the generation moves on only if they differ.
    pub(crate) fn followed_by(&self, keys: Vec<PublicKey>) -> Self {
        let changed = !self.was_fetched() || keys != self.in_order;
        let by_id = keys.iter().map(|key| (key.kid().to_string(), key.clone())).collect();
        let generation = self.generation.saturating_add(u64::from(changed));
        Self { by_id, in_order: keys, generation, ..Self::default() }
    }

    pub(crate) fn find(&self, kid: &str) -> Option<&PublicKey> {
        self.by_id.get(kid)
    }

    pub(crate) fn holds(&self, key: &PublicKey) -> bool {
        self.find(key.kid().as_str()) == Some(key)
    }

    pub(crate) fn keys(&self) -> &[PublicKey] {
        &self.in_order
    }

    pub(crate) fn was_fetched(&self) -> bool {
        self.generation > 0
    }
}

/// How a profile looks for the key of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LookUp {
    /// By `kid`, which must be there.
    ById,
    /// By `kid` if there is one, else by `jti`, else in turn the keys that may sign without being named.
    ByIdOrTrial,
}

/// A ring as one profile looks at it.
pub(crate) struct View<'a> {
    pub(crate) ring: &'a Ring,
    pub(crate) look_up: LookUp,
    /// How many signatures were checked.
    pub(crate) checks: &'a AtomicU64,
}

impl Keys for View<'_> {
    fn candidates(&self, header: &Header) -> Candidates<'_> {
        match (&header.kid, self.look_up) {
            (Some(kid), _) => self.ring.find(kid).cloned().map_or_else(Candidates::none, Candidates::one),
            (None, LookUp::ById) => Candidates::none(),
            (None, LookUp::ByIdOrTrial) => Candidates::all(self.ring.keys()),
        }
    }

    fn checking(&self) {
        self.checks.fetch_add(1, Ordering::Relaxed);
    }
}
