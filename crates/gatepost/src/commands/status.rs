//! This file is where the state of things is told.

use gatepost_operations::status;

use super::desk::Desk;
use crate::ending::Trouble;

/// Sums up the state.
pub(super) async fn run(desk: &Desk) -> Result<(), Trouble> {
    let status = status::status(&desk.gate).await?;
    desk.output.show(&status)?;
    if status.server.is_none() {
        desk.output.next("No server runs on this state. Start one: gatepost serve");
    }
    Ok(())
}
