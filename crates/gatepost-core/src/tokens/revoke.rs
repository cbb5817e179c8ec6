//! This file is where it is decided what a revocation covers, and for how long it must be remembered.
//!
//! Only what is revoked is stored, and only until the last token that it concerns has expired by itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::{ApiId, ClientId, PartnerId};
use crate::time::Timestamp;

/// Issue times are compared by the millisecond: one past the next one is later whatever was rounded.
const LATER: Duration = Duration::from_millis(2);

/// How long a client waits for a token that lasts, when all that it gets up to `until` is revoked.
///
/// At most `hearing`, in which every node hears of a change: what lies further ahead was set by a clock that is wrong.
pub fn until_tokens_last(until: Timestamp, now: Timestamp, hearing: Duration) -> Duration {
    until.since(now).min(hearing).saturating_add(LATER)
}

/// What was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Revoked {
    /// One token, by its id.
    Token(String),
    /// All tokens that a client got up to now.
    Client(ClientId),
    /// All tokens that the clients of a partner got up to now.
    Partner(PartnerId),
}

/// A revocation: of tokens issued up to `at`, to be remembered until `until`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// What was revoked.
    pub what: Revoked,
    /// For which APIs; only they are told.
    pub apis: Vec<ApiId>,
    /// When; tokens issued later are not concerned.
    pub at: Timestamp,
    /// When the last token that it concerns has expired.
    pub until: Timestamp,
    /// Who got the token, if it is one token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientId>,
}

impl Revoked {
    /// What was revoked, as one text: `token:…`, `client:…`, `partner:…`.
    pub fn name(&self) -> String {
        match self {
            Self::Token(jti) => format!("token:{jti}"),
            Self::Client(id) => format!("client:{id}"),
            Self::Partner(id) => format!("partner:{}", id.0),
        }
    }
}

impl Revocation {
    /// Of one token, which expires at `expires`; verifiers may allow clocks `leeway` apart.
    pub fn of_token(api: ApiId, jti: String, expires: Timestamp, leeway: Duration, now: Timestamp) -> Self {
        Self {
            what: Revoked::Token(jti),
            apis: vec![api],
            at: now,
            until: expires.after(leeway),
            client: None,
        }
    }

    /// Of all tokens that `what` covers so far; none of them lives longer than `token_life`, leeway included.
    pub fn of_all(what: Revoked, apis: Vec<ApiId>, token_life: Duration, now: Timestamp) -> Self {
        Self { what, apis, at: now, until: now.after(token_life), client: None }
    }

    /// The same, of a token that this client got.
    #[must_use]
    pub fn got_by(self, client: ClientId) -> Self {
        Self { client: Some(client), ..self }
    }

    /// Whether it is over: every token that it concerns has expired.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_lasting_tokens_gets_them_past_the_moment_and_waits_no_longer_than_all_need_to_hear() {
        let at = |millis: i64| Timestamp::from_micros(millis * 1_000);
        let hearing = Duration::from_millis(1_500);
        for (until, now, waits) in
            [(1_000, 400, 602), (1_000, 1_000, 2), (1_000, 5_000, 2), (99_000, 0, 1_502)]
        {
            assert_eq!(
                until_tokens_last(at(until), at(now), hearing),
                Duration::from_millis(waits),
                "{until} {now}"
            );
        }
    }
}
