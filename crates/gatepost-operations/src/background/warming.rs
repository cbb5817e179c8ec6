//! This file is where a running server reads clients ahead, so that time does not tell who is in the store.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::failure::Failure;
use crate::gate::Gate;

/// Before it is tried again when the store does not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Reads ahead until the returned task is aborted: everyone for whom there is room, then whoever changed.
pub fn start(gate: Arc<Gate>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut works = true;
        loop {
            gate.clients.any_cold().await;
            let outcome = warm(&gate).await;
            if let Err(failure) = &outcome {
                // Said when it begins to fail, not each second.
                if works {
                    tracing::warn!(why = %failure, "clients could not be read ahead; it is tried again");
                }
                tokio::time::sleep(PAUSE).await;
            }
            works = outcome.is_ok();
        }
    })
}

/// Reads ahead whoever is to be.
pub async fn warm(gate: &Gate) -> Result<(), Failure> {
    gate.clients.warm().await?;
    Ok(())
}
