//! This file is where changes are written: all of a batch with their audit lines, or none.

use gatepost_core::audit::AuditLine;
use gatepost_core::change::{AuditedChange, Change};
use sqlx::{PgConnection, PgPool};

use super::{apis, audit, clients, failure, keys, partners, within};
use crate::StoreError;

/// Writes the batch in one transaction; returns the sequence number of the last change.
pub(super) async fn all(pool: &PgPool, changes: &[AuditedChange]) -> Result<i64, StoreError> {
    let mut tx = within(pool.begin(), failure).await?;
    let (mut seq, mut previous) = within(audit::last(&mut tx), as_it_is).await?;
    for audited in changes {
        seq += 1;
        within(change(&mut tx, seq, audited), as_it_is).await?;
        let line = AuditLine::chain(seq, previous, audited);
        within(audit::append(&mut tx, &line), as_it_is).await?;
        previous = line.hash;
    }
    within(tx.commit(), failure).await?;
    Ok(seq)
}

fn as_it_is(error: StoreError) -> StoreError {
    error
}

async fn change(tx: &mut PgConnection, seq: i64, audited: &AuditedChange) -> Result<(), StoreError> {
    match &audited.change {
        Change::PartnerCreated(partner) => partners::create(tx, partner).await,
        Change::PartnerUpdated(partner) => partners::update(tx, partner).await,
        Change::PartnerDeleted(id) => partners::delete(tx, *id).await,
        Change::ApiCreated(api) => apis::create(tx, api).await,
        Change::ApiUpdated(api) => apis::update(tx, api).await,
        Change::ApiDeleted(id) => apis::delete(tx, *id).await,
        Change::ScopeCreated(api, scope) => apis::create_scope(tx, *api, scope).await,
        Change::ScopeDeleted(api, scope) => apis::delete_scope(tx, *api, scope).await,
        Change::ClientCreated { client, secret } => clients::create(tx, client, secret.as_ref()).await,
        Change::ClientUpdated(client) => clients::update(tx, client).await,
        Change::ClientDeleted(id) => clients::delete(tx, id).await,
        Change::SecretAdded { client, secret } => clients::add_secret(tx, client, secret).await,
        Change::SecretEnded { client, secret, at } => clients::end_secret(tx, client, *secret, *at).await,
        Change::KeyAdded(key) => keys::add(tx, key).await,
        Change::MasterKeyAdopted { pepper, check } => keys::adopt_master_key(tx, pepper, check, seq).await,
    }
}
