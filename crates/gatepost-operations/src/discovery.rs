//! This file is where the facts that the server publishes about itself are gathered (RFC 8414).

use gatepost_core::clients::Method;
use gatepost_core::grants::GrantType;
use gatepost_jose::{Algorithm, Jwk};
use serde::Serialize;

use crate::gate::Gate;
use crate::service;

/// The path of the standard door.
pub const TOKEN_ENDPOINT: &str = "/oauth2/token";

/// The authorization server's metadata (RFC 8414 section 2).
#[derive(Clone, Debug, Serialize)]
pub struct Metadata {
    /// Who issues the tokens.
    pub issuer: String,
    /// The standard door.
    pub token_endpoint: String,
    /// The keys of all APIs whose tokens name their key.
    pub jwks_uri: String,
    /// The scopes of all APIs.
    pub scopes_supported: Vec<String>,
    /// None: nobody is redirected here.
    pub response_types_supported: [&'static str; 0],
    /// The grants.
    pub grant_types_supported: Vec<&'static str>,
    /// How clients may authenticate.
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// What they may sign assertions with.
    pub token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// Where an API asks about its tokens (RFC 7662).
    pub introspection_endpoint: String,
    /// How it authenticates there.
    pub introspection_endpoint_auth_methods_supported: [&'static str; 1],
    /// What signed answers are signed with (RFC 9701).
    pub introspection_signing_alg_values_supported: [&'static str; 1],
    /// Where a client gives a token back (RFC 7009).
    pub revocation_endpoint: String,
    /// How it authenticates there, which is as at the standard door.
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    /// What its assertions may be signed with.
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// The page that a partner's developer reads.
    pub service_documentation: String,
    /// The key that signs revocation feeds and introspection answers; it is in no key set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gatepost_service_jwk: Option<Jwk>,
}

/// The metadata as they are now; always of the configured issuer, whatever a request says.
pub fn metadata(gate: &Gate) -> Metadata {
    let ring = gate.ring();
    let mut scopes: Vec<_> = ring
        .apis()
        .iter()
        .flat_map(|api| api.scopes.iter().map(|scope| scope.name.as_str().to_owned()))
        .collect();
    scopes.sort();
    scopes.dedup();
    Metadata {
        issuer: gate.issuer.as_str().to_owned(),
        token_endpoint: gate.issuer.at(TOKEN_ENDPOINT),
        jwks_uri: gate.issuer.at("/.well-known/jwks.json"),
        scopes_supported: scopes,
        response_types_supported: [],
        grant_types_supported: GrantType::ALL.map(GrantType::as_str).to_vec(),
        token_endpoint_auth_methods_supported: Method::ALL.map(Method::as_str).to_vec(),
        token_endpoint_auth_signing_alg_values_supported: Algorithm::ALL.map(Algorithm::as_str).to_vec(),
        introspection_endpoint: gate.issuer.at("/oauth2/introspect"),
        introspection_endpoint_auth_methods_supported: [Method::SecretBasic.as_str()],
        introspection_signing_alg_values_supported: [service::ALGORITHM.as_str()],
        revocation_endpoint: gate.issuer.at("/oauth2/revoke"),
        revocation_endpoint_auth_methods_supported: Method::ALL.map(Method::as_str).to_vec(),
        revocation_endpoint_auth_signing_alg_values_supported: Algorithm::ALL.map(Algorithm::as_str).to_vec(),
        service_documentation: gate.issuer.at("/docs"),
        gatepost_service_jwk: service::public_key(gate),
    }
}
