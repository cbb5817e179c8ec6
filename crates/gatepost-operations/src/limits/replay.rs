//! This file is where a client that asks again gets the token that it has, if it is set so.
//!
//! The idea: a token is kept with the record of its client and the ring of keys that it was made under, and handed out
//! only while both are still the ones in force and nothing revokes it: whatever changes about client, partner, secrets,
//! APIs or keys swaps one of them. The limit: so many tokens at most, in memory only. The price: the tokens of clients
//! that are set so rest in the memory of the server.

use std::sync::{Arc, Weak};
use std::time::Duration;

use gatepost_core::apis::ApiId;
use gatepost_core::clients::{ClientId, ClientRecord};
use gatepost_core::grants::Grant;
use gatepost_core::limits::{LONGEST_WINDOW, life_left};
use gatepost_core::secret::Secret;
use gatepost_core::time::Timestamp;
use moka::sync::Cache;

use crate::key_ring::KeyRing;
use crate::revocations::memory::Revocations;
use crate::revocations::set::IssuedTo;
use crate::tokens::issued::IssuedToken;

const MOST: u64 = 10_000;

/// The tokens that may be handed out again.
pub(super) struct Kept(Cache<(ClientId, ApiId, String), Arc<KeptToken>>);

struct KeptToken {
    token: Secret,
    jti: String,
    issued: Timestamp,
    lifetime: u32,
    // A weak reference keeps the place from being used anew, so that the same place is the same thing.
    client: Weak<ClientRecord>,
    ring: Weak<KeyRing>,
}

impl Default for Kept {
    fn default() -> Self {
        let longest = Duration::from_secs(LONGEST_WINDOW.into());
        Self(Cache::builder().max_capacity(MOST).time_to_live(longest).build())
    }
}

impl Kept {
    /// The token that the client has for what it is granted now, if it may have it again.
    pub(super) fn again(
        &self,
        grant: &Grant,
        ring: &Arc<KeyRing>,
        revocations: &Revocations,
        now: Timestamp,
    ) -> Option<IssuedToken> {
        let window = grant.client.limits.replay_window?;
        let key = key(grant);
        let kept = self.0.get(&key)?;
        if !kept.is_as_then(grant, ring) || kept.is_revoked(revocations, grant) {
            self.0.invalidate(&key);
            return None;
        }
        let expires_in = life_left(kept.issued, kept.lifetime, window, now)?;
        Some(IssuedToken {
            access_token: kept.token.expose().to_owned(),
            expires_in,
            scopes: grant.scopes.clone(),
            scopes_differ: grant.scopes_differ,
            client_id: grant.client.client.id.clone(),
            jti: kept.jti.clone(),
            limits: Vec::new(),
        })
    }

    /// Keeps a token that was issued just now, if its client may have it again.
    pub(super) fn keep(&self, grant: &Grant, ring: &Arc<KeyRing>, issued: &IssuedToken, at: Timestamp) {
        if grant.client.limits.replay_window.is_none() {
            return;
        }
        let kept = KeptToken {
            token: Secret::new(issued.access_token.clone()),
            jti: issued.jti.clone(),
            issued: at,
            lifetime: issued.expires_in,
            client: Arc::downgrade(&grant.client),
            ring: Arc::downgrade(ring),
        };
        self.0.insert(key(grant), Arc::new(kept));
    }
}

// Every member is named: what a new one binds a token to must tell kept tokens apart too.
fn key(Grant { client, api, scopes, scopes_differ: _, lifetime: _ }: &Grant) -> (ClientId, ApiId, String) {
    (client.client.id.clone(), api.api.id, scopes.joined())
}

impl KeptToken {
    fn is_as_then(&self, grant: &Grant, ring: &Arc<KeyRing>) -> bool {
        self.client.as_ptr() == Arc::as_ptr(&grant.client) && self.ring.as_ptr() == Arc::as_ptr(ring)
    }

    fn is_revoked(&self, revocations: &Revocations, grant: &Grant) -> bool {
        let partner = grant.client.client.partner_id.0.to_string();
        revocations.now().covers(&IssuedTo {
            jti: &self.jti,
            client: grant.client.client.id.as_str(),
            partner: Some(&partner),
            issued: self.issued,
        })
    }
}
