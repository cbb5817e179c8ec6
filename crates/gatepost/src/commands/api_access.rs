//! This file is where the commands about an API's secrets and route table are carried out.

use gatepost_operations::secrets::AddSecret;
use gatepost_operations::{api_secrets, routes};
use serde::Serialize;
use uuid::Uuid;

use super::desk::Desk;
use super::in_use;
use crate::args::{ApiRouteCommand, ApiSecretCommand};
use crate::ending::Trouble;

const SECRET_COLUMNS: [&str; 9] =
    ["secret_id", "label", "state", "created", "not_before", "expires", "last_used", "last_address", "ended"];
const ROUTE_COLUMNS: [&str; 3] = ["method", "path", "scopes"];

/// Carries out a command about the secrets of an API.
pub(super) async fn secret(desk: &Desk, command: ApiSecretCommand) -> Result<(), Trouble> {
    match command {
        ApiSecretCommand::Add { api, label, term } => {
            add_secret(desk, &api, AddSecret { label, term: desk.term(term) }).await
        }
        ApiSecretCommand::List { api } => {
            desk.output.list(&api_secrets::list(&desk.gate, &api).await?, &SECRET_COLUMNS)
        }
        ApiSecretCommand::End { api, secret, force } => end_secret(desk, &api, secret, force).await,
    }
}

async fn add_secret(desk: &Desk, api: &str, request: AddSecret) -> Result<(), Trouble> {
    let added = api_secrets::add(&desk.gate, &desk.actor, api, request).await?;
    desk.output.note(&format!("Added secret {}; it is on standard output, only now.", added.view.secret_id));
    desk.output.hand_over_to_api(&added.view, added.secret.expose())
}

async fn end_secret(desk: &Desk, api: &str, secret: Uuid, force: bool) -> Result<(), Trouble> {
    if !force {
        let asked = async || api_secrets::used_lately(&desk.gate, api, secret, in_use::LATELY).await;
        in_use::confirm(desk, api, in_use::ENDING, asked).await?;
    }
    api_secrets::end(&desk.gate, &desk.actor, api, secret, force).await?;
    let all = api_secrets::list(&desk.gate, api).await?;
    match all.iter().find(|known| known.secret_id == secret) {
        Some(ended) => desk.output.show(ended),
        None => Err(Trouble::internal("secret.vanished", "the ended secret is no longer listed")),
    }
}

/// Carries out a command about the route table of an API.
pub(super) async fn route(desk: &Desk, command: ApiRouteCommand) -> Result<(), Trouble> {
    match command {
        ApiRouteCommand::Add { api, method, path, scopes } => {
            let route = routes::add(&desk.gate, &desk.actor, &api, (&method, &path), &scopes).await?;
            desk.output.show(&route)
        }
        ApiRouteCommand::List { api } => desk.output.list(&routes::list(&desk.gate, &api)?, &ROUTE_COLUMNS),
        ApiRouteCommand::Remove { api, method, path } => remove_route(desk, api, method, path).await,
    }
}

#[derive(Serialize)]
struct Removed {
    api: String,
    method: String,
    path: String,
    deleted: bool,
}

async fn remove_route(desk: &Desk, api: String, method: String, path: String) -> Result<(), Trouble> {
    if routes::list(&desk.gate, &api)?.len() == 1 {
        let question =
            format!("This may be the last route of {api}: without a table every path is let through.");
        desk.output.confirm(&question, "yes")?;
    }
    routes::remove(&desk.gate, &desk.actor, &api, &method, &path).await?;
    desk.output.show(&Removed { api, method: method.to_ascii_uppercase(), path, deleted: true })
}
