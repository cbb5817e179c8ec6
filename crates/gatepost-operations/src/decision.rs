//! This file is where what an operation decided is carried out: applied with its audit lines, and taken up here at once.
//!
//! Who was slower than others decides anew on what is there by then, a few times.

use gatepost_core::actor::Actor;
use gatepost_core::change::{Basis, Change};

use crate::failure::{self, Failure};
use crate::gate::Gate;
use crate::news;

/// What an operation decided, on the row that must not have moved on since.
pub(crate) struct Decision<T> {
    /// The row, as it was read; `None` where the changes themselves say which version they were decided on.
    pub(crate) basis: Option<Basis>,
    /// What is to be done; nothing is done about nothing.
    pub(crate) changes: Vec<Change>,
    /// What the caller gets.
    pub(crate) outcome: T,
}

/// How often an operation decides anew when others were faster.
const TRIES: usize = 8;

impl Gate {
    /// Applies changes with their audit lines, all or none, and takes them up here at once.
    pub async fn apply(&self, actor: &Actor, changes: Vec<Change>) -> Result<(), Failure> {
        self.apply_on(actor, None, changes).await
    }

    /// Reads, decides and applies; if what was decided on has moved on meanwhile, all that again, a few times.
    pub(crate) async fn settle<T, Deciding: Future<Output = Result<Decision<T>, Failure>>>(
        &self,
        actor: &Actor,
        decide: impl Fn() -> Deciding,
    ) -> Result<T, Failure> {
        let mut tries = TRIES;
        loop {
            let Decision { basis, changes, outcome } = decide().await?;
            if changes.is_empty() {
                return Ok(outcome);
            }
            tries = tries.saturating_sub(1);
            match self.apply_on(actor, basis.as_ref(), changes).await {
                Ok(()) => return Ok(outcome),
                Err(failure) if failure.code == failure::MOVED_ON && tries > 0 => news::take_up(self).await?,
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn apply_on(
        &self,
        actor: &Actor,
        basis: Option<&Basis>,
        changes: Vec<Change>,
    ) -> Result<(), Failure> {
        let now = self.clock.now();
        let audited: Vec<_> = changes.into_iter().map(|change| change.by(actor.clone(), now)).collect();
        self.store.apply_on(basis, &audited).await?;
        news::take_up(self).await
    }
}
