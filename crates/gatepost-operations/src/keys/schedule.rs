//! This file is where it is said how often the keys of an API take turns, and when the next turn is.

use std::num::NonZeroU32;
use std::time::Duration;

use gatepost_core::apis::ApiWithScopes;
use gatepost_core::keys::rotation::{self, Schedule, Turns};
use gatepost_core::keys::{KeyState, StoredKey};

use crate::config::{Config, parse_duration, write_duration};
use crate::failure::Failure;
use crate::gate::Gate;
use crate::revocations::token_life;

/// As long as the setting for all APIs may be.
const LONGEST: Duration = Duration::from_secs(3_652 * 86_400);

const BY_DEFAULT: &str = "default";
const NEVER: &str = "never";

/// How the keys of an API live.
pub(crate) fn schedule(gate: &Gate, api: &ApiWithScopes) -> Schedule {
    let every = gate.config.keys.rotate_every;
    Schedule {
        publish_ahead: gate.config.keys.publish_ahead,
        rotate_every: api.api.turns.or((!every.is_zero()).then_some(every)),
        token_life: token_life(gate),
        swaps_by_itself: api.api.profile.names_key(),
    }
}

/// Reads `90d`, `never` or `default`. Keys can't take turns faster than the next one is known to every reader.
pub(crate) fn turns(text: &str, config: &Config) -> Result<Turns, Failure> {
    match text {
        BY_DEFAULT => return Ok(Turns::ByDefault),
        NEVER => return Ok(Turns::Never),
        _ => {}
    }
    let fix = "write a span like 90d, or `never`, or `default` for what keys.rotate_every says";
    let bad = |what: String, fix: &str| Failure::invalid("api.rotate_every", what, fix);
    let every = parse_duration(text)
        .map_err(|why| bad(format!("`{}` says not how often: {why}", text.escape_debug()), fix))?;
    let ahead = config.keys.publish_ahead;
    if every < ahead || every > LONGEST {
        let what = format!("keys can't take turns every {}", write_duration(every));
        let [least, most] = [ahead, LONGEST].map(write_duration);
        let why = "a key must be known to every reader before it signs, and none signs for ever";
        return Err(
            bad(what, &format!("give {least} (keys.publish_ahead) to {most}, or `never`")).because(why)
        );
    }
    let seconds = u32::try_from(every.as_secs()).ok().and_then(NonZeroU32::new);
    seconds.map(Turns::Every).ok_or_else(|| bad("keys can't take turns all the time".to_owned(), fix))
}

/// The same as it was written.
pub(crate) fn written(turns: Turns) -> String {
    match turns {
        Turns::ByDefault => BY_DEFAULT.to_owned(),
        Turns::Never => NEVER.to_owned(),
        Turns::Every(seconds) => every(Some(Duration::from_secs(seconds.get().into()))),
    }
}

/// A schedule that is in force, for people.
pub(crate) fn every(every: Option<Duration>) -> String {
    every.map_or_else(|| NEVER.to_owned(), write_duration)
}

/// When the next key of the API takes over, or may (RFC 3339).
pub(super) fn next_turn(gate: &Gate, api: &ApiWithScopes, keys: &[StoredKey]) -> Option<String> {
    let turn = rotation::next_turn(keys, &schedule(gate, api), gate.clock.now())?;
    Some(crate::clock::written(turn.signs_from))
}

/// A published key that may sign but waits for somebody to say so, for tokens of its API name no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The API.
    pub api: String,
    /// The key.
    pub kid: String,
    /// Since when it may sign (RFC 3339).
    pub since: String,
}

/// The keys that wait for somebody to promote them.
pub fn waiting(gate: &Gate) -> Vec<Waiting> {
    let (ring, now) = (gate.ring(), gate.clock.now());
    let by_hand = ring.apis().iter().filter(|api| !api.api.profile.names_key());
    let waits = by_hand.filter_map(|api| {
        let next = rotation::in_state(ring.stored_of(api.api.id), KeyState::Published)?;
        (next.signs_from <= now).then(|| Waiting {
            api: api.api.name.as_str().to_owned(),
            kid: next.kid.as_str().to_owned(),
            since: crate::clock::written(next.signs_from),
        })
    });
    waits.collect()
}
