//! This folder is where the commands about secrets are carried out.

mod end;
mod lint;
mod pattern;

use std::time::Duration;

use gatepost_operations::config::write_duration;
use gatepost_operations::secrets::{self, AddSecret};

use super::desk::{Desk, at_desk};
use super::given;
use crate::args::{Globals, SecretCommand, Until};
use crate::ending::Trouble;
use crate::output::Output;

const COLUMNS: [&str; 6] = ["secret_id", "label", "state", "created", "expires", "last_used"];

/// Carries out a command about secrets.
pub(super) fn run(globals: &Globals, command: SecretCommand, output: Output) -> Result<(), Trouble> {
    match command {
        SecretCommand::Add { client, label, expires } => {
            at_desk(globals, async |desk| add(desk, &client, label, expires).await)
        }
        SecretCommand::Roll { client, overlap } => {
            at_desk(globals, async |desk| roll(desk, &client, overlap).await)
        }
        SecretCommand::List { client } => at_desk(globals, async |desk| {
            desk.output.list(&secrets::list(&desk.gate, &client).await?, &COLUMNS)
        }),
        SecretCommand::End(flags) => at_desk(globals, async |desk| end::run(desk, flags).await),
        SecretCommand::Lint { secret_file } => {
            lint::run(&given::read(given::SECRET, secret_file.as_deref())?, output)
        }
        SecretCommand::Pattern { format } => pattern::run(format, output),
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

async fn roll(desk: &Desk, client: &str, overlap: Duration) -> Result<(), Trouble> {
    let added = secrets::roll(&desk.gate, &desk.actor, client, overlap).await?;
    let others = if overlap.is_zero() {
        "every other one has ended".to_owned()
    } else {
        format!("every other one ends within {}", write_duration(overlap))
    };
    let id = added.view.secret_id;
    desk.output.note(&format!("Added secret {id}; it is on standard output, only now; {others}."));
    desk.output.hand_over(&added.view, added.secret.expose())?;
    desk.output.next(&format!("See which one the client uses: gatepost secret list {client}"));
    Ok(())
}
