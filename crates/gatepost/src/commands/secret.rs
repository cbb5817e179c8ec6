//! This file is where the commands about secrets are carried out.

use gatepost_operations::secrets::{self, AddSecret};
use uuid::Uuid;

use super::desk::Desk;
use crate::args::{SecretCommand, Until};
use crate::ending::Trouble;

const COLUMNS: [&str; 5] = ["secret_id", "label", "state", "created", "expires"];

/// Carries out a command about secrets.
pub(super) async fn run(desk: &Desk, command: SecretCommand) -> Result<(), Trouble> {
    match command {
        SecretCommand::Add { client, label, expires } => add(desk, &client, label, expires).await,
        SecretCommand::List { client } => {
            desk.output.list(&secrets::list(&desk.gate, &client).await?, &COLUMNS)
        }
        SecretCommand::End { client, secret, force } => end(desk, &client, secret, force).await,
    }
}

async fn add(
    desk: &Desk,
    client: &str,
    label: Option<String>,
    expires: Option<Until>,
) -> Result<(), Trouble> {
    let now = desk.gate.clock.now();
    let request = AddSecret { label, expires: expires.map(|until| until.from(now)) };
    let added = secrets::add(&desk.gate, &desk.actor, client, request).await?;
    desk.output.note(&format!("Added secret {}; it is on standard output, only now.", added.view.secret_id));
    desk.output.hand_over(&added.view, added.secret.expose())?;
    desk.output.next(&format!("When the client uses it, end the old one: gatepost secret list {client}"));
    Ok(())
}

async fn end(desk: &Desk, client: &str, secret: Uuid, force: bool) -> Result<(), Trouble> {
    secrets::end(&desk.gate, &desk.actor, client, secret, force).await?;
    let all = secrets::list(&desk.gate, client).await?;
    match all.iter().find(|known| known.secret_id == secret) {
        Some(ended) => desk.output.show(ended),
        None => Err(Trouble::internal("secret.vanished", "the ended secret is no longer listed")),
    }
}
