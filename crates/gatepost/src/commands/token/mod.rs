//! This folder is where the commands about tokens are carried out, one file a verb.

mod inspect;
mod issue;
mod revoke;
mod verify;

use super::desk::at_desk;
use super::given;
use crate::args::{Globals, RevokeTarget, TokenCommand};
use crate::ending::Trouble;
use crate::output::Output;

/// Carries out a command about tokens.
pub(super) fn run(globals: &Globals, command: TokenCommand, output: Output) -> Result<(), Trouble> {
    match command {
        TokenCommand::Issue { client, scopes, resource, secret_file } => {
            let secret = given::read(given::SECRET, secret_file.as_deref())?;
            let wanted = issue::Wanted { client, scopes, resource, secret };
            at_desk(globals, async |desk| issue::run(desk, wanted).await)
        }
        TokenCommand::Inspect { token_file } => {
            inspect::run(&given::read(given::TOKEN, token_file.as_deref())?, output)
        }
        TokenCommand::Verify { api, token_file } => {
            let token = given::read(given::TOKEN, token_file.as_deref())?;
            at_desk(globals, async |desk| verify::run(desk, api.as_deref(), token.expose()))
        }
        TokenCommand::Revoke(target) => {
            let target = revocable(target)?;
            at_desk(globals, async |desk| revoke::run(desk, target).await)
        }
    }
}

fn revocable(target: RevokeTarget) -> Result<revoke::Target, Trouble> {
    let RevokeTarget { client, partner, token_file } = target;
    match (client, partner) {
        (Some(client), _) => Ok(revoke::Target::Client(client)),
        (None, Some(partner)) => Ok(revoke::Target::Partner(partner)),
        (None, None) => Ok(revoke::Target::Token(given::read(given::TOKEN, token_file.as_deref())?)),
    }
}
