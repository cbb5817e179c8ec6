//! This folder is where the commands about tokens are carried out, one file a verb.

mod given;
mod inspect;
mod issue;
mod verify;

use super::desk::at_desk;
use crate::args::{Globals, TokenCommand};
use crate::ending::Trouble;
use crate::output::Output;

/// Carries out a command about tokens.
pub(super) fn run(globals: &Globals, command: TokenCommand, output: Output) -> Result<(), Trouble> {
    match command {
        TokenCommand::Issue { client, scopes, resource, secret_file } => {
            let secret = given::read("secret", secret_file.as_deref())?;
            let wanted = issue::Wanted { client, scopes, resource, secret };
            at_desk(globals, async |desk| issue::run(desk, wanted).await)
        }
        TokenCommand::Inspect { token_file } => {
            inspect::run(&given::read("token", token_file.as_deref())?, output)
        }
        TokenCommand::Verify { api, token_file } => {
            let token = given::read("token", token_file.as_deref())?;
            at_desk(globals, async |desk| verify::run(desk, api.as_deref(), token.expose()))
        }
    }
}
