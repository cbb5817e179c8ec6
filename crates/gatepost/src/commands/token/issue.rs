//! This file is where a token is got at the command line, as a client gets it at the standard door.

use std::net::{IpAddr, Ipv4Addr};

use gatepost_operations::clients;
use gatepost_operations::core::clients::{Credentials, Method, Presented};
use gatepost_operations::core::params::{Door, Params, Value};
use gatepost_operations::core::secret::Secret;
use gatepost_operations::failure::Failure;
use gatepost_operations::tokens::{self, IssuedToken, TokenRequest};
use serde::Serialize;

use crate::commands::desk::Desk;
use crate::ending::Trouble;

/// What is asked for.
pub(super) struct Wanted {
    pub(super) client: String,
    pub(super) scopes: Vec<String>,
    pub(super) resource: Option<String>,
    pub(super) secret: Secret,
}

/// The standard door's answer (RFC 6749 section 5.1).
#[derive(Serialize)]
struct Answer<'a> {
    token_type: &'static str,
    expires_in: u32,
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

/// Gets a token and prints it.
pub(super) async fn run(desk: &Desk, wanted: Wanted) -> Result<(), Trouble> {
    // A client that there is not is told as such: the operator, unlike a caller, may know.
    let client = clients::show(&desk.gate, &wanted.client).await?;
    // What this command has is a secret: it never passes for the proof of a key.
    let pinned = client.auth_method.and_then(Method::parse).filter(|method| *method != Method::PrivateKeyJwt);
    let request_id = desk.gate.entropy.uuid().map_err(Failure::from)?.to_string();
    let request = TokenRequest {
        door: Door::Standard,
        params: Ok(params(&wanted)),
        presented: Ok(presented(wanted, pinned.unwrap_or(Method::SecretBasic))),
        address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        request_id: request_id.into(),
    };
    answer(desk, &tokens::issue(&desk.gate, request).await?)
}

fn params(wanted: &Wanted) -> Params {
    let mut params = Params::default();
    params.insert("grant_type".to_owned(), Value::Text("client_credentials".to_owned()));
    if !wanted.scopes.is_empty() {
        params.insert("scope".to_owned(), Value::Text(wanted.scopes.join(" ")));
    }
    if let Some(resource) = &wanted.resource {
        params.insert("resource".to_owned(), Value::Text(resource.clone()));
    }
    params
}

fn presented(wanted: Wanted, method: Method) -> Presented {
    let credentials = Credentials { client_id: wanted.client, secret: wanted.secret };
    Presented::Secret { method, candidates: vec![credentials] }
}

fn answer(desk: &Desk, issued: &IssuedToken) -> Result<(), Trouble> {
    if desk.output.is_json() {
        return desk.output.document(&Answer {
            token_type: "Bearer",
            expires_in: issued.expires_in,
            access_token: &issued.access_token,
            scope: issued.scopes_differ.then(|| issued.scopes.joined()),
        });
    }
    let scopes = if issued.scopes.is_empty() { "no scopes".to_owned() } else { issued.scopes.joined() };
    desk.output.note(&format!("A token of {} s with {scopes}:", issued.expires_in));
    desk.output.text(&format!("{}\n", issued.access_token))
}
