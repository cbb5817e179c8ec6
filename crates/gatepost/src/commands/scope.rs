//! This file is where the commands about scopes are carried out.

use gatepost_operations::apis::{self, ScopeView};
use serde::Serialize;

use super::desk::Desk;
use crate::args::ScopeCommand;
use crate::ending::Trouble;

const COLUMNS: [&str; 3] = ["api", "name", "description"];

/// A scope with the API that it belongs to.
#[derive(Serialize)]
struct OfApi {
    api: String,
    #[serde(flatten)]
    scope: ScopeView,
}

#[derive(Serialize)]
struct Deleted {
    api: String,
    name: String,
    deleted: bool,
}

/// Carries out a command about scopes.
pub(super) async fn run(desk: &Desk, command: ScopeCommand) -> Result<(), Trouble> {
    match command {
        ScopeCommand::Create { api, name, description } => {
            let scope = apis::create_scope(&desk.gate, &desk.actor, &api, &name, &description).await?;
            desk.output.show(&OfApi { api, scope })
        }
        ScopeCommand::List { api } => desk.output.list(&list(desk, api)?, &COLUMNS),
        ScopeCommand::Delete { api, name } => delete(desk, api, name).await,
    }
}

fn list(desk: &Desk, api: Option<String>) -> Result<Vec<OfApi>, Trouble> {
    let apis = match api {
        Some(name) => vec![apis::show(&desk.gate, &name)?],
        None => apis::list(&desk.gate),
    };
    let of =
        |api: apis::ApiView| api.scopes.into_iter().map(move |scope| OfApi { api: api.name.clone(), scope });
    Ok(apis.into_iter().flat_map(of).collect())
}

async fn delete(desk: &Desk, api: String, name: String) -> Result<(), Trouble> {
    let question = format!("This takes the scope {name} from the API {api} and from its clients' tokens.");
    desk.output.confirm(&question, &name)?;
    apis::delete_scope(&desk.gate, &desk.actor, &api, &name).await?;
    desk.output.show(&Deleted { api, name, deleted: true })
}
