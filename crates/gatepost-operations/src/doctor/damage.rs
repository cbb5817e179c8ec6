//! This file is where the engine is asked whether what lies on its disk is sound.

use gatepost_store::{Location, Soundness};

use super::Check;
use crate::gate::Gate;
use crate::setup;

/// The look of the engine at its own files.
pub(super) async fn check(gate: &Gate) -> Check {
    match gate.store.soundness().await {
        Ok(Soundness::Sound(what)) => Check::ok("damage", what),
        Ok(Soundness::Unguarded(what)) => {
            let why = "a disk that returns other bytes than were written would not be noticed";
            Check::warn("damage", what, why, "stop PostgreSQL, run pg_checksums --enable, and start it")
        }
        Ok(Soundness::Damaged(what)) => Check::fail("damage", "the store is damaged", what, mend(gate)),
        Err(error) => {
            Check::fail("damage", "the store can't be looked through", error.to_string(), mend(gate))
        }
    }
}

fn mend(gate: &Gate) -> &'static str {
    match setup::location(&gate.config) {
        Location::Sqlite(_) => {
            "stop the server, keep a copy of the file, look at the disk, and restore the last backup"
        }
        Location::Postgres(_) => {
            "look at the disk and the log of PostgreSQL, then restore the last backup or fail over to a replica"
        }
    }
}
