//! This folder is where it is decided how much is enough: rates, quotas, tokens handed out again, and when a client takes too many.
//!
//! Everything here counts with the time as an argument. Where the counts are kept, and how long, is for operations.

mod allowance;
mod bucket;
mod calendar;
mod hoarding;
mod neighborhood;
mod quota;
mod rate;
mod replay;

pub use allowance::{Allowance, Policy};
pub use bucket::{Verdict, admit};
pub use calendar::{Day, Month};
pub use hoarding::{Hoarding, tokens_of_last_hour};
pub use neighborhood::Neighborhood;
pub use quota::{Issued, LARGEST_QUOTA, Tally};
pub use rate::{BadRate, Rate};
pub use replay::{LONGEST_WINDOW, life_left};

use serde::{Deserialize, Serialize};

/// What a client is held to by itself, beyond what the settings say for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientLimits {
    /// How often it may ask for a token; the setting's rate when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Rate>,
    /// How many tokens it gets in a day (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u64>,
    /// How many tokens it gets in a calendar month (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_month: Option<u64>,
    /// For how many seconds it gets the token it has, when it asks again for the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_window: Option<u32>,
}

impl ClientLimits {
    /// Whether it is held to nothing of its own.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether its tokens are counted by the day or the month.
    pub fn has_quota(&self) -> bool {
        self.per_day.is_some() || self.per_month.is_some()
    }
}
