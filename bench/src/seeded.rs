//! This file is where a store gets very many clients at once, all with the secret of one that the command line made.
//!
//! They go through the store's own contract, a thousand in a transaction, so that nothing here knows how it keeps them.

use std::path::Path;

use gatepost_core::actor::Actor;
use gatepost_core::change::{AuditedChange, Change};
use gatepost_core::clients::{Client, ClientId, ClientRecord, SecretId, StoredSecret, UserId};
use gatepost_store::Location;
use uuid::{Builder, Uuid};

use crate::chance::mixed;
use crate::failure::{Failure, Outcome};
use crate::gatepost::Credentials;

/// Clients of one transaction.
const AT_ONCE: usize = 1_000;
/// Where the numbers of secrets and users begin, beyond all clients.
const SECRETS: u64 = 1 << 40;
const USERS: u64 = 1 << 41;

/// Makes so many clients like that one.
pub(crate) async fn seed(data: &Path, like: &Credentials, count: u64) -> Outcome<()> {
    let store = gatepost_store::open(&Location::inside(data), 1).await.map_err(failed)?;
    let id = ClientId::parse(&like.client_id).ok_or_else(|| failed("the first has no client id"))?;
    let record = store.client_record(&id).await.map_err(failed)?;
    let record = record.ok_or_else(|| failed("the first is not in the store"))?;
    for first in (0..count).step_by(AT_ONCE) {
        let numbers = first..count.min(first + AT_ONCE as u64);
        let changes: Vec<_> = numbers.filter_map(|number| one(&record, number)).collect();
        store.apply(&changes).await.map_err(failed)?;
    }
    store.close().await;
    Ok(())
}

fn one(like: &ClientRecord, number: u64) -> Option<AuditedChange> {
    let secret = like.secrets.first()?.clone();
    let client = Client {
        id: ClientId::from_uuid(id_of(number)),
        user_id: UserId(id_of(USERS + number)),
        ..like.client.clone()
    };
    let secret = StoredSecret { id: SecretId(id_of(SECRETS + number)), ..secret };
    let change = Change::ClientCreated { client, secret: Some(secret) };
    Some(AuditedChange { change, actor: Actor::System, at: like.client.created })
}

/// The id of the client of that number: a UUID like any other.
pub(crate) fn id_of(number: u64) -> Uuid {
    let (high, low) = (mixed(2 * number + 1), mixed(2 * number + 2));
    Builder::from_random_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes()).into_uuid()
}

fn failed(why: impl std::fmt::Display) -> Failure {
    Failure::new("the clients could not be made", why)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_number_has_an_id_of_its_own() {
        let ids: HashSet<Uuid> =
            (0..10_000).chain(SECRETS..SECRETS + 100).chain([USERS]).map(id_of).collect();
        assert_eq!(ids.len(), 10_101);
    }
}
