//! This file is where the commands that set up and run a server are described.

use clap::Args;

/// Setting up a new state.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The public address of the server, as tokens name it, for example https://auth.example.com
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
}

/// Running the server.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The public address of the server, as tokens name it, for example https://auth.example.com
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// Where partners reach it; port 0 takes a free one [default: 127.0.0.1:8460]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Where operators reach it; port 0 takes a free one [default: 127.0.0.1:8461]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) admin_listen: Option<String>,
    /// End when standard input, a pipe or a stream socket, ends: for a program that starts a server and must not leave it behind
    #[arg(long)]
    pub(crate) end_with_stdin: bool,
}

/// Trying it.
#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Where partners reach it, on loopback; port 0 takes a free one [default: 127.0.0.1:8460]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Where operators reach it, on loopback; port 0 takes a free one [default: 127.0.0.1:8461]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) admin_listen: Option<String>,
    /// Where the bookings API listens, on loopback; port 0 takes a free one [default: 127.0.0.1:8462]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) api_listen: Option<String>,
}
