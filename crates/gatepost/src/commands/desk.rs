//! This file is where a command finds what it works with: the open state, who asks, and how to answer.

use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use gatepost_operations::clock::SystemClock;
use gatepost_operations::core::actor::Actor;
use gatepost_operations::core::clients::Term;
use gatepost_operations::gate::Gate;
use gatepost_operations::{setup, usage};

use super::{runtime, settings};
use crate::args::{Globals, SecretTerm, Until};
use crate::ending::Trouble;
use crate::output::Output;

const LONGEST_ACCOUNT: usize = 64;

/// What a command on the state works with.
pub(super) struct Desk {
    /// The open state.
    pub(super) gate: Gate,
    /// Who asks.
    pub(super) actor: Actor,
    /// How to answer.
    pub(super) output: Output,
}

/// Opens the state that is there and lets `work` have it.
pub(super) fn at_desk(
    globals: &Globals,
    work: impl AsyncFnOnce(&Desk) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let output = Output::of(globals);
    let config = settings::load(globals, [])?;
    let issuer = settings::issuer(&config)?;
    runtime::on_one_thread(Box::pin(async {
        let gate = setup::open(config, issuer, Arc::new(SystemClock)).await?;
        let desk = Desk { gate, actor: actor(), output };
        let outcome = work(&desk).await;
        desk.leave().await;
        outcome
    }))
}

impl Desk {
    /// From when until when a secret shall be accepted, as its flags say.
    pub(super) fn term(&self, SecretTerm { not_before, expires }: SecretTerm) -> Term {
        let now = self.gate.clock.now();
        let moment = |until: Until| until.from(now);
        Term { not_before: not_before.map(moment), expires: expires.map(moment) }
    }

    /// Writes down what was counted, and leaves the store as if nobody had been there.
    async fn leave(self) {
        if let Err(failure) = usage::flush(&self.gate).await {
            self.output.warn(&format!("what was counted is lost: {failure}"));
        }
        self.gate.close().await;
    }
}

/// The account at the command line, as the audit line names it.
pub(super) fn actor() -> Actor {
    let named = std::env::var("USER").ok().filter(|name| !name.is_empty());
    let user = named.or_else(account_number).unwrap_or_else(|| "unknown".to_owned());
    Actor::CommandLine { user: user.chars().filter(|c| !c.is_control()).take(LONGEST_ACCOUNT).collect() }
}

/// The number of this process's account; the folder of the process belongs to it.
fn account_number() -> Option<String> {
    let own = std::fs::metadata("/proc/self").ok()?;
    Some(format!("uid {}", own.uid()))
}
