//! This file is where the secrets of APIs are made, listed and ended, and where an API proves who it is.

use std::net::IpAddr;
use std::time::Duration;

use gatepost_core::actor::Actor;
use gatepost_core::apis::{ApiAccess, ApiId, ApiWithScopes};
use gatepost_core::change::{Basis, Change};
use gatepost_core::clients::{SecretId, SecretState, StoredSecret};
use gatepost_core::name::Name;
use gatepost_core::refusal::{Code, Refusal};
use gatepost_core::secret::{Secret, SecretForm, SecretKind};
use uuid::Uuid;

use crate::apis::found::find;
use crate::decision::Decision;
use crate::failure::{Failure, Kind};
use crate::gate::Gate;
use crate::limits;
use crate::secrets::{AddSecret, AddedSecret, SecretView, bad_term, make, was_used_since};

/// Adds a secret to an API, unless it has as many live ones as a client may.
pub async fn add(gate: &Gate, actor: &Actor, api: &str, request: AddSecret) -> Result<AddedSecret, Failure> {
    request.term.check(gate.clock.now()).map_err(bad_term)?;
    let request = &request;
    gate.settle(actor, move || addition(gate, api, request)).await
}

async fn addition(gate: &Gate, api: &str, request: &AddSecret) -> Result<Decision<AddedSecret>, Failure> {
    let found = find(gate, api)?;
    let now = gate.clock.now();
    let live = gate.store.api_secrets(found.api.id).await?;
    let live = live.iter().filter(|secret| secret.is_live(now)).count();
    if live >= gate.config.clients.max_secrets {
        let fix = format!("end one first; see `gatepost api secret list {api}`");
        let what = "the API has as many live secrets as it may";
        return Err(Failure::new(
            Kind::Conflict,
            "secret.too_many",
            what,
            "clients.max_secrets bounds them",
            fix,
        ));
    }
    let label = request.label.as_deref().map(Name::parse).transpose()?;
    let (secret, stored) = make(gate, SecretKind::Api, label, request.term)?;
    let view = SecretView::of(&stored, now);
    let changes = vec![Change::ApiSecretAdded { api: found.api.id, secret: stored }];
    Ok(Decision { basis: Some(basis(&found)), changes, outcome: AddedSecret { view, secret } })
}

/// All secrets of an API, ended ones too.
pub async fn list(gate: &Gate, api: &str) -> Result<Vec<SecretView>, Failure> {
    let found = find(gate, api)?;
    let now = gate.clock.now();
    let used = gate.store.api_secret_usage(found.api.id).await?;
    let usage = |secret: &StoredSecret| used.iter().find(|usage| usage.secret == secret.id);
    let secrets = gate.store.api_secrets(found.api.id).await?;
    Ok(secrets.iter().map(|secret| SecretView::of(secret, now).with(usage(secret))).collect())
}

/// A secret, if it proved its API within `lately` as far as that is written down, which is a moment later.
pub async fn used_lately(
    gate: &Gate,
    api: &str,
    secret: Uuid,
    lately: Duration,
) -> Result<Option<SecretView>, Failure> {
    let known = list(gate, api).await?.into_iter().find(|known| known.secret_id == secret);
    let used = gate.store.api_secret_usage(find(gate, api)?.api.id).await?;
    Ok(known.filter(|_| was_used_since(&used, secret, gate.clock.now().before(lately))))
}

/// Ends a secret of an API now; the last usable one only with `force`.
pub async fn end(gate: &Gate, actor: &Actor, api: &str, secret: Uuid, force: bool) -> Result<(), Failure> {
    gate.settle(actor, move || ending(gate, api, secret, force)).await
}

async fn ending(gate: &Gate, api: &str, secret: Uuid, force: bool) -> Result<Decision<()>, Failure> {
    let found = find(gate, api)?;
    let now = gate.clock.now();
    let all = gate.store.api_secrets(found.api.id).await?;
    let is_it = |known: &&StoredSecret| known.id == SecretId(secret);
    let usable: Vec<_> = all.iter().filter(|known| known.state(now) == SecretState::Active).collect();
    let list = format!("gatepost api secret list {api}");
    if !all.iter().any(|known| is_it(&known) && known.is_live(now)) {
        return Err(Failure::not_found("secret.not_found", "usable secret", &secret.to_string(), &list));
    }
    if usable.len() == 1 && usable.iter().any(is_it) && !force {
        let what = "this is the last usable secret of the API";
        let why = "without it introspection and the revocation feed refuse the API";
        return Err(Failure::new(
            Kind::Conflict,
            "secret.last",
            what,
            why,
            "add another first, or repeat with --force",
        ));
    }
    let changes = vec![Change::ApiSecretEnded { api: found.api.id, secret: SecretId(secret), at: now }];
    Ok(Decision { basis: Some(basis(&found)), changes, outcome: () })
}

/// What the bounds on an API's secrets are decided on.
fn basis(found: &ApiWithScopes) -> Basis {
    Basis::Api(found.api.id, found.api.version)
}

/// Proof that an API showed who it is; only [`authenticate`] makes it.
#[derive(Clone, Copy, Debug)]
pub struct AuthenticatedApi {
    api: ApiId,
    secret: SecretId,
}

impl AuthenticatedApi {
    /// Which API.
    pub fn id(self) -> ApiId {
        self.api
    }
}

/// Holds what a request brought against what is known of its API; failures from one address are counted.
pub fn prove(
    gate: &Gate,
    api_id: &str,
    secret: &Secret,
    address: Option<IpAddr>,
) -> Result<AuthenticatedApi, Refusal> {
    authenticate(gate, api_id, secret).ok_or_else(|| {
        let refusal = Code::InvalidClient.because("not the id and secret of an API");
        limits::failed(gate, refusal, &[api_id], address, gate.clock.now())
    })
}

/// Holds an API's id and secret against what is known, from memory; the same steps whatever is found.
pub fn authenticate(gate: &Gate, api_id: &str, secret: &Secret) -> Option<AuthenticatedApi> {
    if secret.form() == SecretForm::Mistyped {
        return None;
    }
    let ring = gate.ring();
    let access = ApiId::parse(api_id).and_then(|id| ring.access(id));
    let secrets = access.map_or(&[][..], |access: &ApiAccess| &access.secrets);
    let (master, now) = (gate.master(), gate.clock.now());
    let tag = master.peppers.tag(secret);

    let proven = secrets.iter().fold(None, |proven, known| {
        let older = master.peppers.tag_under(&known.tag.pepper, secret);
        let same = known.tag.matches(&tag) || older.is_some_and(|older| known.tag.matches(&older));
        if same & (known.state(now) == SecretState::Active) { Some(known.id) } else { proven }
    });
    let (access, secret) = access.zip(proven)?;
    Some(AuthenticatedApi { api: access.api, secret })
}

/// Counts that the API proved itself, from that address.
pub fn count(gate: &Gate, who: AuthenticatedApi, address: Option<IpAddr>) {
    gate.usage.asked(who.secret, address, gate.clock.now());
}
