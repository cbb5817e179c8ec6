//! This file is where a running server reads clients ahead, so that time does not tell who is in the store.

use std::sync::Arc;
use std::time::Duration;

use gatepost_core::clients::ClientRecord;
use tokio::task::JoinHandle;

use super::complaint::Complaint;
use crate::failure::Failure;
use crate::gate::Gate;

/// Before it is tried again when the store does not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Reads ahead until the returned task is aborted: everyone for whom there is room, then whoever changed.
pub fn start(gate: Arc<Gate>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut complaint = Complaint::default();
        loop {
            gate.clients.any_cold().await;
            let outcome = warm(&gate).await;
            complaint.hear(&outcome, |failure| {
                tracing::warn!(why = %failure, "clients could not be read ahead; it is tried again");
            });
            if outcome.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    })
}

/// Reads ahead whoever is to be, and has their key sets fetched.
pub async fn warm(gate: &Gate) -> Result<(), Failure> {
    gate.clients.warm_and(&|record: &ClientRecord| gate.client_jwks.meet(record)).await?;
    gate.client_jwks.all_met();
    Ok(())
}
