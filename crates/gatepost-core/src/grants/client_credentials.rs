//! This file is where the client credentials grant is decided (RFC 6749 section 4.4, RFC 8707 section 2).

use std::sync::Arc;

use super::name::GrantType;
use super::{Grant, Wish};
use crate::apis::ApiWithScopes;
use crate::apis::profile::Profile;
use crate::clients::{AuthenticatedClient, Client, ClientRecord, UngrantedScope};
use crate::ids::ApiId;
use crate::params::{Door, Params, Value};
use crate::refusal::{Code, Refusal};
use crate::scope::{BadScope, Scope, Scopes};
use crate::time::{Lifetime, Timestamp};

/// Decides what the client gets: its right to the grant, then the API, then the scopes.
pub(super) fn decide(
    who: &AuthenticatedClient,
    Wish { door, params, grant: _ }: Wish<'_>,
    apis: &[Arc<ApiWithScopes>],
    now: Timestamp,
) -> Result<Grant, Refusal> {
    let client = &who.record().client;
    if !client.grant_types.contains(&GrantType::ClientCredentials) {
        return Err(Code::UnauthorizedClient.because("the client may not use client_credentials"));
    }

    let api = target(client, door, params, apis)?;
    if would_pass_for_a_user(client, &api) {
        return Err(Code::UnauthorizedClient.because("an integer client id as `sub` could pass for a user"));
    }
    let asked = asked_scopes(door, params)?;
    let scopes = granted_scopes(client, &api, asked.as_ref())?;

    let scopes_differ = asked.as_ref().unwrap_or(&Scopes::NONE) != &scopes;
    let lifetime = lifetime(who.record(), now)?;
    Ok(Grant { client: Arc::clone(who.record()), api, scopes, scopes_differ, lifetime })
}

/// As long as the client's tokens live, but not beyond the client or its partner: verifiers that ask nobody obey too.
fn lifetime(record: &ClientRecord, now: Timestamp) -> Result<Lifetime, Refusal> {
    let own = record.client.lifetime;
    let Some(expires) = record.expires() else {
        return Ok(own);
    };
    let left = u32::try_from(expires.since(now).as_secs()).unwrap_or(u32::MAX);
    let left = Lifetime::from_seconds(left);
    let left = left.ok_or_else(|| Code::InvalidClient.because("the client expires within a second"))?;
    Ok(own.min(left))
}

/// The API that the token is for: the client's default, or at the standard door the one that `resource` names.
fn target(
    client: &Client,
    door: Door,
    params: &Params,
    apis: &[Arc<ApiWithScopes>],
) -> Result<Arc<ApiWithScopes>, Refusal> {
    let known = |id: &ApiId| apis.iter().find(|known| known.api.id == *id);
    let resource = match door {
        Door::Origin => None,
        Door::Standard if params.has_repeated_resource() => {
            return Err(Code::InvalidTarget.because("more than one resource"));
        }
        Door::Standard => params.text("resource")?,
    };

    let Some(resource) = resource else {
        let default = client.apis.iter().find_map(known);
        return default
            .map(Arc::clone)
            .ok_or_else(|| Code::UnauthorizedClient.because("the client has no API"));
    };
    let mut own = client.apis.iter().filter_map(known);
    let named = own.find(|known| known.api.audience.as_str() == resource);
    named.map(Arc::clone).ok_or_else(|| Code::InvalidTarget.because("no API of the client has this audience"))
}

fn would_pass_for_a_user(client: &Client, api: &ApiWithScopes) -> bool {
    match &api.api.profile {
        Profile::Passport(options) => {
            options.puts_client_into_sub() && client.id.is_integer() && !options.allow_integer_sub
        }
        Profile::Rfc9068 => false,
    }
}

/// The scopes that the request names, `None` when it names none.
fn asked_scopes(door: Door, params: &Params) -> Result<Option<Scopes>, Refusal> {
    let asked = match (params.find("scope"), door) {
        (None, _) => return Ok(None),
        (Some(Value::Text(text)), _) if text.bytes().all(|byte| byte == b' ') => return Ok(None),
        (Some(Value::Text(text)), _) => Scopes::parse(text),
        (Some(Value::List(parts)), Door::Origin) => parts.iter().map(|part| Scope::parse(part)).collect(),
        (Some(Value::List(_) | Value::Number(_) | Value::Null | Value::Other), _) => {
            return Err(Code::InvalidRequest.because("`scope` is not text").about("scope"));
        }
    };
    asked.map(Some).map_err(|BadScope(scope)| Code::InvalidScope.because("a scope is malformed").about(scope))
}

fn granted_scopes(client: &Client, api: &ApiWithScopes, asked: Option<&Scopes>) -> Result<Scopes, Refusal> {
    let known = api.scope_names();
    let Some(asked) = asked else {
        return Ok(client.scopes_by_default().within(&known));
    };
    if let Some(unknown) = asked.first_outside(&known) {
        return Err(Code::InvalidScope.because("the API has no such scope").about(unknown.as_str()));
    }
    match (asked.first_outside(&client.scopes), client.ungranted_scope) {
        (Some(_), UngrantedScope::Dropped) => Ok(asked.within(&client.scopes)),
        (Some(ungranted), UngrantedScope::Refused) => Err(Code::InvalidScope
            .because("the scope is not granted to the client")
            .about(ungranted.as_str())),
        (None, _) => Ok(asked.clone()),
    }
}

#[cfg(test)]
mod tests;
