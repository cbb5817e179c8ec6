//! This file is where counts that are written together are added up first: a statement meets each row once, and all
//! nodes meet the rows in the same order, so that none waits for another that waits for it.

use std::collections::BTreeMap;

use gatepost_core::usage::{ClientUsage, SecretUsage};

/// One sum for each client and hour, in order of client and hour.
pub(crate) fn by_client(counts: &[ClientUsage]) -> Vec<ClientUsage> {
    let mut sums = BTreeMap::new();
    for count in counts {
        let none = || ClientUsage { issued: 0, refused: 0, ..count.clone() };
        let sum = sums.entry((&count.client, count.hour)).or_insert_with(none);
        sum.issued = sum.issued.saturating_add(count.issued);
        sum.refused = sum.refused.saturating_add(count.refused);
    }
    sums.into_values().collect()
}

/// One sum for each secret with its last use, in order of the secrets.
pub(crate) fn by_secret(counts: &[SecretUsage]) -> Vec<SecretUsage> {
    let mut sums = BTreeMap::new();
    for count in counts {
        let none = || SecretUsage { count: 0, ..count.clone() };
        let sum = sums.entry(count.secret).or_insert_with(none);
        sum.count = sum.count.saturating_add(count.count);
        if sum.at <= count.at {
            (sum.at, sum.address) = (count.at, count.address);
        }
    }
    sums.into_values().collect()
}

/// A count as a column holds it.
pub(crate) fn as_number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use gatepost_core::clients::{ClientId, SecretId};
    use gatepost_core::time::Timestamp;
    use gatepost_core::usage::Hour;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn counts_of_one_client_and_hour_become_one_sum() {
        let count = |client: &str, hour, issued, refused| {
            let client = ClientId::parse(client).unwrap();
            ClientUsage { client, hour: Hour(hour), issued, refused }
        };
        let counts =
            [count("b", 1, 1, 10), count("a", 2, 5, 0), count("b", 1, 2, u64::MAX), count("a", 1, 7, 7)];

        let sums = [count("a", 1, 7, 7), count("a", 2, 5, 0), count("b", 1, 3, u64::MAX)];
        assert_eq!(by_client(&counts), sums);
    }

    #[test]
    fn of_uses_of_one_secret_the_latest_counts_wherever_it_stands() {
        let used = |at, address: &str, count| SecretUsage {
            secret: SecretId(Uuid::nil()),
            at: Timestamp::from_micros(at),
            address: address.parse().ok(),
            count,
        };

        let counts = [used(5, "192.0.2.5", 1), used(9, "192.0.2.9", 2), used(7, "192.0.2.7", 4)];
        assert_eq!(by_secret(&counts), [used(9, "192.0.2.9", 7)]);
    }
}
