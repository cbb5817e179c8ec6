//! This folder is where work goes on beside the requests, one file a task.

mod complaint;
pub mod expiry;
pub mod flush;
pub mod key_sets;
pub mod rotation;
pub mod sweeping;
pub mod warming;
pub mod watch;
