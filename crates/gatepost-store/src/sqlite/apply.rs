//! This file is where changes are written: all of a batch with their audit lines, or none.

use gatepost_core::audit::AuditLine;
use gatepost_core::change::{AuditedChange, Basis, Change};
use sqlx::{SqliteConnection, SqlitePool};

use super::{access, apis, audit, client_keys, client_limits, clients, failure, keys, partners, revocations};
use crate::StoreError;

/// Writes the batch in one transaction; returns the sequence number of the last change.
pub(super) async fn all(
    writer: &SqlitePool,
    basis: Option<&Basis>,
    changes: &[AuditedChange],
) -> Result<i64, StoreError> {
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(failure)?;
    let (mut seq, mut previous) = audit::last(&mut tx).await?;
    if let Some(basis) = basis {
        still(&mut tx, basis).await?;
    }
    for audited in changes {
        seq += 1;
        change(&mut tx, seq, audited).await?;
        let line = AuditLine::chain(seq, previous, audited);
        audit::append(&mut tx, &line).await?;
        previous = line.hash;
    }
    tx.commit().await.map_err(failure)?;
    Ok(seq)
}

/// Moves on what the changes were decided on, unless someone was faster.
async fn still(tx: &mut SqliteConnection, basis: &Basis) -> Result<(), StoreError> {
    match basis {
        Basis::Client(id, version) => clients::move_on(tx, id, *version).await,
        Basis::Api(id, version) => apis::move_on(tx, *id, *version).await,
    }
}

async fn change(tx: &mut SqliteConnection, seq: i64, audited: &AuditedChange) -> Result<(), StoreError> {
    match &audited.change {
        Change::PartnerCreated(partner) => partners::create(tx, partner).await,
        Change::PartnerUpdated(partner) | Change::PartnerExpired(partner) => {
            partners::update(tx, partner).await
        }
        Change::PartnerDeleted(id) => partners::delete(tx, *id).await,
        Change::ApiCreated(api) => apis::create(tx, api).await,
        Change::ApiUpdated(api) => apis::update(tx, api).await,
        Change::ApiDeleted(id) => apis::delete(tx, *id).await,
        Change::ScopeCreated(api, scope) => apis::create_scope(tx, *api, scope).await,
        Change::ScopeDeleted(api, scope) => apis::delete_scope(tx, *api, scope).await,
        Change::ClientCreated { client, secret } => clients::create(tx, client, secret.as_ref()).await,
        Change::ClientUpdated(client) | Change::ClientExpired(client) => clients::update(tx, client).await,
        Change::ClientDeleted(id) => clients::delete(tx, id).await,
        Change::ClientLimited { client, limits } => client_limits::keep(tx, client, limits).await,
        Change::SecretAdded { client, secret } => clients::add_secret(tx, client, secret).await,
        Change::SecretEnded { client, secret, at } => clients::end_secret(tx, client, *secret, *at).await,
        Change::SecretLimited { client, secret, expires } => {
            clients::limit_secret(tx, client, *secret, *expires).await
        }
        Change::SecretRetagged { client, secret, tag } => {
            clients::retag_secret(tx, client, *secret, tag).await
        }
        Change::ClientKeyAdded { client, key } => client_keys::add(tx, client, key).await,
        Change::ClientKeyRemoved { client, key } => client_keys::remove(tx, client, *key).await,
        Change::ApiSecretAdded { api, secret } => access::add_secret(tx, *api, secret).await,
        Change::ApiSecretEnded { api, secret, at } => access::end_secret(tx, *api, *secret, *at).await,
        Change::RouteAdded(api, route) => access::add_route(tx, *api, route).await,
        Change::RouteRemoved { api, method, path } => access::remove_route(tx, *api, method, path).await,
        Change::KeyAdded(key) => keys::add(tx, key).await,
        Change::KeyMoved { kid, owner, from, to, verifies_until } => {
            let (verifies_until, at) = (*verifies_until, audited.at);
            keys::go_on(tx, keys::Move { kid, owner: *owner, from: *from, to: *to, verifies_until, at }).await
        }
        Change::KeyRewrapped { kid, owner, sealed } => keys::rewrap(tx, kid, *owner, sealed).await,
        Change::Revoked(revocation) => revocations::add(tx, seq, revocation).await,
        Change::MasterKeyAdopted { pepper, check } => keys::adopt_master_key(tx, pepper, check, seq).await,
    }
}
