//! This file is where the commands about signing keys are carried out.

use std::fmt::Display;

use gatepost_operations::core::secret::Secret;
use gatepost_operations::jose::Primes;
use gatepost_operations::setup::DEFAULT_API;
use gatepost_operations::{keys, master_key};
use serde::Serialize;

use super::desk::{Desk, at_desk};
use super::given;
use crate::args::{Globals, KeyCommand, KeyFormat};
use crate::ending::Trouble;

const COLUMNS: [&str; 8] =
    ["api", "alg", "primes", "state", "signs_from", "verifies_until", "next_turn", "kid"];

/// Carries out a command about keys.
pub(super) fn run(globals: &Globals, command: KeyCommand) -> Result<(), Trouble> {
    // A private key is read before the state is opened: nobody waits for a store with it in hand.
    let pem = match &command {
        KeyCommand::Import { pem_file, .. } => Some(given::read(given::PRIVATE_KEY, pem_file.as_deref())?),
        KeyCommand::List { .. }
        | KeyCommand::Rotate { .. }
        | KeyCommand::Promote { .. }
        | KeyCommand::Retire { .. }
        | KeyCommand::Revoke { .. }
        | KeyCommand::ExportPublic { .. }
        | KeyCommand::Rewrap { .. } => None,
    };
    if let KeyCommand::Rewrap { new: true } = command {
        add_wrapping_key(globals)?;
    }
    at_desk(globals, async |desk| carry_out(desk, command, pem).await)
}

async fn carry_out(desk: &Desk, command: KeyCommand, pem: Option<Secret>) -> Result<(), Trouble> {
    match command {
        KeyCommand::List { api, all } => {
            let api = if all { None } else { Some(named(api.as_deref())) };
            desk.output.list(&keys::list(&desk.gate, api).await?, &COLUMNS)
        }
        KeyCommand::Rotate { api, primes, dry_run } => {
            rotate(desk, named(api.as_deref()), primes, dry_run).await
        }
        KeyCommand::Promote { api, now } => promote(desk, named(api.as_deref()), now).await,
        KeyCommand::Retire { kid, now } => {
            desk.output.show(&keys::retire(&desk.gate, &desk.actor, &kid, now).await?)
        }
        KeyCommand::Revoke { kid } => revoke(desk, &kid).await,
        KeyCommand::Import { api, .. } => import(desk, named(api.as_deref()), pem).await,
        KeyCommand::ExportPublic { api, format } => export(desk, named(api.as_deref()), format),
        KeyCommand::Rewrap { .. } => rewrap(desk).await,
    }
}

fn named(api: Option<&str>) -> &str {
    api.unwrap_or(DEFAULT_API)
}

async fn rotate(desk: &Desk, api: &str, primes: Option<Primes>, rehearsal: bool) -> Result<(), Trouble> {
    let plan = keys::rotate_to(&desk.gate, &desk.actor, api, primes, rehearsal).await?;
    if rehearsal {
        desk.output.note("A rehearsal: nothing was changed.");
    }
    desk.output.show(&plan)?;
    match &plan.by_schedule {
        Some(turn) if rehearsal => {
            desk.output.note(&format!("By schedule ({}) the next turn is at {turn}.", plan.rotate_every));
        }
        Some(_) | None => {}
    }
    if plan.swaps_by_itself {
        desk.output.note(&format!("It takes over by itself at {}, while a server runs.", plan.signs_from));
    } else {
        desk.output.note(&format!(
            "Tokens of {api} name no key, so nothing swaps by itself: when its readers have the new key, \
             `gatepost key promote --api {api}`."
        ));
    }
    Ok(())
}

async fn promote(desk: &Desk, api: &str, at_once: bool) -> Result<(), Trouble> {
    let promoted = keys::promote(&desk.gate, &desk.actor, api, at_once).await?;
    desk.output
        .note(&format!("The key {} signs from now on; the one before it still verifies.", promoted.kid));
    desk.output.show(&promoted)
}

async fn revoke(desk: &Desk, kid: &str) -> Result<(), Trouble> {
    let radius = keys::blast_radius(&desk.gate, kid).await?;
    let told = format!(
        "Revoking the {} key {} of {} ends up to {} of {}.",
        radius.state,
        radius.kid,
        radius.api,
        counted(&radius.live_tokens_at_most, "live token"),
        counted(&radius.clients, "client")
    );
    desk.output.note(&told);
    desk.output
        .confirm("Nothing that it signed is valid afterwards, and that can't be undone.", &radius.api)?;
    let revoked = keys::revoke(&desk.gate, &desk.actor, &radius.kid).await?;
    desk.output.show(&revoked)?;
    desk.output.next(&format!("See what signs now: gatepost key list --api {}", radius.api));
    Ok(())
}

fn counted<N: Display + PartialEq + From<u8>>(number: &N, noun: &str) -> String {
    let ending = if *number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

async fn import(desk: &Desk, api: &str, pem: Option<Secret>) -> Result<(), Trouble> {
    let pem = pem.ok_or_else(|| Trouble::internal("key.import", "the key was not read"))?;
    let imported = keys::import(&desk.gate, &desk.actor, api, &pem).await?;
    desk.output.note("Published, not signing yet.");
    desk.output.show(&imported)?;
    desk.output.next(&format!("Let it sign: gatepost key promote --api {api} --now"));
    Ok(())
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

/// Adds a wrapping key to a master key file that opens this state; one that does not is left as it is.
fn add_wrapping_key(globals: &Globals) -> Result<(), Trouble> {
    at_desk(globals, async |desk| {
        let id = master_key::add_wrapping_key(&desk.gate.config.data, &desk.gate.entropy)?;
        desk.output.note(&format!("Added the wrapping key {id} to the master key file: back it up again."));
        Ok(())
    })
}

#[derive(Serialize)]
struct Rewrapped {
    rewrapped: usize,
}

async fn rewrap(desk: &Desk) -> Result<(), Trouble> {
    let rewrapped = keys::rewrap(&desk.gate, &desk.actor).await?;
    if rewrapped == 0 {
        desk.output.note("Every key is sealed under the newest wrapping key already.");
    }
    desk.output.show(&Rewrapped { rewrapped })
}
