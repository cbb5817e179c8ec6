//! This file is where the commands about settings are described.

use clap::Subcommand;

/// The settings in force.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting with its value and where that came from
    Show,
    /// Check the settings; exit code 3 when they can't be used
    Check,
    /// Tell what a setting is, where its value came from and what it is for
    Explain {
        /// The setting, for example server.listen
        key: String,
    },
}
