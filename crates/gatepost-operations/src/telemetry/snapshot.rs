//! This file is where all counts stand as they were at one moment.

use std::collections::BTreeMap;
use std::time::Duration;

use gatepost_core::refusal::Code;
use serde::Serialize;

use super::waits::{ShedSnapshot, WaitsSnapshot};

/// Up to here each bucket of signing times reaches, waiting included; what took longer has one of its own.
pub const SIGNING_BOUNDS: [Duration; 13] = [
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
];

/// The counts at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Requests at the origin door.
    pub origin: DoorSnapshot,
    /// Requests at the standard door.
    pub standard: DoorSnapshot,
    /// Requests that a limit refused, by the name of the limit.
    pub limited: BTreeMap<&'static str, u64>,
    /// Signatures made.
    pub signatures: u64,
    /// Microseconds from asking for each to having it, all together.
    pub signing_micros: u64,
    /// The longest of these times.
    pub longest_signing_micros: u64,
    /// How many of them fell between two of [`SIGNING_BOUNDS`], and above the last.
    pub signing_buckets: [u64; SIGNING_BOUNDS.len() + 1],
    /// Requests for a token that were refused, in the order of [`Code::ALL`].
    pub refusals: [u64; Code::ALL.len()],
    /// How long requests waited for a signing thread.
    pub waits: WaitsSnapshot,
    /// Requests that were refused instead of signed.
    pub shed: ShedSnapshot,
    /// Connections open now.
    pub connections: u64,
    /// TLS handshakes that came to nothing.
    pub handshakes_failed: u64,
    /// Requests that were no proper HTTP.
    pub malformed: u64,
    /// Requests that took too long.
    pub timed_out: u64,
    /// Requests that were dropped before they had an answer.
    pub given_up: u64,
    /// Handlers that panicked.
    pub panics: u64,
    /// Revocation feeds signed.
    pub feeds_signed: u64,
    /// Log lines lost to a slow reader.
    pub log_lines_dropped: u64,
}

/// The counts of one door.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DoorSnapshot {
    /// Requests that ended with a token.
    pub issued: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// Requests that got 503.
    pub unavailable: u64,
}
