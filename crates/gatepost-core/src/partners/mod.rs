//! This folder is where partners are: the companies that may call the operator's APIs.

mod register;

pub use register::{changed, expire, register, resume, suspend};

use serde::{Deserialize, Serialize};

pub use crate::ids::PartnerId;
use crate::name::{Name, Slug};
use crate::time::Timestamp;

/// Whether something may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In use.
    Active,
    /// Stopped by an operator until resumed.
    Suspended,
    /// Its time is over: live tokens were ended, and it gets none until it is given a later expiry.
    Expired,
}

/// Why something is not resumed: its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HasExpired;

impl Status {
    /// The status as people and programs read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
        }
    }

    /// The status at `now` of what expires at `expires`, whether that was written down yet or not.
    pub fn at(self, expires: Option<Timestamp>, now: Timestamp) -> Self {
        if self.is_to_expire(expires, now) { Self::Expired } else { self }
    }

    /// Whether an expiry is due that was not written down yet. What is suspended has no tokens to end.
    pub fn is_to_expire(self, expires: Option<Timestamp>, now: Timestamp) -> bool {
        self == Self::Active && expires.is_some_and(|at| at <= now)
    }

    /// The status that resuming makes; `None` where it changes nothing.
    pub fn resumed(self, expires: Option<Timestamp>, now: Timestamp) -> Result<Option<Self>, HasExpired> {
        if expires.is_some_and(|at| at <= now) {
            return Err(HasExpired);
        }
        match self {
            Self::Active => Ok(None),
            Self::Suspended => Ok(Some(Self::Active)),
            Self::Expired => Err(HasExpired),
        }
    }

    /// The status once another expiry was given: what had expired is active again, what is suspended stays so.
    #[must_use]
    pub const fn with_new_expiry(self) -> Self {
        match self {
            Self::Expired | Self::Active => Self::Active,
            Self::Suspended => Self::Suspended,
        }
    }
}

/// A company that may call the operator's APIs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partner {
    /// What tokens know it by.
    pub id: PartnerId,
    /// What commands know it by; unique.
    pub slug: Slug,
    /// What people call it.
    pub name: Name,
    /// Whether its clients may get tokens.
    pub status: Status,
    /// From when on they may no longer.
    pub expires: Option<Timestamp>,
    /// When it was registered.
    pub created: Timestamp,
    /// Counts its changes, so that a change made for an older state is noticed.
    pub version: i64,
}

impl Partner {
    /// Where it stands at `now`, also before its expiry was written down.
    pub fn standing(&self, now: Timestamp) -> Status {
        self.status.at(self.expires, now)
    }

    /// Whether `changed` makes the partner live on after an end that has passed without its being written down.
    pub fn is_revived_as(&self, changed: &Self, now: Timestamp) -> bool {
        self.status.is_to_expire(self.expires, now) && !changed.status.is_to_expire(changed.expires, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000);
    const PAST: Option<Timestamp> = Some(NOW);
    const LATER: Option<Timestamp> = Some(Timestamp::from_micros(1_001));

    #[test]
    fn what_is_past_its_expiry_has_expired_also_before_that_is_written_down() {
        for (status, expires, at) in [
            (Status::Active, None, Status::Active),
            (Status::Active, LATER, Status::Active),
            (Status::Active, PAST, Status::Expired),
            (Status::Expired, PAST, Status::Expired),
            (Status::Suspended, PAST, Status::Suspended),
        ] {
            assert_eq!(status.at(expires, NOW), at, "{status:?} {expires:?}");
        }
        assert!(Status::Active.is_to_expire(PAST, NOW));
        assert!(!Status::Expired.is_to_expire(PAST, NOW), "that is done");
    }

    #[test]
    fn only_what_was_suspended_and_has_time_left_is_resumed() {
        assert_eq!(Status::Suspended.resumed(LATER, NOW), Ok(Some(Status::Active)));
        assert_eq!(Status::Active.resumed(None, NOW), Ok(None));
        for (status, expires) in [(Status::Suspended, PAST), (Status::Active, PAST), (Status::Expired, PAST)]
        {
            assert_eq!(status.resumed(expires, NOW), Err(HasExpired), "{status:?}");
        }
    }

    #[test]
    fn another_expiry_revives_what_expired_but_not_what_is_suspended() {
        assert_eq!(Status::Expired.with_new_expiry(), Status::Active);
        assert_eq!(Status::Suspended.with_new_expiry(), Status::Suspended);
    }
}
