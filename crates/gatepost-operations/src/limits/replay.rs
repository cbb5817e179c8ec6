//! This file is where a client that asks again gets the token that it has, if it is set so.
//!
//! The idea: a token is kept with the record of its client and the ring of keys that it was made under, and handed out
//! only while the record says the same, the ring is still in force and nothing revokes it: whatever changes about client,
//! partner, secrets, APIs or keys changes one of them. The limits: so many tokens at most, and few of one client, so that
//! none takes the others' places; in memory only. The price: the tokens of clients that are set so rest in the memory of
//! the server.

use std::sync::{Arc, Weak};
use std::time::Duration;

use gatepost_core::apis::ApiId;
use gatepost_core::clients::{ClientId, ClientRecord};
use gatepost_core::grants::Grant;
use gatepost_core::limits::{LONGEST_WINDOW, life_left};
use gatepost_core::scope::Scope;
use gatepost_core::secret::Secret;
use gatepost_core::time::Timestamp;
use moka::sync::Cache;

use crate::key_ring::KeyRing;
use crate::revocations::memory::Revocations;
use crate::revocations::set::IssuedTo;
use crate::tokens::issued::IssuedToken;

const MOST: u64 = 10_000;
/// For so many APIs and sets of scopes a client may have its tokens again; beyond them the oldest goes.
const OF_ONE_CLIENT: usize = 16;

/// The tokens that may be handed out again.
pub(super) struct Kept(Cache<ClientId, Arc<[Arc<KeptToken>]>>);

struct KeptToken {
    api: ApiId,
    /// In an order of their own: who asks for the same in another order asks for the same.
    scopes: String,
    token: Secret,
    jti: String,
    issued: Timestamp,
    lifetime: u32,
    client: Arc<ClientRecord>,
    // A weak reference keeps the place from being used anew, so that the same place is the same thing.
    ring: Weak<KeyRing>,
}

impl Default for Kept {
    fn default() -> Self {
        let longest = Duration::from_secs(LONGEST_WINDOW.into());
        let weight =
            |_: &ClientId, tokens: &Arc<[Arc<KeptToken>]>| u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        Self(Cache::builder().weigher(weight).max_capacity(MOST).time_to_live(longest).build())
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
        let (client, api, scopes) = key(grant);
        let tokens = self.0.get(client)?;
        let kept = tokens.iter().find(|kept| kept.is_of(api, &scopes))?;
        if !kept.is_as_then(grant, ring) || kept.is_revoked(revocations, grant) {
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
        let (client, api, scopes) = key(grant);
        let kept = Arc::new(KeptToken {
            api,
            scopes,
            token: Secret::new(issued.access_token.clone()),
            jti: issued.jti.clone(),
            issued: at,
            lifetime: issued.expires_in,
            client: Arc::clone(&grant.client),
            ring: Arc::downgrade(ring),
        });
        self.0.entry_by_ref(client).and_upsert_with(|entry| {
            let before = entry.map(moka::Entry::into_value).unwrap_or_default();
            let others = before.iter().filter(|other| !other.is_of(kept.api, &kept.scopes));
            let surplus = others.clone().count().saturating_sub(OF_ONE_CLIENT - 1);
            others.skip(surplus).chain([&kept]).cloned().collect()
        });
    }
}

// Every member is named: what a new one binds a token to must tell kept tokens apart too.
fn key(Grant { client, api, scopes, scopes_differ: _, lifetime: _ }: &Grant) -> (&ClientId, ApiId, String) {
    let mut scopes: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
    scopes.sort_unstable();
    (&client.client.id, api.api.id, scopes.join(" "))
}

impl KeptToken {
    fn is_of(&self, api: ApiId, scopes: &str) -> bool {
        self.api == api && self.scopes == scopes
    }

    fn is_as_then(&self, grant: &Grant, ring: &Arc<KeyRing>) -> bool {
        self.client == grant.client && self.ring.as_ptr() == Arc::as_ptr(ring)
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
