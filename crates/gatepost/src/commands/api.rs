//! This file is where the commands about APIs are carried out.

use gatepost_operations::apis::{self, CreateApi, PassportChoices, UpdateApi};
use serde::Serialize;
use uuid::Uuid;

use super::api_access;
use super::desk::Desk;
use crate::args::{ApiCommand, ApiCreate, ApiUpdate, PassportFlags};
use crate::ending::Trouble;

const COLUMNS: [&str; 6] = ["name", "profile", "alg", "rotate_every", "audience", "scopes"];

/// Carries out a command about APIs.
pub(super) async fn run(desk: &Desk, command: ApiCommand) -> Result<(), Trouble> {
    match command {
        ApiCommand::Create(flags) => create(desk, flags.into()).await,
        ApiCommand::List => desk.output.list(&apis::list(&desk.gate), &COLUMNS),
        ApiCommand::Show { api } => desk.output.show(&apis::show(&desk.gate, &api)?),
        ApiCommand::Update(flags) => update(desk, flags).await,
        ApiCommand::Delete { api } => delete(desk, &api).await,
        ApiCommand::Secret(command) => api_access::secret(desk, command).await,
        ApiCommand::Route(command) => api_access::route(desk, command).await,
    }
}

async fn create(desk: &Desk, request: CreateApi) -> Result<(), Trouble> {
    let made = apis::create(&desk.gate, &desk.actor, request).await?;
    desk.output.note(&format!("Registered API {}.", made.name));
    desk.output.show(&made)?;
    desk.output.next(&format!("Next: gatepost scope create --api {} SCOPE --description WORDS", made.name));
    Ok(())
}

async fn update(desk: &Desk, flags: ApiUpdate) -> Result<(), Trouble> {
    let ApiUpdate { api, audience, rotate_every, passport } = flags;
    let says_nothing =
        passport.timestamps().is_none() && passport.kid().is_none() && passport.sub().is_none();
    if audience.is_none() && rotate_every.is_none() && says_nothing && !passport.allow_integer_sub {
        let fix = "say what it shall be, for example --audience URL; see `gatepost api update --help`";
        return Err(Trouble::usage(
            "api.nothing",
            "nothing to change",
            "no flag says what the API shall be",
            fix,
        ));
    }
    let request = UpdateApi { audience, passport: passport.into(), rotate_every };
    desk.output.show(&apis::update(&desk.gate, &desk.actor, &api, request).await?)
}

#[derive(Serialize)]
struct Deleted {
    api_id: Uuid,
    name: String,
    deleted: bool,
}

async fn delete(desk: &Desk, api: &str) -> Result<(), Trouble> {
    let found = apis::show(&desk.gate, api)?;
    desk.output
        .confirm(&format!("This deletes the API {api} with its scopes and signing keys."), &found.name)?;
    apis::delete(&desk.gate, &desk.actor, api).await?;
    desk.output.show(&Deleted { api_id: found.api_id, name: found.name, deleted: true })
}

impl From<ApiCreate> for CreateApi {
    fn from(flags: ApiCreate) -> Self {
        let ApiCreate { name, audience, profile, alg, rotate_every, passport } = flags;
        Self { name, audience, profile, alg, passport: passport.into(), rotate_every }
    }
}

impl From<PassportFlags> for PassportChoices {
    fn from(flags: PassportFlags) -> Self {
        Self {
            timestamps: flags.timestamps(),
            kid: flags.kid(),
            sub: flags.sub(),
            allow_integer_sub: flags.allow_integer_sub.then_some(true),
        }
    }
}
