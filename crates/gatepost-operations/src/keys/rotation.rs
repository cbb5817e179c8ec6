//! This file is where core's steps for keys are carried out, by a command or by the clock.
//!
//! Of two nodes that carry out the same step one wins; the loser's plan was made for a ring that is gone, so it drops it
//! and looks again.

use std::sync::Arc;

use gatepost_core::actor::Actor;
use gatepost_core::apis::ApiWithScopes;
use gatepost_core::change::Change;
use gatepost_core::keys::rotation::{self, Step};
use gatepost_core::keys::{KeyOwner, KeyState, StoredKey};
use gatepost_core::time::Timestamp;
use gatepost_jose::Primes;
use gatepost_jose::verify::MAX_CANDIDATES;
use serde::Serialize;

use super::maker::Wanted;
use super::primes::next_key;
use super::schedule::{every, next_turn, schedule};
use super::{KeyMaker, KeyView, find};
use crate::apis::found;
use crate::failure::{Failure, Kind};
use crate::gate::Gate;
use crate::news;

/// Readers that hold keys in a file, and tokens that name none, have keys tried in turn; more than this nobody tries.
const MOST_TRIED: usize = MAX_CANDIDATES;

/// What a rotation does, and when.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The API.
    pub api: String,
    /// The key that signs now.
    pub signing: Option<String>,
    /// The key that signs next; not made yet in a rehearsal.
    pub next: Option<String>,
    /// Of how many primes the next key is, if it is an RSA key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primes: Option<u8>,
    /// When the next key is in the key set (RFC 3339).
    pub published: String,
    /// From when on it may sign (RFC 3339).
    pub signs_from: String,
    /// Whether it then takes over by itself.
    pub swaps_by_itself: bool,
    /// When the last token of the present key has expired, if the next one takes over when it may (RFC 3339).
    pub verifies_until: String,
    /// The schedule in force: `90d`, or `never`.
    pub rotate_every: String,
    /// When the next turn would be if nobody asked for one (RFC 3339); none where there is no schedule.
    pub by_schedule: Option<String>,
    /// When the turn after this one is due, by schedule (RFC 3339).
    pub turn_after: Option<String>,
}

/// Makes and publishes the next key of an API; in a rehearsal only says when what would happen.
pub async fn rotate(gate: &Gate, actor: &Actor, api: &str, rehearsal: bool) -> Result<Plan, Failure> {
    rotate_to(gate, actor, api, None, rehearsal).await
}

/// As [`rotate`], to an RSA key of so many primes; as many as the present one has when none are named.
pub async fn rotate_to(
    gate: &Gate,
    actor: &Actor,
    api: &str,
    primes: Option<Primes>,
    rehearsal: bool,
) -> Result<Plan, Failure> {
    let found = found::find(gate, api)?;
    let keys = keys_of(gate, &found).await?;
    if let Some(published) = rotation::in_state(&keys, KeyState::Published) {
        return Err(already_published(&found, published));
    }
    room_for_one_more(&found, &keys)?;

    let wanted = next_key(gate, &found, &keys, primes)?;
    let schedule = schedule(gate, &found);
    let now = gate.clock.now();
    let signs_from = now.after(schedule.publish_ahead);
    let mut plan = Plan {
        api: found.api.name.as_str().to_owned(),
        signing: rotation::in_state(&keys, KeyState::Signing).map(|key| key.kid.as_str().to_owned()),
        next: None,
        primes: wanted.algorithm.is_rsa().then(|| wanted.primes.count()),
        published: crate::clock::written(now),
        signs_from: crate::clock::written(signs_from),
        swaps_by_itself: schedule.swaps_by_itself,
        verifies_until: crate::clock::written(signs_from.after(schedule.token_life)),
        rotate_every: every(schedule.rotate_every),
        by_schedule: next_turn(gate, &found, &keys),
        turn_after: schedule.rotate_every.map(|every| crate::clock::written(signs_from.after(every))),
    };
    if !rehearsal {
        let published = published(gate, &found, wanted, signs_from).await?;
        plan.next = Some(published.kid.as_str().to_owned());
        gate.apply(actor, vec![Change::KeyAdded(published)]).await?;
    }
    Ok(plan)
}

/// Lets the published key sign. Before its time only when told `at_once`: who cached the key set may not know it yet.
pub async fn promote(gate: &Gate, actor: &Actor, api: &str, at_once: bool) -> Result<KeyView, Failure> {
    let found = found::find(gate, api)?;
    let keys = keys_of(gate, &found).await?;
    let Some(published) = rotation::in_state(&keys, KeyState::Published) else {
        let fix = format!("publish one first with `gatepost key rotate --api {}`", found.api.name.as_str());
        let what = "there is no published key to promote";
        return Err(Failure::new(
            Kind::NotFound,
            "key.none_published",
            what,
            "every key signs or has signed",
            fix,
        ));
    };
    let now = gate.clock.now();
    if published.signs_from > now && !at_once {
        let why = format!(
            "verifiers may keep a key set without it until {}",
            crate::clock::written(published.signs_from)
        );
        let what = "the published key may not sign yet";
        let fix = "wait until then, or repeat with --now and accept that some verifiers refuse its tokens";
        return Err(Failure::new(Kind::Conflict, "key.too_early", what, why, fix));
    }

    let kid = published.kid.clone();
    let step = rotation::promote(
        published,
        rotation::in_state(&keys, KeyState::Signing),
        &schedule(gate, &found),
        now,
    );
    carry_out(gate, actor, &found, step).await?;
    let promoted = find(gate, kid.as_str()).await?;
    Ok(KeyView::of(gate, &promoted))
}

/// Takes a key out of the key set; while tokens of it may live only when told `at_once`.
pub async fn retire(gate: &Gate, actor: &Actor, kid: &str, at_once: bool) -> Result<KeyView, Failure> {
    let key = find(gate, kid).await?;
    let now = gate.clock.now();
    let over = key.verifies_until.is_some_and(|until| until <= now);
    let refused =
        |what: &str, why: String, fix: &str| Err(Failure::new(Kind::Conflict, "key.in_use", what, why, fix));
    match key.state {
        KeyState::Signing => {
            refused("the key signs", "without it the API has none".into(), "promote another first")
        }
        KeyState::Verifying if !over && !at_once => {
            let until = key.verifies_until.map(crate::clock::written).unwrap_or_default();
            refused(
                "tokens of the key are still valid",
                format!("the last expires {until}"),
                "wait, or repeat with --now",
            )
        }
        KeyState::Retired | KeyState::Revoked => refused(
            "the key is out of use already",
            format!("it is {}", key.state.as_str()),
            "see `gatepost key list`",
        ),
        KeyState::Published | KeyState::Verifying => {
            gate.apply(actor, vec![moved(&key, KeyState::Retired, key.verifies_until)]).await?;
            let retired = find(gate, kid).await?;
            Ok(KeyView::of(gate, &retired))
        }
    }
}

/// Carries out what is due about the keys of all APIs.
pub async fn tick(gate: &Gate) -> Result<(), Failure> {
    let apis = gate.ring().apis().to_vec();
    for api in &apis {
        // Each step changes what comes after it; more than these can't be due at once.
        for _ in 0..MOST_TRIED {
            let keys = gate.ring().stored_of(api.api.id).to_vec();
            let Some(step) = rotation::next_step(&keys, &schedule(gate, api), gate.clock.now()) else {
                break;
            };
            match carry_out(gate, &Actor::System, api, step).await {
                Err(failure) if failure.kind == Kind::Conflict => news::take_up(gate).await?,
                outcome => outcome?,
            }
        }
    }
    Ok(())
}

/// When the next step in the life of any API's keys is due, as far as they move by themselves.
pub fn next_due(gate: &Gate) -> Option<Timestamp> {
    let ring = gate.ring();
    let due = |api: &Arc<ApiWithScopes>| rotation::next_due(ring.stored_of(api.api.id), &schedule(gate, api));
    ring.apis().iter().filter_map(due).min()
}

async fn carry_out(gate: &Gate, actor: &Actor, api: &ApiWithScopes, step: Step) -> Result<(), Failure> {
    let name = api.api.name.as_str();
    let changes = match step {
        Step::Publish { signs_from } => {
            let wanted = next_key(gate, api, gate.ring().stored_of(api.api.id), None)?;
            let key = published(gate, api, wanted, signs_from).await?;
            tracing::info!(api = name, kid = %key.kid, signs_from = crate::clock::written(signs_from), "key published");
            vec![Change::KeyAdded(key)]
        }
        Step::Promote { successor, predecessor, verifies_until } => {
            tracing::info!(api = name, kid = %successor.kid, "key signs from now on");
            let demoted = predecessor.map(|key| moved(&key, KeyState::Verifying, Some(verifies_until)));
            demoted.into_iter().chain([moved(&successor, KeyState::Signing, None)]).collect()
        }
        Step::Retire(key) => {
            tracing::info!(api = name, kid = %key.kid, "key retired");
            vec![moved(&key, KeyState::Retired, key.verifies_until)]
        }
    };
    gate.apply(actor, changes).await
}

/// The change that moves a key on in its life.
pub(super) fn moved(key: &StoredKey, to: KeyState, verifies_until: Option<Timestamp>) -> Change {
    Change::KeyMoved { kid: key.kid.clone(), owner: key.owner, from: key.state, to, verifies_until }
}

async fn published(
    gate: &Gate,
    api: &ApiWithScopes,
    wanted: Wanted,
    signs_from: Timestamp,
) -> Result<StoredKey, Failure> {
    let key = KeyMaker::of(gate).first(KeyOwner::Api(api.api.id), wanted, gate.clock.now()).await?;
    Ok(StoredKey { state: KeyState::Published, signs_from, ..key })
}

/// The keys of an API as the store has them now.
pub(super) async fn keys_of(gate: &Gate, api: &Arc<ApiWithScopes>) -> Result<Vec<StoredKey>, Failure> {
    let mut keys = gate.store.keys().await?;
    keys.retain(|key| key.owner == KeyOwner::Api(api.api.id));
    Ok(keys)
}

fn already_published(api: &ApiWithScopes, published: &StoredKey) -> Failure {
    let name = api.api.name.as_str();
    let why = format!("{} may sign from {}", published.kid, crate::clock::written(published.signs_from));
    let fix = format!("wait until it signs, or let it sign with `gatepost key promote --api {name}`");
    Failure::new(Kind::Conflict, "key.already_published", "a next key is published already", why, fix)
}

/// Refuses a key more at an API that has as many as are tried.
pub(super) fn room_for_one_more(api: &ApiWithScopes, keys: &[StoredKey]) -> Result<(), Failure> {
    let verifying = keys.iter().filter(|key| key.state.verifies()).count();
    if api.api.profile.names_key() || verifying < MOST_TRIED {
        return Ok(());
    }
    let name = api.api.name.as_str();
    let why = format!("the header of {name}'s tokens names no key, and readers try {MOST_TRIED} at most");
    let what = "the API has as many keys as its readers try";
    let fix = "wait until the oldest is retired; see `gatepost key list`";
    Err(Failure::new(Kind::Conflict, "key.too_many", what, why, fix))
}
