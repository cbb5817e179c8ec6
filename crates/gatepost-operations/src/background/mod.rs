//! This folder is where work goes on beside the requests, one file a task.

pub mod expiry;
pub mod flush;
pub mod rotation;
pub mod warming;
pub mod watch;
