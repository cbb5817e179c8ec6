//! This file is where somebody says when a client or partner shall expire.

use gatepost_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// When a client or partner shall expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expires {
    /// Not at all.
    Never,
    /// At that moment.
    At(Timestamp),
}

impl Expires {
    /// The moment, which must be to come.
    pub(crate) fn moment(self, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
        match self {
            Self::Never => Ok(None),
            Self::At(moment) if moment > now => Ok(Some(moment)),
            Self::At(_) => {
                let fix = "give a time to come; to stop it now, suspend it";
                Err(Failure::invalid("expires.past", "that moment has passed", fix))
            }
        }
    }
}
