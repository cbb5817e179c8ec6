//! This file is where the commands about signing keys are carried out.

use gatepost_operations::keys;
use gatepost_operations::setup::DEFAULT_API;

use super::desk::Desk;
use crate::args::{KeyCommand, KeyFormat};
use crate::ending::Trouble;

const COLUMNS: [&str; 5] = ["api", "alg", "state", "signs_from", "kid"];

/// Carries out a command about keys.
pub(super) async fn run(desk: &Desk, command: KeyCommand) -> Result<(), Trouble> {
    match command {
        KeyCommand::List { api, all } => {
            let api = if all { None } else { Some(api.as_deref().unwrap_or(DEFAULT_API)) };
            desk.output.list(&keys::list(&desk.gate, api).await?, &COLUMNS)
        }
        KeyCommand::ExportPublic { api, format } => {
            export(desk, api.as_deref().unwrap_or(DEFAULT_API), format)
        }
    }
}

fn export(desk: &Desk, api: &str, format: KeyFormat) -> Result<(), Trouble> {
    let public = keys::export_public(&desk.gate, api)?;
    if desk.output.is_json() {
        return desk.output.document(&public);
    }
    match format {
        KeyFormat::Pem => desk.output.text(&public.pem),
        KeyFormat::Jwk => desk.output.document(&public.jwk),
    }
}
