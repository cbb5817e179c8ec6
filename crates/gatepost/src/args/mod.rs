//! This folder is where the command line is described, one file a noun; what is read here is data, the commands act on it.

mod api;
mod api_access;
mod bench;
mod client;
mod config;
mod guard;
mod key;
mod limit;
mod partner;
#[cfg(test)]
mod reference;
mod scope;
mod secret;
mod server;
mod spans;
mod token;
mod usage;

pub(crate) use api::{ApiCommand, ApiCreate, ApiUpdate, PassportFlags};
pub(crate) use api_access::{ApiRouteCommand, ApiSecretCommand};
pub(crate) use bench::{BenchCommand, BenchToken, BenchVerify};
pub(crate) use client::{ClientCommand, ClientCreate, ClientKeyAdd, ClientKeyCommand, ClientUpdate};
pub(crate) use config::ConfigCommand;
pub(crate) use guard::{GuardCommand, GuardSnippet, Proxy, base_url};
pub(crate) use key::{KeyCommand, KeyFormat};
pub(crate) use limit::{LimitClear, LimitCommand, LimitSet};
pub(crate) use partner::PartnerCommand;
pub(crate) use scope::ScopeCommand;
pub(crate) use secret::{PatternFormat, SecretCommand, SecretEnd, SecretTerm};
pub(crate) use server::{Dev, Init, Serve};
pub(crate) use spans::Until;
pub(crate) use token::{RevokeTarget, TokenCommand};
pub(crate) use usage::UsageCommand;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 usage, 3 configuration, 4 store or server unreachable, 5 not allowed, \
6 not found, 7 conflict, 8 a check said no, 9 rate limited.";

/// Issues tokens to the programs of your partners, and keeps the list of who may have them.
#[derive(Debug, Parser)]
#[command(name = "gatepost", version, after_help = EXIT_CODES)]
pub(crate) struct CommandLine {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) globals: Globals,
    /// What is to be done.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// The folder of the state [default: ./gatepost-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The database, instead of SQLite in the data folder
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// Print one JSON document on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Answer every question with yes
    #[arg(long, short, global = true)]
    pub(crate) yes: bool,
    /// Leave out the remarks on standard error
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Try it: a server with demo data in a temporary folder, and an API that its tokens open
    Dev(Dev),
    /// Set up a new state: data folder, master key, store, first signing keys
    Init(Init),
    /// Run the server; an empty folder is set up first
    Serve(Serve),
    /// Check everything that can be wrong, and say how to mend it; exit code 8 when something is
    Doctor,
    /// Sum up the state, and whether a server runs on it
    Status,
    /// Print the version, and the optional features that were built in
    Version,
    /// The companies that may call your APIs
    #[command(subcommand)]
    Partner(PartnerCommand),
    /// The programs of partners
    #[command(subcommand)]
    Client(ClientCommand),
    /// The secrets that clients authenticate with
    #[command(subcommand)]
    Secret(SecretCommand),
    /// The APIs that tokens are for
    #[command(subcommand)]
    Api(ApiCommand),
    /// The scopes of APIs
    #[command(subcommand)]
    Scope(ScopeCommand),
    /// The keys that sign tokens
    #[command(subcommand)]
    Key(KeyCommand),
    /// Get a token, look into one, verify one, revoke
    #[command(subcommand)]
    Token(TokenCommand),
    /// What clients did, by the hour
    #[command(subcommand)]
    Usage(UsageCommand),
    /// How much clients may take
    #[command(subcommand)]
    Limit(LimitCommand),
    /// What protects an API
    #[command(subcommand)]
    Guard(GuardCommand),
    /// The settings in force
    #[command(subcommand)]
    Config(ConfigCommand),
    /// How fast this machine is
    #[command(subcommand)]
    Bench(BenchCommand),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(words: &[&str]) -> Result<CommandLine, clap::Error> {
        CommandLine::try_parse_from(["gatepost"].iter().chain(words))
    }

    #[test]
    fn the_description_of_the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn global_options_are_taken_before_and_behind_the_command() {
        for words in
            [["--json", "partner", "list"], ["partner", "--json", "list"], ["partner", "list", "--json"]]
        {
            assert!(parse(&words).unwrap().globals.json, "{words:?}");
        }
    }

    #[test]
    fn default_scopes_are_either_named_or_none() {
        let base = ["client", "create", "--partner", "p", "--name", "n"];
        let with = |more: &[&'static str]| parse(&[&base[..], more].concat()).is_ok();

        assert!(with(&["--default-scope", "a", "--default-scope", "b"]));
        assert!(with(&["--no-default-scope"]));
        assert!(!with(&["--no-default-scope", "--default-scope", "a"]));
    }

    #[test]
    fn a_thumbprint_may_begin_with_a_hyphen() {
        let Command::Key(KeyCommand::Revoke { kid }) = parse(&["key", "revoke", "-x7"]).unwrap().command
        else {
            panic!("another command was read");
        };
        assert_eq!(kid, "-x7");
        assert!(parse(&["key", "retire", "-x7", "--now", "--json"]).unwrap().globals.json);
    }

    #[test]
    fn a_slip_of_the_pen_is_answered_with_what_was_meant() {
        let text = parse(&["partner", "crate", "Acme"]).unwrap_err().to_string();
        assert!(text.contains("create"), "{text}");
    }
}
