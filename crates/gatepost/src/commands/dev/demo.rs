//! This file is where the demonstration's data is made: a partner, an API with its scopes, a client.

use gatepost_operations::apis::{self, CreateApi};
use gatepost_operations::clients::{self, ClientSettings, CreateClient};
use gatepost_operations::core::secret::Secret;
use gatepost_operations::partners::{self, CreatePartner};

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
}

/// Makes the data by the same operations that commands use.
pub(super) async fn make(server: &Server, api_url: String) -> Result<Demo, Trouble> {
    let (gate, actor) = (&*server.gate, desk::actor());
    let api = CreateApi {
        name: API.to_owned(),
        audience: api_url.clone(),
        profile: Some("passport".to_owned()),
        ..CreateApi::default()
    };
    apis::create(gate, &actor, api).await?;
    for (scope, description) in SCOPES {
        apis::create_scope(gate, &actor, API, scope, description).await?;
    }

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
    })
}
