//! This file is where a client is told that it takes far more tokens than it needs.

use gatepost_core::clients::ClientRecord;
use gatepost_core::limits::Hoarding;
use gatepost_core::time::Timestamp;
use gatepost_core::usage::Hour;

use crate::clients::found::find;
use crate::failure::Failure;
use crate::gate::Gate;

/// What there is to tell a client about the tokens that it took in the last hour, on all nodes.
pub async fn notice(gate: &Gate, client: &str) -> Result<Option<Hoarding>, Failure> {
    let found = find(gate, client).await?;
    of_last_hour(gate, &found).await
}

pub(crate) async fn of_last_hour(gate: &Gate, record: &ClientRecord) -> Result<Option<Hoarding>, Failure> {
    let now = gate.clock.now();
    let present = Hour::of(now);
    let before = Hour(present.0.saturating_sub(1));
    let counts = gate.store.usage(Some(&record.client.id), before, present).await?;
    let of = |hour| counts.iter().filter(|count| count.hour == hour).map(|count| count.issued).sum::<u64>();
    let tokens = of(present).saturating_add(share(of(before), now));
    Ok(Hoarding::seen(tokens, record.client.lifetime, gate.config.limits.hoarding))
}

/// The part of the hour before that is less than an hour ago, as if its tokens had been taken evenly.
fn share(tokens: u64, now: Timestamp) -> u64 {
    let gone = now.since(Hour::of(now).begins()).as_secs().min(3_600);
    u64::try_from(u128::from(tokens) * u128::from(3_600 - gone) / 3_600).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_hour_before_as_much_counts_as_is_less_than_an_hour_ago() {
        let at = |seconds: i64| Timestamp::from_micros((3_600_000 + seconds) * 1_000_000);
        assert_eq!((share(100, at(0)), share(100, at(1_800)), share(100, at(3_599))), (100, 50, 0));
        assert_eq!(share(u64::MAX, at(0)), u64::MAX);
    }
}
