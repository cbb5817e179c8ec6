//! This file is where the memory of a server that nobody asks anything is read.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::connection::{Ask, fetch};
use crate::failure::Outcome;
use crate::gatepost::Installation;
use crate::processor::{Placement, resident};

/// Memory in MB (2^20 bytes), after the idle time.
#[derive(Debug, Serialize)]
pub(crate) struct Footprint {
    pub idle_seconds: u64,
    pub resident_mb: f64,
    pub most_mb: f64,
}

impl fmt::Display for Footprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { idle_seconds, resident_mb, most_mb } = self;
        write!(out, "resident after {idle_seconds} s idle: {resident_mb:.1} MB; at most {most_mb:.1} MB")
    }
}

pub(crate) async fn measure(installation: &Installation, idle: Duration) -> Outcome<Footprint> {
    let server = installation.serve(Placement::Shared)?;
    fetch(server.address, &Ask::Get("/readyz".to_owned())).await?;
    tokio::time::sleep(idle).await;
    let (resident_mb, most_mb) = resident(server.pid())?;
    Ok(Footprint { idle_seconds: idle.as_secs(), resident_mb, most_mb })
}
