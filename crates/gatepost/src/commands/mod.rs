//! This folder is where commands are carried out, one file a noun: flags become a request value, the operation works, the
//! answer is printed.

mod api;
mod api_access;
mod bench;
mod client;
mod client_key;
mod config;
mod desk;
mod dev;
mod doctor;
mod given;
mod guard;
mod in_use;
mod init;
mod key;
mod limit;
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
mod usage;
mod version;

use std::process::ExitCode;

use crate::args::{Command, CommandLine};
use crate::ending::Trouble;
use crate::output::Output;
use desk::at_desk;

/// Carries out the command; the code is that of one whose checks said no, for all others it is success.
pub(crate) fn run(line: CommandLine) -> Result<ExitCode, Trouble> {
    let CommandLine { globals, command } = line;
    let output = Output::of(&globals);
    let done = match command {
        Command::Doctor => return doctor::run(&globals, output),
        Command::Dev(flags) => dev::run(&globals, flags, output),
        Command::Init(flags) => init::run(&globals, flags, output),
        Command::Serve(flags) => serve::run(&globals, flags, output),
        Command::Status => at_desk(&globals, async |desk| status::run(desk).await),
        Command::Version => version::run(output),
        Command::Partner(command) => at_desk(&globals, async |desk| partner::run(desk, command).await),
        Command::Client(command) => at_desk(&globals, async |desk| client::run(desk, command).await),
        Command::Secret(command) => secret::run(&globals, command, output),
        Command::Api(command) => at_desk(&globals, async |desk| api::run(desk, command).await),
        Command::Scope(command) => at_desk(&globals, async |desk| scope::run(desk, command).await),
        Command::Key(command) => key::run(&globals, command),
        Command::Token(command) => token::run(&globals, command, output),
        Command::Usage(command) => at_desk(&globals, async |desk| usage::run(desk, command).await),
        Command::Limit(command) => at_desk(&globals, async |desk| limit::run(desk, command).await),
        Command::Guard(command) => guard::run(&globals, command, output),
        Command::Config(command) => config::run(&globals, command, output),
        Command::Bench(command) => bench::run(command, output),
    };
    done.map(|()| ExitCode::SUCCESS)
}
