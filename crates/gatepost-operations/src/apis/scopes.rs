//! This file is where the scopes of APIs are administered.

use gatepost_core::actor::Actor;
use gatepost_core::apis::{ApiId, ApiScope};
use gatepost_core::change::Change;
use gatepost_core::clients::Client;
use gatepost_core::scope::Scope;
use gatepost_store::Page;
use serde::Serialize;

use super::found::find;
use crate::failure::Failure;
use crate::gate::Gate;

/// A scope as lists and answers show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScopeView {
    /// The scope.
    pub name: String,
    /// What a partner's developer reads about it.
    pub description: String,
    /// The clients that gained it by its creation: they use the API and were granted the word before, through another.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also_granted_to: Vec<String>,
}

/// Adds a scope to an API.
pub async fn create_scope(
    gate: &Gate,
    actor: &Actor,
    api: &str,
    name: &str,
    description: &str,
) -> Result<ScopeView, Failure> {
    let found = find(gate, api)?;
    let description = description.trim().to_owned();
    if description.chars().any(char::is_control) || description.chars().count() > 500 {
        let what = "a description is one line of at most 500 characters";
        return Err(Failure::invalid(
            "scope.description",
            what,
            "shorten it and leave control characters away",
        ));
    }
    let scope = ApiScope { name: Scope::parse(name)?, description };
    let view = ScopeView::of(&scope);
    let also_granted_to = holders(gate, found.api.id, &scope.name).await?;
    gate.apply(actor, vec![Change::ScopeCreated(found.api.id, scope)]).await?;
    Ok(ScopeView { also_granted_to, ..view })
}

/// The clients of an API that were granted that word.
async fn holders(gate: &Gate, api: ApiId, scope: &Scope) -> Result<Vec<String>, Failure> {
    const AT_ONCE: u32 = 1_000;
    let mut holders = Vec::new();
    let mut page = Page { offset: 0, limit: AT_ONCE };
    loop {
        let clients = gate.store.clients(None, page).await?;
        let holds =
            |client: &&Client| client.apis.contains(&api) && client.scopes.iter().any(|held| held == scope);
        holders.extend(clients.iter().filter(holds).map(|client| client.id.to_string()));
        if u32::try_from(clients.len()).is_ok_and(|found| found < AT_ONCE) {
            return Ok(holders);
        }
        page.offset = page.offset.saturating_add(AT_ONCE);
    }
}

/// The scopes of an API.
pub fn scopes(gate: &Gate, api: &str) -> Result<Vec<ScopeView>, Failure> {
    Ok(find(gate, api)?.scopes.iter().map(ScopeView::of).collect())
}

/// Takes a scope from an API; clients that have it get tokens without it.
pub async fn delete_scope(gate: &Gate, actor: &Actor, api: &str, name: &str) -> Result<(), Failure> {
    let found = find(gate, api)?;
    let scope = Scope::parse(name)?;
    gate.apply(actor, vec![Change::ScopeDeleted(found.api.id, scope)]).await
}

impl ScopeView {
    pub(super) fn of(scope: &ApiScope) -> Self {
        Self {
            name: scope.name.as_str().to_owned(),
            description: scope.description.clone(),
            also_granted_to: Vec::new(),
        }
    }
}
