//! This file is where clients are administered.

pub(crate) mod found;
mod given;
mod view;

pub use view::ClientView;

use gatepost_core::actor::Actor;
use gatepost_core::change::Change;
use gatepost_core::clients::{self, Client, ClientId, Method, NewClient, SecretState, Term, UserId};
use gatepost_core::name::Name;
use gatepost_core::partners::HasExpired;
use gatepost_core::scope::Scopes;
use gatepost_core::secret::Secret;
use gatepost_store::Page;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decision::Decision;
use crate::expiry::moment::Expires;
use crate::failure::Failure;
use crate::gate::Gate;
use crate::setup::DEFAULT_API;
use crate::{partners, revocations, secrets};
use found::{basis, find, kind};
use given::{auth_method, borrowed, default_scopes, lifetime, longest, named_apis, networks, scopes};

/// What is needed to register a client.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateClient {
    /// Whose it is: UUID or slug.
    pub partner: String,
    /// What people call it.
    pub name: String,
    /// The service user it had elsewhere; a new one is made when left out.
    #[serde(default)]
    pub user_id: Option<Uuid>,
    /// Whether its tokens are marked as test tokens.
    #[serde(default)]
    pub is_test: bool,
    /// The rest, as it may be changed later too.
    #[serde(default)]
    pub settings: ClientSettings,
}

/// What may be changed of a client; what is left out stays as it is, lists are replaced whole.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSettings {
    /// What people call it.
    #[serde(default)]
    pub name: Option<String>,
    /// Its APIs by name; the first is its default. A new client without any gets `default`.
    #[serde(default)]
    pub apis: Option<Vec<String>>,
    /// The scopes it is granted.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// What a request without `scope` gets.
    #[serde(default)]
    pub default_scopes: Option<DefaultScopes>,
    /// How long its tokens live, in seconds.
    #[serde(default)]
    pub lifetime: Option<u32>,
    /// The addresses it may come from, as CIDR.
    #[serde(default)]
    pub allow: Option<Vec<String>>,
    /// The only authentication method it may use; `any` takes the pin away.
    #[serde(default)]
    pub auth_method: Option<String>,
    /// When it shall get no more tokens.
    #[serde(default)]
    pub expires: Option<Expires>,
}

/// What a request without `scope` gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefaultScopes {
    /// All that the client was granted.
    All,
    /// These; none when empty.
    These(Vec<String>),
}

/// A client that was just registered, with its secret: the only time that it is seen.
pub struct CreatedClient {
    /// The client.
    pub client: ClientView,
    /// Its first secret; none where keys alone prove it.
    pub secret: Option<Secret>,
}

/// Registers a client and makes its first secret, unless it may prove itself by keys alone.
pub async fn create(gate: &Gate, actor: &Actor, request: CreateClient) -> Result<CreatedClient, Failure> {
    let partner = partners::found::find(gate, &request.partner).await?;
    let settings = &request.settings;
    let names = settings.apis.clone().unwrap_or_else(|| vec![DEFAULT_API.to_owned()]);
    let apis = named_apis(gate, &names)?;
    let user_id = match request.user_id {
        Some(id) => id,
        None => gate.entropy.uuid()?,
    };

    let new = NewClient {
        partner_id: partner.id,
        user_id: UserId(user_id),
        name: Name::parse(&request.name)?,
        is_test: request.is_test,
        scopes: settings.scopes.as_deref().map_or(Ok(Scopes::NONE), scopes)?,
        default_scopes: settings.default_scopes.as_ref().map_or(Ok(None), default_scopes)?,
        lifetime: lifetime(gate, settings.lifetime)?,
        allow: settings.allow.as_deref().map_or(Ok(Vec::new()), networks)?,
        auth_method: settings.auth_method.as_deref().map_or(Ok(None), auth_method)?,
        expires: settings.expires.map_or(Ok(None), |expires| expires.moment(gate.clock.now()))?,
    };
    let id = ClientId::from_uuid(gate.entropy.uuid()?);
    let client = clients::register(id, new, &borrowed(&apis), longest(gate), gate.clock.now())?;

    let made = client.may_use_secrets().then(|| secrets::make(gate, kind(&client), None, Term::default()));
    let (secret, stored) = made.transpose()?.unzip();
    let view = ClientView::of(&client, gate);
    gate.apply(actor, vec![Change::ClientCreated { client, secret: stored }]).await?;
    Ok(CreatedClient { client: view, secret })
}

/// Clients of one partner or of all, in order of their creation.
pub async fn list(gate: &Gate, partner: Option<&str>) -> Result<Vec<ClientView>, Failure> {
    let partner = match partner {
        Some(name) => Some(partners::found::find(gate, name).await?.id),
        None => None,
    };
    Ok(gate
        .store
        .clients(partner, Page::LONGEST)
        .await?
        .iter()
        .map(|client| ClientView::of(client, gate))
        .collect())
}

/// The client of that id.
pub async fn show(gate: &Gate, client: &str) -> Result<ClientView, Failure> {
    Ok(ClientView::of(&find(gate, client).await?.client, gate))
}

/// Changes what is given. A later expiry lets a client that had expired get tokens again; it revives none.
pub async fn update(
    gate: &Gate,
    actor: &Actor,
    client: &str,
    new: ClientSettings,
) -> Result<ClientView, Failure> {
    let new = &new;
    gate.settle(actor, move || updating(gate, client, new)).await?;
    show(gate, client).await
}

async fn updating(gate: &Gate, client: &str, new: &ClientSettings) -> Result<Decision<()>, Failure> {
    let before = find(gate, client).await?.client;
    let changed = changed(gate, before.clone(), new)?;
    if changed == before {
        return Ok(Decision { basis: None, changes: Vec::new(), outcome: () });
    }
    // Tokens for an API or scope that the client loses end with the loss; those from before an end that has passed stay bad.
    let ends = before.is_revived_as(&changed, gate.clock.now())
        || before.apis.iter().any(|api| !changed.apis.contains(api))
        || before.scopes.first_outside(&changed.scopes).is_some();
    let tokens = ends.then(|| revocations::of_stopped_client(gate, &before));
    let changes = tokens.into_iter().chain([Change::ClientUpdated(changed)]).collect();
    Ok(Decision { basis: None, changes, outcome: () })
}

/// The client with what is given, held to the rules.
fn changed(gate: &Gate, mut changed: Client, new: &ClientSettings) -> Result<Client, Failure> {
    if let Some(name) = &new.name {
        changed.name = Name::parse(name)?;
    }
    if let Some(names) = &new.apis {
        changed.apis = named_apis(gate, names)?.iter().map(|known| known.api.id).collect();
    }
    if let Some(named) = &new.scopes {
        changed.scopes = scopes(named)?;
    }
    if let Some(default) = &new.default_scopes {
        changed.default_scopes = default_scopes(default)?;
    }
    if new.lifetime.is_some() {
        changed.lifetime = lifetime(gate, new.lifetime)?;
    }
    if let Some(allow) = &new.allow {
        changed.allow = networks(allow)?;
    }
    if let Some(method) = &new.auth_method {
        changed.auth_method = auth_method(method)?;
    }
    if let Some(expires) = new.expires {
        changed = changed.expiring(expires.moment(gate.clock.now())?);
    }

    let ring = gate.ring();
    let apis: Vec<_> = ring
        .apis()
        .iter()
        .filter(|known| changed.apis.contains(&known.api.id))
        .map(|known| &**known)
        .collect();
    changed.check(&apis, longest(gate))?;
    Ok(changed)
}

/// What a client holds, held against the only method that it may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The method, or `any`.
    pub method: &'static str,
    /// Live secrets that it may not use.
    pub secrets_of_no_use: usize,
    /// Whether nothing that it holds is of use.
    pub is_shut_out: bool,
}

/// What the client holds.
pub async fn held(gate: &Gate, client: &str) -> Result<Held, Failure> {
    let found = find(gate, client).await?;
    let now = gate.clock.now();
    let live = found.secrets.iter().filter(|secret| secret.state(now) == SecretState::Active).count();
    let may_use_secrets = found.client.may_use_secrets();
    Ok(Held {
        method: found.client.auth_method.map_or("any", Method::as_str),
        secrets_of_no_use: if may_use_secrets { 0 } else { live },
        is_shut_out: !(found.has_usable_key() || may_use_secrets && live > 0),
    })
}

/// Stops the client; nothing happens if it is stopped already.
pub async fn suspend(gate: &Gate, actor: &Actor, client: &str) -> Result<ClientView, Failure> {
    gate.settle(actor, move || suspending(gate, client)).await?;
    show(gate, client).await
}

async fn suspending(gate: &Gate, client: &str) -> Result<Decision<()>, Failure> {
    let found = find(gate, client).await?.client;
    // Suspension ends live tokens too, for good: resuming revives none.
    let change =
        clients::suspend(&found).map(|change| [change, revocations::of_stopped_client(gate, &found)]);
    Ok(Decision { basis: None, changes: change.into_iter().flatten().collect(), outcome: () })
}

/// Lets the client get tokens again; nothing happens if it may already.
pub async fn resume(gate: &Gate, actor: &Actor, client: &str) -> Result<ClientView, Failure> {
    gate.settle(actor, move || resuming(gate, client)).await?;
    show(gate, client).await
}

async fn resuming(gate: &Gate, client: &str) -> Result<Decision<()>, Failure> {
    let found = find(gate, client).await?.client;
    let change = clients::resume(&found, gate.clock.now());
    let change = change.map_err(|HasExpired| Failure::has_expired("client", client))?;
    Ok(Decision { basis: None, changes: change.into_iter().collect(), outcome: () })
}

/// Deletes the client with its secrets, and ends its tokens.
pub async fn delete(gate: &Gate, actor: &Actor, client: &str) -> Result<(), Failure> {
    gate.settle(actor, move || deletion(gate, client)).await
}

/// Decided on the client as it is: the APIs that it has at the end are told that its tokens are.
async fn deletion(gate: &Gate, client: &str) -> Result<Decision<()>, Failure> {
    let found = find(gate, client).await?;
    let tokens = revocations::of_stopped_client(gate, &found.client);
    let basis = Some(basis(&found));
    Ok(Decision { basis, changes: vec![tokens, Change::ClientDeleted(found.client.id)], outcome: () })
}
