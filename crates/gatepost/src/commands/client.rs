//! This file is where the commands about clients are carried out.

use gatepost_operations::clients::{self, ClientSettings, CreateClient, DefaultScopes};
use gatepost_operations::core::time::Timestamp;
use serde::Serialize;

use super::client_key;
use super::desk::Desk;
use crate::args::{ClientCommand, ClientCreate, ClientUpdate};
use crate::ending::Trouble;

const COLUMNS: [&str; 6] = ["client_id", "name", "apis", "scopes", "status", "is_test"];

/// Carries out a command about clients.
pub(super) async fn run(desk: &Desk, command: ClientCommand) -> Result<(), Trouble> {
    match command {
        ClientCommand::Create(flags) => create(desk, requested(flags, desk.gate.clock.now())).await,
        ClientCommand::List { partner } => {
            desk.output.list(&clients::list(&desk.gate, partner.as_deref()).await?, &COLUMNS)
        }
        ClientCommand::Show { client } => desk.output.show(&clients::show(&desk.gate, &client).await?),
        ClientCommand::Update(flags) => update(desk, flags).await,
        ClientCommand::Suspend { client } => suspend(desk, &client).await,
        ClientCommand::Resume { client } => {
            desk.output.show(&clients::resume(&desk.gate, &desk.actor, &client).await?)
        }
        ClientCommand::Delete { client } => delete(desk, &client).await,
        ClientCommand::Key(command) => client_key::run(desk, command).await,
    }
}

async fn create(desk: &Desk, request: CreateClient) -> Result<(), Trouble> {
    let made = clients::create(&desk.gate, &desk.actor, request).await?;
    let id = &made.client.client_id;
    let Some(secret) = made.secret else {
        desk.output.note(&format!(
            "Registered client {id}, without a secret: it proves itself by a key. Give it one: \
             gatepost client key add {id} --pem-file FILE"
        ));
        return desk.output.show(&made.client);
    };
    desk.output.note(&format!("Registered client {id}; its secret is on standard output, only now."));
    desk.output.hand_over(&made.client, secret.expose())?;
    desk.output.next(&format!(
        "Test it: gatepost token issue --client {id}   (it reads the secret from standard input)"
    ));
    Ok(())
}

async fn update(desk: &Desk, flags: ClientUpdate) -> Result<(), Trouble> {
    let client = flags.client.clone();
    let changes = settings(flags, desk.gate.clock.now());
    if is_nothing(&changes) {
        let fix = "say what it shall be, for example --lifetime 1h; see `gatepost client update --help`";
        return Err(Trouble::usage(
            "client.nothing",
            "nothing to change",
            "no flag says what the client shall be",
            fix,
        ));
    }
    let is_pinned = changes.auth_method.is_some();
    desk.output.show(&clients::update(&desk.gate, &desk.actor, &client, changes).await?)?;
    if is_pinned {
        tell_what_is_of_no_use(desk, &client).await?;
    }
    Ok(())
}

/// What the client holds and may not use, and that it can't authenticate if that is all.
async fn tell_what_is_of_no_use(desk: &Desk, client: &str) -> Result<(), Trouble> {
    let held = clients::held(&desk.gate, client).await?;
    if held.secrets_of_no_use > 0 {
        desk.output.note(&format!(
            "{} live secrets are refused as long as it may only use {}. They stay; end them when it works: \
             gatepost secret list {client}",
            held.secrets_of_no_use, held.method
        ));
    }
    if held.is_shut_out {
        desk.output.warn(&format!("client {client} can't authenticate: it holds nothing that it may use"));
    }
    Ok(())
}

async fn suspend(desk: &Desk, client: &str) -> Result<(), Trouble> {
    let suspended = clients::suspend(&desk.gate, &desk.actor, client).await?;
    desk.output.show(&suspended)?;
    desk.output.next(&format!("It gets no more tokens, and those that it has are revoked. Undo the first: gatepost client resume {client}"));
    Ok(())
}

#[derive(Serialize)]
struct Deleted {
    client_id: String,
    deleted: bool,
}

async fn delete(desk: &Desk, client: &str) -> Result<(), Trouble> {
    let found = clients::show(&desk.gate, client).await?;
    desk.output
        .confirm(&format!("This deletes the client {} ({client}) with its secrets.", found.name), "yes")?;
    clients::delete(&desk.gate, &desk.actor, client).await?;
    desk.output.show(&Deleted { client_id: found.client_id, deleted: true })
}

/// A list that a flag may name often: not said when it is empty.
fn said(list: Vec<String>) -> Option<Vec<String>> {
    (!list.is_empty()).then_some(list)
}

/// A list that a second flag can empty.
fn said_or_none(list: Vec<String>, none: bool) -> Option<Vec<String>> {
    if none { Some(Vec::new()) } else { said(list) }
}

fn is_nothing(changes: &ClientSettings) -> bool {
    let ClientSettings { name, apis, scopes, default_scopes, lifetime, allow, auth_method, expires } =
        changes;
    let lists = apis.is_none() && scopes.is_none() && default_scopes.is_none() && allow.is_none();
    lists && name.is_none() && lifetime.is_none() && auth_method.is_none() && expires.is_none()
}

fn requested(flags: ClientCreate, now: Timestamp) -> CreateClient {
    let settings = ClientSettings {
        name: None,
        apis: said(flags.apis),
        scopes: said(flags.scopes),
        default_scopes: said_or_none(flags.default_scopes, flags.no_default_scope).map(DefaultScopes::These),
        lifetime: flags.lifetime,
        allow: said(flags.allow),
        auth_method: flags.auth_method,
        expires: flags.expires.map(|expiry| expiry.from(now)),
    };
    CreateClient {
        partner: flags.partner,
        name: flags.name,
        user_id: flags.user_id,
        is_test: flags.test,
        settings,
    }
}

fn settings(flags: ClientUpdate, now: Timestamp) -> ClientSettings {
    let named = said_or_none(flags.default_scopes, flags.no_default_scope).map(DefaultScopes::These);
    ClientSettings {
        name: flags.name,
        apis: said(flags.apis),
        scopes: said_or_none(flags.scopes, flags.no_scope),
        default_scopes: if flags.all_default_scopes { Some(DefaultScopes::All) } else { named },
        lifetime: flags.lifetime,
        allow: said_or_none(flags.allow, flags.allow_any),
        auth_method: flags.auth_method,
        expires: flags.expires.map(|expiry| expiry.from(now)),
    }
}
