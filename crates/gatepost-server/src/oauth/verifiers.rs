//! This file is where the server's own judges of tokens are: one guard for each API, over the server's own keys.
//!
//! Introspection, revocation and forward-auth ask them, so there is one definition of a valid token, the guards' own.
//! Keys, revocations and route tables come from memory; when the ring of keys was swapped, the next question finds
//! the guards renewed, so a revoked key dies with the swap.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gatepost_guard::{Caller, Fetched, Fetching, Guard, KeySource, Refusal, RevocationCheck};
use gatepost_operations::core::apis::{ApiId, ApiWithScopes};
use gatepost_operations::core::keys::KeyState;
use gatepost_operations::core::time::Timestamp;
use gatepost_operations::core::tokens::profile::Profile;
use gatepost_operations::gate::Gate;
use gatepost_operations::jose::Micros;
use gatepost_operations::jose::verify::claimed_key;
use gatepost_operations::key_ring::KeyRing;
use gatepost_operations::revocations::IssuedTo;
use gatepost_operations::telemetry::exposition::OfEdge;
use tokio::sync::Mutex;

/// The judges of all APIs; a clone is the same.
#[derive(Clone)]
pub(crate) struct Verifiers(Arc<Shared>);

struct Shared {
    gate: Arc<Gate>,
    current: ArcSwap<Judges>,
    renewing: Mutex<()>,
}

/// The judges for one state of the ring.
#[derive(Default)]
pub(crate) struct Judges {
    ring: Option<Arc<KeyRing>>,
    judges: HashMap<ApiId, Judge>,
}

/// What judges the tokens of one API.
#[derive(Clone)]
pub(crate) struct Judge {
    api: Arc<ApiWithScopes>,
    guard: Guard,
}

impl Verifiers {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        Self(Arc::new(Shared { gate, current: ArcSwap::default(), renewing: Mutex::default() }))
    }

    /// The judges as the ring is now.
    pub(crate) async fn current(&self) -> Arc<Judges> {
        let judges = self.0.current.load_full();
        if judges.are_of(&self.0.gate.ring()) { judges } else { self.renewed().await }
    }

    /// How many tokens had been verified before when they were asked about, how many had not, and what those cost.
    pub(crate) fn counted(&self) -> OfEdge {
        let judges = self.0.current.load();
        let of_all = judges.judges.values().map(|judge| judge.guard.status());
        of_all.fold(OfEdge::default(), |so_far, status| OfEdge {
            token_cache_hits: so_far.token_cache_hits.saturating_add(status.cache_hits),
            token_cache_misses: so_far.token_cache_misses.saturating_add(status.cache_misses),
            token_signature_checks: so_far.token_signature_checks.saturating_add(status.signature_checks),
            ..so_far
        })
    }

    async fn renewed(&self) -> Arc<Judges> {
        let _one_at_a_time = self.0.renewing.lock().await;
        let known = self.0.current.load_full();
        let ring = self.0.gate.ring();
        if known.are_of(&ring) {
            return known;
        }
        let mut judges = HashMap::new();
        for api in ring.apis() {
            if let Some(judge) = known.judge_for(api, &self.0.gate).await {
                judges.insert(api.api.id, judge);
            }
        }
        let renewed = Arc::new(Judges { ring: Some(ring), judges });
        self.0.current.store(Arc::clone(&renewed));
        renewed
    }
}

impl Judges {
    fn are_of(&self, ring: &Arc<KeyRing>) -> bool {
        self.ring.as_ref().is_some_and(|known| Arc::ptr_eq(known, ring))
    }

    /// The judge there was, with the keys of now, unless the API has changed in what its tokens must say.
    async fn judge_for(&self, api: &Arc<ApiWithScopes>, gate: &Arc<Gate>) -> Option<Judge> {
        let same = |known: &&Judge| {
            known.api.api.profile == api.api.profile && known.api.api.audience == api.api.audience
        };
        let guard = match self.judges.get(&api.api.id).filter(same) {
            Some(known) => known.guard.clone(),
            None => guard(api, gate)?,
        };
        if let Err(error) = guard.refresh_keys().await {
            tracing::error!(%error, api = %api.api.name.as_str(), "the keys of an API can't be used to verify");
            return None;
        }
        Some(Judge { api: Arc::clone(api), guard })
    }

    /// The judge of that API's tokens.
    pub(crate) fn of(&self, api: ApiId) -> Option<&Judge> {
        self.judges.get(&api)
    }

    /// The judge of the tokens of the API of that name.
    pub(crate) fn named(&self, name: &str) -> Option<&Judge> {
        self.judges.values().find(|judge| judge.api.api.name.as_str() == name)
    }

    /// Who may judge this token: the API whose key it names. One that names none may be of those whose keys sign
    /// elsewhere too; those of `first` come before the others.
    ///
    /// Nothing of the token is verified yet: it chooses its judge, and the judge decides.
    pub(crate) fn of_token(&self, token: &str, first: &[ApiId]) -> Vec<&Judge> {
        let Ok(claimed) = claimed_key(token) else { return Vec::new() };
        let keys_of = |judge: &Judge| {
            let keys = self.ring.as_ref().and_then(|ring| ring.keys_of(judge.id()));
            keys.map_or(&[][..], |keys| &keys.verifying)
        };
        let named = |judge: &&Judge| keys_of(judge).iter().any(|key| claimed.names(key));
        if let Some(judge) = self.judges.values().find(named) {
            return vec![judge];
        }
        let may_be = |judge: &&Judge| {
            let profile = &judge.api.api.profile;
            profile.may_leave_out_kid() && keys_of(judge).iter().any(|key| claimed.leaves_open(key))
        };
        let mut judges: Vec<_> = self.judges.values().filter(may_be).collect();
        judges.sort_by_key(|judge| !first.contains(&judge.id()));
        judges
    }
}

impl Judge {
    /// The API.
    pub(crate) fn id(&self) -> ApiId {
        self.api.api.id
    }

    /// The guard, for whoever has headers.
    pub(crate) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Who presents this token, if it is good.
    pub(crate) async fn judge(&self, token: &str) -> Result<Caller, Refusal> {
        self.guard.judge(token).await
    }
}

fn guard(api: &ApiWithScopes, gate: &Arc<Gate>) -> Option<Guard> {
    let keys = RingKeys { gate: Arc::clone(gate), api: api.api.id };
    let revocations = OwnRevocations { gate: Arc::clone(gate), api: api.api.id };
    let builder = match api.api.profile {
        Profile::Rfc9068 => {
            Guard::builder().rfc9068(gate.issuer.as_str(), api.api.audience.as_str()).keys(keys)
        }
        Profile::Passport(_) => Guard::builder().passport(keys),
    };
    let built = builder
        .leeway(gate.config.tokens.leeway)
        .max_lifetime(gate.config.tokens.max_lifetime)
        .realm(api.api.name.as_str())
        // Asked when the ring is swapped, and then alone: in between there is nothing newer.
        .refetch_floor(Duration::MAX)
        .revocations(revocations)
        .clock(ServerClock { gate: Arc::clone(gate) })
        .build();
    built
        .inspect_err(|error| {
            tracing::error!(%error, api = %api.api.name.as_str(), "the tokens of an API can't be judged");
        })
        .ok()
}

/// The keys of one API in the server's own ring.
struct RingKeys {
    gate: Arc<Gate>,
    api: ApiId,
}

impl KeySource for RingKeys {
    fn fetch<'a>(&'a self, _: Option<&'a str>) -> Fetching<'a> {
        let ring = self.gate.ring();
        let keys = ring.keys_of(self.api).map(|keys| keys.verifying.clone()).unwrap_or_default();
        let fetched = Fetched::Keys { keys, etag: None, max_age: Some(Duration::MAX) };
        Box::pin(std::future::ready(Ok(fetched)))
    }
}

/// What is revoked, from the server's own memory.
struct OwnRevocations {
    gate: Arc<Gate>,
    api: ApiId,
}

impl RevocationCheck for OwnRevocations {
    fn is_revoked(&self, caller: &Caller) -> bool {
        let millis = i64::try_from(caller.issued_millis()).unwrap_or(i64::MAX);
        let token = IssuedTo {
            jti: &caller.jti,
            client: &caller.client_id,
            partner: caller.partner_id.as_deref(),
            issued: Timestamp::from_micros(millis.saturating_mul(1_000)),
        };
        let ring = self.gate.ring();
        let by_key = |key: &gatepost_operations::core::keys::StoredKey| {
            key.state == KeyState::Revoked && key.kid == caller.kid
        };
        self.gate.revocations.now().covers(&token)
            || self.gate.expiries.have_ended(token.client, token.partner, self.gate.clock.now())
            || ring.stored_of(self.api).iter().any(by_key)
    }
}

/// The clocks of the operations.
struct ServerClock {
    gate: Arc<Gate>,
}

impl gatepost_guard::Clock for ServerClock {
    fn now(&self) -> Micros {
        self.gate.clock.now().into()
    }

    fn steady(&self) -> Duration {
        self.gate.clock.steady()
    }
}
