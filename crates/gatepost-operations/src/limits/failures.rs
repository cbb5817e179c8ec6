//! This file is where failed authentications are counted: by the id that was presented and the address, and by the address alone.
//!
//! Only who was refused already is counted, so a count can change how a refusal looks and never whether there is one.
//! Whether the id exists is not asked. The count by address stands before the other, so that one address can't fill the
//! table of ids; who has many addresses can, and then others' refusals may be 429 too early.

use gatepost_core::limits::{Allowance, Neighborhood, Policy, Rate, Verdict};
use gatepost_core::time::Timestamp;

use super::sketch::Sketch;
use crate::config;

/// The failed authentications of late.
#[derive(Default)]
pub(super) struct Failures {
    by_address: Sketch,
    by_id: Sketch,
}

impl Failures {
    /// Counts one more; the limit that is used up, if one is.
    pub(super) fn count(
        &self,
        settings: &config::Limits,
        ids: &[&str],
        from: Neighborhood,
        now: Timestamp,
    ) -> Option<Allowance> {
        let rate = settings.failed_per_address;
        if !rate.is_off()
            && let Some(used_up) =
                used_up(Policy::FailedAddress, rate, &self.by_address.take(&from, rate, now), now)
        {
            return Some(used_up);
        }
        let rate = settings.failed_per_client;
        if rate.is_off() {
            return None;
        }
        // Two readings of one text may mean two clients: whoever spells an id in ever new ways is counted under what it means.
        let others =
            ids.iter().enumerate().filter(|(place, id)| !ids.iter().take(*place).any(|known| known == *id));
        others.fold(None, |found, (_, id)| {
            let verdict = self.by_id.take(&(id, from), rate, now);
            found.or(used_up(Policy::FailedClient, rate, &verdict, now))
        })
    }
}

fn used_up(policy: Policy, rate: Rate, verdict: &Verdict, now: Timestamp) -> Option<Allowance> {
    match verdict {
        Verdict::Admitted { .. } => None,
        Verdict::Refused { .. } => Some(Allowance::with_rate(policy, rate, verdict, now)),
    }
}
