//! This folder is where commands are carried out, one file a noun: flags become a request value, the operation works, the
//! answer is printed.

mod api;
mod client;
mod config;
mod desk;
mod dev;
mod init;
mod key;
mod partner;
mod runtime;
mod scope;
mod secret;
mod serve;
mod serving;
mod settings;
mod signals;
mod status;
mod token;
mod version;

use crate::args::{Command, CommandLine};
use crate::ending::Trouble;
use crate::output::Output;
use desk::at_desk;

/// Carries out the command.
pub(crate) fn run(line: CommandLine) -> Result<(), Trouble> {
    let CommandLine { globals, command } = line;
    let output = Output::of(&globals);
    match command {
        Command::Dev(flags) => dev::run(&globals, flags, output),
        Command::Init(flags) => init::run(&globals, flags, output),
        Command::Serve(flags) => serve::run(&globals, flags, output),
        Command::Status => at_desk(&globals, async |desk| status::run(desk).await),
        Command::Version => version::run(output),
        Command::Partner(command) => at_desk(&globals, async |desk| partner::run(desk, command).await),
        Command::Client(command) => at_desk(&globals, async |desk| client::run(desk, command).await),
        Command::Secret(command) => at_desk(&globals, async |desk| secret::run(desk, command).await),
        Command::Api(command) => at_desk(&globals, async |desk| api::run(desk, command).await),
        Command::Scope(command) => at_desk(&globals, async |desk| scope::run(desk, command).await),
        Command::Key(command) => at_desk(&globals, async |desk| key::run(desk, command).await),
        Command::Token(command) => token::run(&globals, command, output),
        Command::Config(command) => config::run(&globals, command, output),
    }
}
