//! This file is where the demonstration's data is made: a partner, an API with its scopes, a client.

use gatepost_operations::api_secrets;
use gatepost_operations::apis::{self, CreateApi};
use gatepost_operations::clients::{self, ClientSettings, CreateClient};
use gatepost_operations::core::actor::Actor;
use gatepost_operations::core::secret::Secret;
use gatepost_operations::failure::Failure;
use gatepost_operations::gate::Gate;
use gatepost_operations::partners::{self, CreatePartner};
use gatepost_operations::secrets::AddSecret;

use crate::commands::desk;
use crate::commands::serving::Server;
use crate::ending::Trouble;

/// The API's name.
pub(super) const API: &str = "bookings";

const PARTNER: &str = "Acme Ltd";
const SCOPES: [(&str, &str); 2] =
    [("bookings:create", "Create bookings"), ("bookings:delete", "Delete your own bookings")];

/// What was made, and where it is reached.
pub(super) struct Demo {
    pub(super) issuer: String,
    pub(super) token_url: String,
    pub(super) standard_token_url: String,
    pub(super) api_url: String,
    pub(super) admin_url: String,
    pub(super) partner: String,
    pub(super) client_id: String,
    pub(super) secret: Secret,
    pub(super) scopes: Vec<String>,
    /// What the bookings API asks for the revocation feed with.
    pub(super) api_id: String,
    pub(super) api_secret: Secret,
}

/// Makes the data by the same operations that commands use.
pub(super) async fn make(server: &Server, api_url: String) -> Result<Demo, Trouble> {
    let (gate, actor) = (&*server.gate, desk::actor());
    let (api_id, api_secret) = make_api(gate, &actor, &api_url).await?;
    let partner =
        partners::create(gate, &actor, CreatePartner { name: PARTNER.to_owned(), id: None, expires: None })
            .await?;
    let scopes: Vec<String> = SCOPES.iter().map(|(scope, _)| (*scope).to_owned()).collect();
    let settings = ClientSettings {
        apis: Some(vec![API.to_owned()]),
        scopes: Some(scopes.clone()),
        ..ClientSettings::default()
    };
    let name = "Acme booking system".to_owned();
    let client = CreateClient { partner: partner.slug, name, settings, ..CreateClient::default() };
    let made = clients::create(gate, &actor, client).await?;
    let secret = made.secret.ok_or_else(|| Trouble::internal("dev.secret", "the client got no secret"))?;

    Ok(Demo {
        issuer: gate.issuer.as_str().to_owned(),
        token_url: gate.issuer.at(&gate.config.origin.path),
        standard_token_url: gate.issuer.at("/oauth2/token"),
        api_url,
        admin_url: server.running().admin_url,
        partner: partner.name,
        client_id: made.client.client_id,
        secret,
        scopes,
        api_id,
        api_secret,
    })
}

/// The API with its scopes; its id, and a secret for its guard.
async fn make_api(gate: &Gate, actor: &Actor, api_url: &str) -> Result<(String, Secret), Failure> {
    let api = CreateApi {
        name: API.to_owned(),
        audience: api_url.to_owned(),
        profile: Some("passport".to_owned()),
        ..CreateApi::default()
    };
    let api_id = apis::create(gate, actor, api).await?.api_id.to_string();
    for (scope, description) in SCOPES {
        apis::create_scope(gate, actor, API, scope, description).await?;
    }
    let label = Some("the bookings API's guard".to_owned());
    let added = api_secrets::add(gate, actor, API, AddSecret { label, ..AddSecret::default() }).await?;
    Ok((api_id, added.secret))
}
