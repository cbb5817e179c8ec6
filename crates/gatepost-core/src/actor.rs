//! This file is where it is said who changes something: a change without an actor can't be expressed.

use serde::{Deserialize, Serialize};

/// Who asked for a change, as the audit line names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// Someone at the command line of the machine that holds the state; `user` is the account's name.
    CommandLine {
        /// The account that ran the command.
        user: String,
    },
    /// A client, by what it asked for itself: giving back one of its tokens.
    Client {
        /// The client.
        client_id: String,
    },
    /// The server itself: first start, rotation, sweeping.
    System,
}

impl Actor {
    /// One word for lists: `cli:jo`, `client:0c6f…`, `system`.
    pub fn label(&self) -> String {
        match self {
            Self::CommandLine { user } => format!("cli:{user}"),
            Self::Client { client_id } => format!("client:{client_id}"),
            Self::System => "system".to_owned(),
        }
    }
}
