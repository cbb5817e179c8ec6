//! This file is where the public keys of clients are added, listed and removed: what `private_key_jwt` is verified with.

use gatepost_core::actor::Actor;
use gatepost_core::clients::jwks_uri::{BadJwksUri, JwksUri};
use gatepost_core::clients::{self, ClientKey, ClientKeyId, KeyConflict, KeyMaterial};
use gatepost_jose::{Algorithm, Jwk, KeyError, PublicKey};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clients::found::{basis, find};
use crate::decision::Decision;
use crate::failure::{Failure, Kind};
use crate::gate::Gate;
use crate::{client_jwks, clock};

/// A public key of a client, or where its keys are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NewClientKey {
    /// The text of a PEM file: `PUBLIC KEY` or `RSA PUBLIC KEY`.
    Pem {
        /// The text.
        text: String,
        /// What an RSA key is used with; RS256 unless it is said.
        alg: Option<Algorithm>,
    },
    /// The text of a JWK.
    Jwk {
        /// The text.
        text: String,
    },
    /// The https address of a key set.
    JwksUri(String),
}

/// A key as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientKeyView {
    /// What lists know it by.
    pub key_id: Uuid,
    /// `jwk` or `jwks_uri`.
    pub kind: &'static str,
    /// The algorithm that the client must sign with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<&'static str>,
    /// What its client calls it in the header of an assertion, if it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// The RFC 7638 thumbprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbprint: Option<String>,
    /// Where the key set is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// When it was added (RFC 3339).
    pub created: String,
}

/// Adds a key to a client; a private one is refused.
pub async fn add(
    gate: &Gate,
    actor: &Actor,
    client: &str,
    new: NewClientKey,
) -> Result<ClientKeyView, Failure> {
    // One who does not exist hears so before an address is looked up for them.
    find(gate, client).await?;
    let material = match new {
        NewClientKey::Pem { text, alg } => KeyMaterial::Jwk(from_pem(&text, alg)?),
        NewClientKey::Jwk { text } => KeyMaterial::Jwk(from_jwk(&text)?),
        NewClientKey::JwksUri(uri) => KeyMaterial::JwksUri(admissible(gate, &uri).await?),
    };
    let key = ClientKey { id: ClientKeyId(gate.entropy.uuid()?), material, created: gate.clock.now() };
    let key = &key;
    gate.settle(actor, move || addition(gate, client, key)).await
}

async fn addition(gate: &Gate, client: &str, key: &ClientKey) -> Result<Decision<ClientKeyView>, Failure> {
    let owner = find(gate, client).await?;
    let change = clients::add_key(&owner, key.clone()).map_err(|conflict| refused(conflict, client))?;
    Ok(Decision { basis: Some(basis(&owner)), changes: vec![change], outcome: ClientKeyView::of(key) })
}

/// The keys of a client.
pub async fn list(gate: &Gate, client: &str) -> Result<Vec<ClientKeyView>, Failure> {
    Ok(find(gate, client).await?.keys.iter().map(ClientKeyView::of).collect())
}

/// Removes a key of a client; the last thing that it can authenticate with only with `force`.
pub async fn remove(gate: &Gate, actor: &Actor, client: &str, key: Uuid, force: bool) -> Result<(), Failure> {
    gate.settle(actor, move || removal(gate, client, key, force)).await
}

async fn removal(gate: &Gate, client: &str, key: Uuid, force: bool) -> Result<Decision<()>, Failure> {
    let owner = find(gate, client).await?;
    let change = clients::remove_key(&owner, ClientKeyId(key), force, gate.clock.now());
    let change = change.map_err(|conflict| match conflict {
        KeyConflict::Unknown => {
            let list = format!("gatepost client key list {client}");
            Failure::not_found("client_key.not_found", "key", &key.to_string(), &list)
        }
        conflict => refused(conflict, client),
    })?;
    Ok(Decision { basis: Some(basis(&owner)), changes: vec![change], outcome: () })
}

/// What kind of key a PEM text holds is told by its bytes; only RSA leaves a choice.
fn from_pem(text: &str, alg: Option<Algorithm>) -> Result<Jwk, Failure> {
    let key = match alg {
        Some(alg) => PublicKey::from_pem(alg, text),
        None => [Algorithm::Es256, Algorithm::EdDsa]
            .into_iter()
            .find_map(|alg| PublicKey::from_pem(alg, text).ok())
            .map_or_else(|| PublicKey::from_pem(Algorithm::Rs256, text), Ok),
    };
    // The thumbprint is our name for it; the client gave it none.
    key.map(|key| Jwk { kid: None, ..key.to_jwk() }).map_err(|error| unusable(&error))
}

fn from_jwk(text: &str) -> Result<Jwk, Failure> {
    let jwk = Jwk::parse(text.as_bytes()).map_err(|error| unusable(&error))?;
    let key = PublicKey::from_jwk(&jwk).map_err(|error| unusable(&error))?;
    Ok(Jwk { kid: jwk.kid, ..key.to_jwk() })
}

fn unusable(error: &KeyError) -> Failure {
    let is_private = match error {
        KeyError::JwkPrivate => true,
        KeyError::WrongPem { found, .. } => found.contains("PRIVATE"),
        KeyError::Encrypted => true,
        _ => false,
    };
    if is_private {
        return Failure::invalid(
            "client_key.private",
            "this is a private key, which nobody but the client may have",
            "let the client keep it and send the public half: openssl pkey -in private.pem -pubout -out public.pem",
        );
    }
    let what = format!("the key can't be used: {error}");
    Failure::invalid(
        "client_key.unusable",
        what,
        "give a public key of RSA 2048 bits or more, P-256 or Ed25519",
    )
}

/// The address, unless it leads to where this server must not fetch from; what does not resolve now may do so later.
async fn admissible(gate: &Gate, text: &str) -> Result<String, Failure> {
    let allowed = gate.client_jwks.allowed();
    let bad = |bad: BadJwksUri| Failure::invalid("client_key.jwks_uri", bad.what, bad.fix);
    let uri = JwksUri::parse(text, allowed).map_err(bad)?;
    if let Ok(resolved) = client_jwks::resolve(&uri).await {
        uri.admit(&resolved, allowed).map_err(bad)?;
    }
    Ok(uri.url().to_string())
}

fn refused(conflict: KeyConflict, client: &str) -> Failure {
    let list = format!("see `gatepost client key list {client}`");
    match conflict {
        KeyConflict::TooMany => Failure::new(
            Kind::Conflict,
            "client_key.too_many",
            "the client has as many keys as it may",
            format!("it has {} keys and addresses", clients::MAX_KEYS),
            format!("remove one first; {list}"),
        ),
        KeyConflict::Same => Failure::new(
            Kind::Conflict,
            "client_key.same",
            "the client has this key already",
            "the same key or address is in its list",
            list,
        ),
        KeyConflict::Last => Failure::new(
            Kind::Conflict,
            "client_key.last",
            "this is the last usable credential of the client",
            "without it the client can't authenticate",
            "add another key first, or repeat with --force",
        ),
        KeyConflict::Unknown => Failure::not_found("client_key.not_found", "key", "", &list),
    }
}

impl ClientKeyView {
    fn of(key: &ClientKey) -> Self {
        let bare = Self {
            key_id: key.id.0,
            kind: "jwks_uri",
            alg: None,
            kid: None,
            thumbprint: None,
            jwks_uri: None,
            created: clock::written(key.created),
        };
        match &key.material {
            KeyMaterial::JwksUri(uri) => Self { jwks_uri: Some(uri.clone()), ..bare },
            KeyMaterial::Jwk(jwk) => {
                let parsed = PublicKey::from_jwk(jwk).ok();
                Self {
                    kind: "jwk",
                    alg: parsed.as_ref().map(|key| key.algorithm().as_str()),
                    kid: jwk.kid.clone(),
                    thumbprint: parsed.map(|key| key.thumbprint()),
                    ..bare
                }
            }
        }
    }
}
