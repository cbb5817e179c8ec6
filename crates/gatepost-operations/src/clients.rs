//! This file is where clients are administered.

use std::sync::Arc;

use gatepost_core::actor::Actor;
use gatepost_core::apis::ApiWithScopes;
use gatepost_core::change::{Basis, Change};
use gatepost_core::clients::{self, Client, ClientId, ClientRecord, Method, NewClient, UserId};
use gatepost_core::name::Name;
use gatepost_core::partners::Status;
use gatepost_core::scope::{Scope, Scopes};
use gatepost_core::secret::{Secret, SecretKind};
use gatepost_core::time::Lifetime;
use gatepost_store::Page;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::failure::Failure;
use crate::gate::Gate;
use crate::setup::DEFAULT_API;
use crate::{apis, partners, revocations, secrets};

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

/// A client as lists and answers show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientView {
    /// What it authenticates as.
    pub client_id: String,
    /// Whose it is.
    pub partner_id: Uuid,
    /// The service user it acts as.
    pub user_id: Uuid,
    /// What people call it.
    pub name: String,
    /// Whether its tokens are marked as test tokens.
    pub is_test: bool,
    /// Its APIs by name; the first is its default.
    pub apis: Vec<String>,
    /// The scopes it was granted.
    pub scopes: Vec<String>,
    /// What a request without `scope` gets.
    pub default_scopes: Vec<String>,
    /// `active` or `suspended`.
    pub status: &'static str,
    /// How long its tokens live, in seconds.
    pub lifetime: u32,
    /// The addresses it may come from; any when empty.
    pub allow: Vec<String>,
    /// The only authentication method it may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_method: Option<&'static str>,
    /// When it was registered (RFC 3339).
    pub created: String,
}

/// A client that was just registered, with its secret: the only time that it is seen.
pub struct CreatedClient {
    /// The client.
    pub client: ClientView,
    /// Its first secret.
    pub secret: Secret,
}

/// Registers a client and makes its first secret.
pub async fn create(gate: &Gate, actor: &Actor, request: CreateClient) -> Result<CreatedClient, Failure> {
    let partner = partners::find(gate, &request.partner).await?;
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
    };
    let id = ClientId::from_uuid(gate.entropy.uuid()?);
    let client = clients::register(id, new, &borrowed(&apis), longest(gate), gate.clock.now())?;

    let (secret, stored) = secrets::make(gate, kind(&client), None, None)?;
    let view = ClientView::of(&client, gate);
    gate.apply(actor, vec![Change::ClientCreated { client, secret: Some(stored) }]).await?;
    Ok(CreatedClient { client: view, secret })
}

/// Clients of one partner or of all, in order of their creation.
pub async fn list(gate: &Gate, partner: Option<&str>) -> Result<Vec<ClientView>, Failure> {
    let partner = match partner {
        Some(name) => Some(partners::find(gate, name).await?.id),
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

/// Changes what is given.
pub async fn update(
    gate: &Gate,
    actor: &Actor,
    client: &str,
    new: ClientSettings,
) -> Result<ClientView, Failure> {
    let before = find(gate, client).await?.client;
    let mut changed = before.clone();
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

    let ring = gate.ring();
    let apis: Vec<_> = ring
        .apis()
        .iter()
        .filter(|known| changed.apis.contains(&known.api.id))
        .map(|known| &**known)
        .collect();
    changed.check(&apis, longest(gate))?;
    // Tokens for an API or scope that the client loses end with the loss.
    let loses = before.apis.iter().any(|api| !changed.apis.contains(api))
        || before.scopes.first_outside(&changed.scopes).is_some();
    let tokens = loses.then(|| revocations::of_client(gate, &before));
    gate.apply(actor, tokens.into_iter().chain([Change::ClientUpdated(changed)]).collect()).await?;
    show(gate, client).await
}

/// Stops the client; nothing happens if it is stopped already.
pub async fn suspend(gate: &Gate, actor: &Actor, client: &str) -> Result<ClientView, Failure> {
    set_status(gate, actor, client, Status::Suspended).await
}

/// Lets the client get tokens again; nothing happens if it may already.
pub async fn resume(gate: &Gate, actor: &Actor, client: &str) -> Result<ClientView, Failure> {
    set_status(gate, actor, client, Status::Active).await
}

/// Deletes the client with its secrets.
pub async fn delete(gate: &Gate, actor: &Actor, client: &str) -> Result<(), Failure> {
    let found = find(gate, client).await?;
    let tokens = revocations::of_stopped_client(gate, &found.client);
    gate.apply(actor, vec![tokens, Change::ClientDeleted(found.client.id)]).await
}

async fn set_status(gate: &Gate, actor: &Actor, client: &str, status: Status) -> Result<ClientView, Failure> {
    let found = find(gate, client).await?;
    let mut changes: Vec<_> = clients::with_status(&found.client, status).into_iter().collect();
    // Suspension ends live tokens too, for good: resuming revives none.
    if status == Status::Suspended && !changes.is_empty() {
        changes.push(revocations::of_stopped_client(gate, &found.client));
    }
    gate.apply(actor, changes).await?;
    show(gate, client).await
}

pub(crate) async fn find(gate: &Gate, client: &str) -> Result<ClientRecord, Failure> {
    let found = match ClientId::parse(client) {
        Some(id) => gate.store.client_record(&id).await?,
        None => None,
    };
    found.ok_or_else(|| Failure::not_found("client.not_found", "client", client, "gatepost client list"))
}

/// What the bounds on a client's secrets and keys are decided on.
pub(crate) fn basis(found: &ClientRecord) -> Basis {
    Basis::Client(found.client.id.clone(), found.client.version)
}

pub(crate) fn kind(client: &Client) -> SecretKind {
    if client.is_test { SecretKind::Test } else { SecretKind::Live }
}

fn named_apis(gate: &Gate, names: &[String]) -> Result<Vec<Arc<ApiWithScopes>>, Failure> {
    let mut found: Vec<Arc<ApiWithScopes>> = Vec::new();
    for name in names {
        let api = apis::find(gate, name)?;
        if found.iter().all(|known| known.api.id != api.api.id) {
            found.push(api);
        }
    }
    Ok(found)
}

fn borrowed(apis: &[Arc<ApiWithScopes>]) -> Vec<&ApiWithScopes> {
    apis.iter().map(|api| &**api).collect()
}

fn scopes(names: &[String]) -> Result<Scopes, Failure> {
    Ok(names.iter().map(|name| Scope::parse(name)).collect::<Result<_, _>>()?)
}

fn default_scopes(wanted: &DefaultScopes) -> Result<Option<Scopes>, Failure> {
    match wanted {
        DefaultScopes::All => Ok(None),
        DefaultScopes::These(names) => scopes(names).map(Some),
    }
}

fn lifetime(gate: &Gate, seconds: Option<u32>) -> Result<Lifetime, Failure> {
    let seconds = match seconds {
        Some(seconds) => seconds,
        None => u32::try_from(gate.config.tokens.lifetime.as_secs()).unwrap_or(u32::MAX),
    };
    Lifetime::from_seconds(seconds).ok_or_else(|| {
        Failure::invalid(
            "client.lifetime",
            "a lifetime of 0 seconds makes no token",
            "give 60 seconds or more",
        )
    })
}

fn longest(gate: &Gate) -> Lifetime {
    let seconds = u32::try_from(gate.config.tokens.max_lifetime.as_secs()).unwrap_or(u32::MAX);
    Lifetime::from_seconds(seconds).unwrap_or(Lifetime::HOUR)
}

fn networks(texts: &[String]) -> Result<Vec<IpNet>, Failure> {
    let parse = |text: &String| {
        let network = text
            .parse::<IpNet>()
            .or_else(|_| text.parse().map(|address: std::net::IpAddr| IpNet::from(address)));
        network.map_err(|_| {
            let what = format!("`{}` is no network", text.escape_debug());
            Failure::invalid("client.allow", what, "write it like 203.0.113.0/24 or 2001:db8::/32")
        })
    };
    texts.iter().map(parse).collect()
}

fn auth_method(name: &str) -> Result<Option<Method>, Failure> {
    if name == "any" {
        return Ok(None);
    }
    Method::parse(name).map(Some).ok_or_else(|| {
        let what = format!("there is no authentication method `{}`", name.escape_debug());
        let known = Method::ALL.map(Method::as_str).join(", ");
        Failure::invalid("client.auth_method", what, format!("take one of {known}, or `any`"))
    })
}

impl ClientView {
    pub(crate) fn of(client: &Client, gate: &Gate) -> Self {
        let ring = gate.ring();
        let name = |id| {
            ring.apis()
                .iter()
                .find(|known| known.api.id == id)
                .map(|known| known.api.name.as_str().to_owned())
        };
        let texts = |scopes: &Scopes| scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
        Self {
            client_id: client.id.to_string(),
            partner_id: client.partner_id.0,
            user_id: client.user_id.0,
            name: client.name.as_str().to_owned(),
            is_test: client.is_test,
            apis: client.apis.iter().filter_map(|id| name(*id)).collect(),
            scopes: texts(&client.scopes),
            default_scopes: texts(client.scopes_by_default()),
            status: client.status.as_str(),
            lifetime: client.lifetime.seconds(),
            allow: client.allow.iter().map(ToString::to_string).collect(),
            auth_method: client.auth_method.map(Method::as_str),
            created: crate::clock::written(client.created),
        }
    }
}
