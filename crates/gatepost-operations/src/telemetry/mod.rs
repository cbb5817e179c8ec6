//! This file is where telemetry begins: what the program tells about itself while it runs.
//!
//! [`logs`] writes lines for people and machines and never makes a request wait for their reader;
//! [`metrics`] counts, through typed functions whose labels are enums; [`exposition`] makes the page of all numbers.

pub mod exposition;
mod held;
mod json_lines;
mod log_queue;
mod log_writer;
pub mod logs;
pub mod metrics;
pub mod snapshot;
pub mod waits;
