//! This file is where the commands about the public keys of clients are carried out.

use gatepost_operations::client_keys::{self, NewClientKey};
use gatepost_operations::jose::Algorithm;
use serde::Serialize;
use uuid::Uuid;

use super::desk::Desk;
use super::given::{self, Asked};
use crate::args::{ClientKeyAdd, ClientKeyCommand};
use crate::ending::Trouble;

const COLUMNS: [&str; 6] = ["key_id", "kind", "alg", "kid", "jwks_uri", "created"];

/// Carries out a command about the keys of a client.
pub(super) async fn run(desk: &Desk, command: ClientKeyCommand) -> Result<(), Trouble> {
    match command {
        ClientKeyCommand::Add(flags) => add(desk, flags).await,
        ClientKeyCommand::List { client } => {
            desk.output.list(&client_keys::list(&desk.gate, &client).await?, &COLUMNS)
        }
        ClientKeyCommand::Remove { client, key, force } => remove(desk, client, key, force).await,
    }
}

async fn add(desk: &Desk, flags: ClientKeyAdd) -> Result<(), Trouble> {
    let ClientKeyAdd { client, source, alg } = flags;
    let read = |asked: Asked, file| Ok::<_, Trouble>(given::read(asked, Some(file))?.expose().to_owned());
    let new = match (source.pem_file, source.jwk_file, source.jwks_uri) {
        (Some(file), _, _) => {
            let named = |known: &Algorithm| {
                alg.as_deref().is_some_and(|name| known.as_str().eq_ignore_ascii_case(name))
            };
            let alg = Algorithm::ALL.into_iter().find(named);
            NewClientKey::Pem { text: read(given::PUBLIC_PEM, &file)?, alg }
        }
        (None, Some(file), _) => NewClientKey::Jwk { text: read(given::PUBLIC_JWK, &file)? },
        (None, None, Some(uri)) => NewClientKey::JwksUri(uri),
        (None, None, None) => {
            let fix = "give one of --pem-file, --jwk-file, --jwks-uri";
            return Err(Trouble::usage(
                "client_key.none",
                "there is no key",
                "no flag says where it is",
                fix,
            ));
        }
    };
    desk.output.show(&client_keys::add(&desk.gate, &desk.actor, &client, new).await?)?;
    desk.output.next(&format!(
        "Let it use nothing else: gatepost client update {client} --auth-method private_key_jwt"
    ));
    Ok(())
}

#[derive(Serialize)]
struct Removed {
    client_id: String,
    key_id: Uuid,
    deleted: bool,
}

async fn remove(desk: &Desk, client: String, key: Uuid, force: bool) -> Result<(), Trouble> {
    client_keys::remove(&desk.gate, &desk.actor, &client, key, force).await?;
    desk.output.show(&Removed { client_id: client, key_id: key, deleted: true })
}
