//! This file is where the secrets of clients are made, listed and ended.

use gatepost_core::actor::Actor;
use gatepost_core::clients::{self, SecretConflict, SecretId, StoredSecret};
use gatepost_core::name::Name;
use gatepost_core::secret::{Secret, SecretKind};
use gatepost_core::time::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::clients::{find, kind};
use crate::failure::{Failure, Kind};
use crate::gate::Gate;

/// What is needed to add a secret.
#[derive(Clone, Debug, Default)]
pub struct AddSecret {
    /// What people call it.
    pub label: Option<String>,
    /// From when on it is no longer accepted.
    pub expires: Option<Timestamp>,
}

/// A secret as lists show it: never the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretView {
    /// What lists know it by.
    pub secret_id: Uuid,
    /// What people call it.
    pub label: Option<String>,
    /// `active`, `expired` or `ended`.
    pub state: &'static str,
    /// When it was made (RFC 3339).
    pub created: String,
    /// From when on it is no longer accepted (RFC 3339).
    pub expires: Option<String>,
    /// When it last proved its client; not known yet.
    pub last_used: Option<String>,
}

/// A secret that was just made: the only time that it is seen.
pub struct AddedSecret {
    /// What lists know of it.
    pub view: SecretView,
    /// The secret.
    pub secret: Secret,
}

/// Adds a secret to a client, unless it has as many live ones as it may.
pub async fn add(
    gate: &Gate,
    actor: &Actor,
    client: &str,
    request: AddSecret,
) -> Result<AddedSecret, Failure> {
    let owner = find(gate, client).await?;
    let now = gate.clock.now();
    if request.expires.is_some_and(|at| at <= now) {
        return Err(Failure::invalid(
            "secret.expires",
            "the secret would have expired already",
            "give a later time",
        ));
    }
    let label = request.label.as_deref().map(Name::parse).transpose()?;
    let (secret, stored) = make(gate, kind(&owner.client), label, request.expires)?;
    let view = SecretView::of(&stored, now);

    let change = clients::add_secret(&owner, stored, gate.config.clients.max_secrets, now);
    let change = change.map_err(|conflict| refused(conflict, client))?;
    gate.apply(actor, vec![change]).await?;
    Ok(AddedSecret { view, secret })
}

/// All secrets of a client, ended ones too.
pub async fn list(gate: &Gate, client: &str) -> Result<Vec<SecretView>, Failure> {
    let owner = find(gate, client).await?;
    let now = gate.clock.now();
    Ok(gate.store.secrets(&owner.client.id).await?.iter().map(|secret| SecretView::of(secret, now)).collect())
}

/// Ends a secret now; the last usable one only with `force`.
pub async fn end(gate: &Gate, actor: &Actor, client: &str, secret: Uuid, force: bool) -> Result<(), Failure> {
    let owner = find(gate, client).await?;
    let all = gate.store.secrets(&owner.client.id).await?;
    if all.iter().all(|known| known.id != SecretId(secret)) {
        let list = format!("gatepost secret list {client}");
        return Err(Failure::not_found("secret.not_found", "secret", &secret.to_string(), &list));
    }
    let change = clients::end_secret(&owner, SecretId(secret), force, gate.clock.now());
    let change = change.map_err(|conflict| refused(conflict, client))?;
    gate.apply(actor, vec![change]).await
}

/// A new secret and the one-way form of it.
pub(crate) fn make(
    gate: &Gate,
    kind: SecretKind,
    label: Option<Name>,
    expires: Option<Timestamp>,
) -> Result<(Secret, StoredSecret), Failure> {
    let random = gate.entropy.bytes::<128>()?;
    let secret = Secret::generate(kind, random);
    let secret =
        secret.ok_or_else(|| Failure::internal("secret.generation", "the random bytes made no secret"))?;
    let stored = StoredSecret {
        id: SecretId(gate.entropy.uuid()?),
        label,
        tag: gate.master.peppers.tag(&secret),
        created: gate.clock.now(),
        expires,
        ended: None,
    };
    Ok((secret, stored))
}

fn refused(conflict: SecretConflict, client: &str) -> Failure {
    let list = format!("gatepost secret list {client}");
    match conflict {
        SecretConflict::TooMany => Failure::new(
            Kind::Conflict,
            "secret.too_many",
            "the client has as many live secrets as it may",
            "clients.max_secrets bounds them",
            format!("end one first; see `{list}`"),
        ),
        SecretConflict::Last => Failure::new(
            Kind::Conflict,
            "secret.last",
            "this is the last usable secret of the client",
            "without it the client can't authenticate",
            "add another first with `gatepost secret add`, or repeat with --force",
        ),
        SecretConflict::Over => Failure::new(
            Kind::Conflict,
            "secret.over",
            "the secret has ended or expired already",
            "it is refused as it is",
            format!("see `{list}`"),
        ),
    }
}

impl SecretView {
    fn of(secret: &StoredSecret, now: Timestamp) -> Self {
        Self {
            secret_id: secret.id.0,
            label: secret.label.as_ref().map(|label| label.as_str().to_owned()),
            state: secret.state(now).as_str(),
            created: crate::clock::written(secret.created),
            expires: secret.expires.map(crate::clock::written),
            last_used: None,
        }
    }
}
