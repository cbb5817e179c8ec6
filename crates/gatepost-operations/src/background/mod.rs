//! This folder is where work goes on beside the requests, one file a task.

pub mod watch;
