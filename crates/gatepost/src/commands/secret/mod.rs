//! This folder is where the commands about secrets are carried out.

mod end;
mod lint;
mod pattern;

use gatepost_operations::config::write_duration;
use gatepost_operations::secrets::{self, AddSecret, Rolling};

use super::desk::{Desk, at_desk};
use super::{given, in_use};
use crate::args::{Globals, SecretCommand};
use crate::ending::Trouble;
use crate::output::Output;

const COLUMNS: [&str; 8] =
    ["secret_id", "label", "state", "created", "not_before", "expires", "last_used", "ended"];

/// Carries out a command about secrets.
pub(super) fn run(globals: &Globals, command: SecretCommand, output: Output) -> Result<(), Trouble> {
    match command {
        SecretCommand::Add { client, label, term } => at_desk(globals, async |desk| {
            add(desk, &client, AddSecret { label, term: desk.term(term) }).await
        }),
        SecretCommand::Roll { client, overlap, term } => at_desk(globals, async |desk| {
            roll(desk, &client, Rolling { overlap, term: desk.term(term) }).await
        }),
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

async fn add(desk: &Desk, client: &str, request: AddSecret) -> Result<(), Trouble> {
    let added = secrets::add(&desk.gate, &desk.actor, client, request).await?;
    desk.output.note(&format!("Added secret {}; it is on standard output, only now.", added.view.secret_id));
    desk.output.hand_over(&added.view, added.secret.expose())?;
    desk.output.next(&format!("When the client uses it, end the old one: gatepost secret list {client}"));
    Ok(())
}

async fn roll(desk: &Desk, client: &str, how: Rolling) -> Result<(), Trouble> {
    if ends_others_at_once(desk, how) {
        let asked = async || secrets::last_used_lately(&desk.gate, client, in_use::LATELY).await;
        in_use::confirm(desk, client, in_use::ROLLING, asked).await?;
    }
    let added = secrets::roll(&desk.gate, &desk.actor, client, how).await?;
    let (id, others) = (added.view.secret_id, end_of_others(added.view.not_before.as_deref(), how));
    desk.output.note(&format!("Added secret {id}; it is on standard output, only now; {others}."));
    desk.output.hand_over(&added.view, added.secret.expose())?;
    desk.output.next(&format!("See which one the client uses: gatepost secret list {client}"));
    Ok(())
}

/// Then whoever uses one of them has nothing until the new one reaches them.
fn ends_others_at_once(desk: &Desk, how: Rolling) -> bool {
    how.overlap.is_zero() && how.term.not_before.is_none_or(|from| from <= desk.gate.clock.now())
}

fn end_of_others(accepted_from: Option<&str>, how: Rolling) -> String {
    let overlap = write_duration(how.overlap);
    match (accepted_from, how.overlap.is_zero()) {
        (None, true) => "every other one has ended".to_owned(),
        (None, false) => format!("every other one ends within {overlap}"),
        (Some(from), true) => format!("every other one ends at {from}, when this one is accepted"),
        (Some(from), false) => {
            format!("every other one ends within {overlap} after {from}, when this one is accepted")
        }
    }
}
