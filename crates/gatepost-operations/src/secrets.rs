//! This file is where the secrets of clients are made, listed and ended.

use std::time::Duration;

use gatepost_core::actor::Actor;
use gatepost_core::clients::{self, BadTerm, SecretConflict, SecretId, StoredSecret, Term};
use gatepost_core::name::Name;
use gatepost_core::secret::{Secret, SecretKind};
use gatepost_core::time::Timestamp;
use gatepost_core::usage::SecretUsage;
use serde::Serialize;
use uuid::Uuid;

use crate::clients::found::{basis, find, kind};
use crate::decision::Decision;
use crate::failure::{Failure, Kind};
use crate::gate::Gate;
use crate::revocations;

/// What is needed to add a secret.
#[derive(Clone, Debug, Default)]
pub struct AddSecret {
    /// What people call it.
    pub label: Option<String>,
    /// From when until when it is accepted.
    pub term: Term,
}

/// How the secrets of a client are rolled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rolling {
    /// How long the others are still accepted once the new one is, at most.
    pub overlap: Duration,
    /// From when until when the new one is accepted.
    pub term: Term,
}

/// A secret as lists show it: never the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretView {
    /// What lists know it by.
    pub secret_id: Uuid,
    /// What people call it.
    pub label: Option<String>,
    /// `pending`, `active`, `expired` or `ended`.
    pub state: &'static str,
    /// When it was made (RFC 3339).
    pub created: String,
    /// From when on it is accepted (RFC 3339); at once when it is not said.
    pub not_before: Option<String>,
    /// From when on it is no longer accepted (RFC 3339).
    pub expires: Option<String>,
    /// When an operator ended it (RFC 3339).
    pub ended: Option<String>,
    /// When it last proved its client or API (RFC 3339); known to the second or so.
    pub last_used: Option<String>,
    /// From which address, if that is known.
    pub last_address: Option<String>,
    /// How often in all.
    pub uses: u64,
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
    request.term.check(gate.clock.now()).map_err(bad_term)?;
    let request = &request;
    gate.settle(actor, move || addition(gate, client, request)).await
}

async fn addition(gate: &Gate, client: &str, request: &AddSecret) -> Result<Decision<AddedSecret>, Failure> {
    let owner = find(gate, client).await?;
    let now = gate.clock.now();
    let label = request.label.as_deref().map(Name::parse).transpose()?;
    let (secret, stored) = make(gate, kind(&owner.client), label, request.term)?;
    let view = SecretView::of(&stored, now);
    let change = clients::add_secret(&owner, stored, gate.config.clients.max_secrets, now);
    let changes = vec![change.map_err(|conflict| refused(conflict, client))?];
    Ok(Decision { basis: Some(basis(&owner)), changes, outcome: AddedSecret { view, secret } })
}

/// All secrets of a client, ended ones too.
pub async fn list(gate: &Gate, client: &str) -> Result<Vec<SecretView>, Failure> {
    let owner = find(gate, client).await?;
    let now = gate.clock.now();
    let used = gate.store.secret_usage(&owner.client.id).await?;
    let usage = |secret: &StoredSecret| used.iter().find(|usage| usage.secret == secret.id);
    let secrets = gate.store.secrets(&owner.client.id).await?;
    Ok(secrets.iter().map(|secret| SecretView::of(secret, now).with(usage(secret))).collect())
}

/// Adds a secret and gives every other one an end: at the latest the overlap after the new one is accepted.
pub async fn roll(gate: &Gate, actor: &Actor, client: &str, how: Rolling) -> Result<AddedSecret, Failure> {
    how.term.check(gate.clock.now()).map_err(bad_term)?;
    gate.settle(actor, move || rolling(gate, client, how)).await
}

async fn rolling(gate: &Gate, client: &str, how: Rolling) -> Result<Decision<AddedSecret>, Failure> {
    let owner = find(gate, client).await?;
    let now = gate.clock.now();
    let (secret, stored) = make(gate, kind(&owner.client), None, how.term)?;
    let view = SecretView::of(&stored, now);
    let changes = clients::roll_secret(&owner, stored, how.overlap, gate.config.clients.max_secrets, now);
    let changes = changes.map_err(|conflict| refused(conflict, client))?;
    Ok(Decision { basis: Some(basis(&owner)), changes, outcome: AddedSecret { view, secret } })
}

/// A secret, if it proved its client within `lately` as far as that is written down, which is a moment later.
pub async fn used_lately(
    gate: &Gate,
    client: &str,
    secret: Uuid,
    lately: Duration,
) -> Result<Option<SecretView>, Failure> {
    let known = list(gate, client).await?.into_iter().find(|known| known.secret_id == secret);
    let owner = find(gate, client).await?;
    let used = gate.store.secret_usage(&owner.client.id).await?;
    Ok(known.filter(|_| was_used_since(&used, secret, gate.clock.now().before(lately))))
}

/// Of the secrets that are accepted now, the one that proved its client last, if that was within `lately`.
pub async fn last_used_lately(
    gate: &Gate,
    client: &str,
    lately: Duration,
) -> Result<Option<SecretView>, Failure> {
    let owner = find(gate, client).await?;
    let mut used = gate.store.secret_usage(&owner.client.id).await?;
    let since = gate.clock.now().before(lately);
    let mut active = list(gate, client).await?;
    active.retain(|known| known.state == "active");
    used.retain(|usage| {
        usage.at >= since && active.iter().any(|known| SecretId(known.secret_id) == usage.secret)
    });
    let last = used.iter().max_by_key(|usage| usage.at);
    Ok(last.and_then(|last| active.into_iter().find(|known| SecretId(known.secret_id) == last.secret)))
}

pub(crate) fn was_used_since(used: &[SecretUsage], secret: Uuid, since: Timestamp) -> bool {
    used.iter().any(|usage| usage.secret == SecretId(secret) && usage.at >= since)
}

/// How a secret is ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ending {
    /// Also the last usable one.
    pub force: bool,
    /// With all tokens that the client has got so far: no token tells which secret it came from.
    pub kill_tokens: bool,
}

/// Ends a secret now.
pub async fn end(gate: &Gate, actor: &Actor, client: &str, secret: Uuid, how: Ending) -> Result<(), Failure> {
    gate.settle(actor, move || ending(gate, client, secret, how)).await
}

async fn ending(gate: &Gate, client: &str, secret: Uuid, how: Ending) -> Result<Decision<()>, Failure> {
    let owner = find(gate, client).await?;
    let all = gate.store.secrets(&owner.client.id).await?;
    if all.iter().all(|known| known.id != SecretId(secret)) {
        let list = format!("gatepost secret list {client}");
        return Err(Failure::not_found("secret.not_found", "secret", &secret.to_string(), &list));
    }
    let change = clients::end_secret(&owner, SecretId(secret), how.force, gate.clock.now());
    let change = change.map_err(|conflict| refused(conflict, client))?;
    let tokens = how.kill_tokens.then(|| revocations::of_stopped_client(gate, &owner.client));
    let changes = std::iter::once(change).chain(tokens).collect();
    Ok(Decision { basis: Some(basis(&owner)), changes, outcome: () })
}

/// A new secret and the one-way form of it.
pub(crate) fn make(
    gate: &Gate,
    kind: SecretKind,
    label: Option<Name>,
    term: Term,
) -> Result<(Secret, StoredSecret), Failure> {
    let random = gate.entropy.bytes::<128>()?;
    let secret = Secret::generate(kind, random);
    let secret =
        secret.ok_or_else(|| Failure::internal("secret.generation", "the random bytes made no secret"))?;
    let stored = StoredSecret {
        id: SecretId(gate.entropy.uuid()?),
        label,
        tag: gate.master().peppers.tag(&secret),
        created: gate.clock.now(),
        not_before: term.not_before,
        expires: term.expires,
        ended: None,
    };
    Ok((secret, stored))
}

pub(crate) fn bad_term(bad: BadTerm) -> Failure {
    let (what, fix) = match bad {
        BadTerm::Over => ("the secret would have expired already", "give a later time with --expires"),
        BadTerm::Never => {
            ("the secret would expire before it is accepted", "give a time after --not-before with --expires")
        }
    };
    Failure::invalid("secret.expires", what, fix)
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
        SecretConflict::KeysOnly => Failure::new(
            Kind::Conflict,
            "secret.keys_only",
            "a secret would be of no use to the client",
            "it is pinned to private_key_jwt, so it proves itself by keys alone",
            format!(
                "add a key; or first let it use secrets: `gatepost client update {client} --auth-method any`"
            ),
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
    pub(crate) fn of(secret: &StoredSecret, now: Timestamp) -> Self {
        Self {
            secret_id: secret.id.0,
            label: secret.label.as_ref().map(|label| label.as_str().to_owned()),
            state: secret.state(now).as_str(),
            created: crate::clock::written(secret.created),
            not_before: secret.not_before.map(crate::clock::written),
            expires: secret.expires.map(crate::clock::written),
            ended: secret.ended.map(crate::clock::written),
            last_used: None,
            last_address: None,
            uses: 0,
        }
    }

    pub(crate) fn with(self, usage: Option<&SecretUsage>) -> Self {
        let Some(usage) = usage else {
            return self;
        };
        Self {
            last_used: Some(crate::clock::written(usage.at)),
            last_address: usage.address.map(|address| address.to_string()),
            uses: usage.count,
            ..self
        }
    }
}
