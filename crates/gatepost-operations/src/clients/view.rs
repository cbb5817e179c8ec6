//! This file is where it stands how clients are shown.

use gatepost_core::clients::{Client, Method};
use gatepost_core::scope::Scopes;
use serde::Serialize;
use uuid::Uuid;

use crate::gate::Gate;

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
    /// `active`, `suspended` or `expired`.
    pub status: &'static str,
    /// From when on it gets no more tokens (RFC 3339).
    pub expires: Option<String>,
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
            status: client.standing(gate.clock.now()).as_str(),
            expires: client.expires.map(crate::clock::written),
            lifetime: client.lifetime.seconds(),
            allow: client.allow.iter().map(ToString::to_string).collect(),
            auth_method: client.auth_method.map(Method::as_str),
            created: crate::clock::written(client.created),
        }
    }
}
