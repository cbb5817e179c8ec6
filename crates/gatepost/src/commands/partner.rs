//! This file is where the commands about partners are carried out.

use gatepost_operations::partners::{self, CreatePartner, PartnerSettings};
use serde::Serialize;
use uuid::Uuid;

use super::desk::Desk;
use crate::args::PartnerCommand;
use crate::ending::Trouble;

const COLUMNS: [&str; 4] = ["slug", "name", "status", "partner_id"];

/// Carries out a command about partners.
pub(super) async fn run(desk: &Desk, command: PartnerCommand) -> Result<(), Trouble> {
    match command {
        PartnerCommand::Create { name, id, expires } => {
            let expires = expires.map(|expiry| expiry.from(desk.gate.clock.now()));
            create(desk, CreatePartner { name, id, expires }).await
        }
        PartnerCommand::List => desk.output.list(&partners::list(&desk.gate).await?, &COLUMNS),
        PartnerCommand::Show { partner } => desk.output.show(&partners::show(&desk.gate, &partner).await?),
        PartnerCommand::Update { partner, name, expires } => {
            let expires = expires.map(|expiry| expiry.from(desk.gate.clock.now()));
            update(desk, &partner, PartnerSettings { name, expires }).await
        }
        PartnerCommand::Suspend { partner } => suspend(desk, &partner).await,
        PartnerCommand::Resume { partner } => {
            desk.output.show(&partners::resume(&desk.gate, &desk.actor, &partner).await?)
        }
        PartnerCommand::Delete { partner } => delete(desk, &partner).await,
    }
}

async fn create(desk: &Desk, request: CreatePartner) -> Result<(), Trouble> {
    let made = partners::create(&desk.gate, &desk.actor, request).await?;
    desk.output.note(&format!("Registered partner {}.", made.slug));
    desk.output.show(&made)?;
    desk.output
        .next(&format!("Next: gatepost client create --partner {} --name NAME --scope SCOPE", made.slug));
    Ok(())
}

async fn update(desk: &Desk, partner: &str, changes: PartnerSettings) -> Result<(), Trouble> {
    if changes.name.is_none() && changes.expires.is_none() {
        let fix = "say what it shall be: --name NAME, --expires TIME, or both";
        let (what, why) = ("nothing to change", "no flag says what the partner shall be");
        return Err(Trouble::usage("partner.nothing", what, why, fix));
    }
    desk.output.show(&partners::update(&desk.gate, &desk.actor, partner, changes).await?)
}

async fn suspend(desk: &Desk, partner: &str) -> Result<(), Trouble> {
    let suspended = partners::suspend(&desk.gate, &desk.actor, partner).await?;
    desk.output.show(&suspended)?;
    desk.output.next(&format!(
        "Its clients get no more tokens, and those that they have are revoked. Undo the first: gatepost partner resume {}",
        suspended.slug
    ));
    Ok(())
}

#[derive(Serialize)]
struct Deleted {
    partner_id: Uuid,
    slug: String,
    deleted: bool,
}

async fn delete(desk: &Desk, partner: &str) -> Result<(), Trouble> {
    let found = partners::show(&desk.gate, partner).await?;
    desk.output.confirm(&format!("This deletes the partner {}.", found.name), &found.slug)?;
    partners::delete(&desk.gate, &desk.actor, partner).await?;
    desk.output.show(&Deleted { partner_id: found.partner_id, slug: found.slug, deleted: true })
}
