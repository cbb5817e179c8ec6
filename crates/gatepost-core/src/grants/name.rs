//! This file is where the grants have their names: requests ask by them, and clients list those they may use.

use serde::{Deserialize, Serialize};

/// The grants that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 section 4.4.
    ClientCredentials,
}

impl GrantType {
    /// Every grant that the server offers.
    pub const ALL: [Self; 1] = [Self::ClientCredentials];

    /// The name by which requests ask for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
        }
    }
}
