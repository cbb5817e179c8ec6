//! This file is where the route tables of APIs are administered.

use gatepost_core::actor::Actor;
use gatepost_core::apis::routes::{BadRoute, Route};
use gatepost_core::change::Change;
use gatepost_core::scope::{Scope, Scopes};
use serde::Serialize;

use crate::apis::found::find;
use crate::failure::Failure;
use crate::gate::Gate;

/// A line of a route table as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteView {
    /// The API.
    pub api: String,
    /// The method, or `*` for any.
    pub method: String,
    /// The path pattern.
    pub path: String,
    /// The scopes that it needs, all of them.
    pub scopes: Vec<String>,
}

/// Adds a line, in place of one for the same method and path.
pub async fn add(
    gate: &Gate,
    actor: &Actor,
    api: &str,
    (method, path): (&str, &str),
    scopes: &[String],
) -> Result<RouteView, Failure> {
    let found = find(gate, api)?;
    let scopes: Scopes = scopes.iter().map(|scope| Scope::parse(scope)).collect::<Result<_, _>>()?;
    if let Some(unknown) = scopes.first_outside(&found.scope_names()) {
        let what = format!("the API has no scope `{}`", unknown.as_str());
        return Err(Failure::invalid("route.scope", what, "create it first with `gatepost scope create`"));
    }
    let route = Route::parse(&method.to_ascii_uppercase(), path, scopes)?;
    let view = RouteView::of(api, &route);
    gate.apply(actor, vec![Change::RouteAdded(found.api.id, route)]).await?;
    Ok(view)
}

/// The table of an API.
pub fn list(gate: &Gate, api: &str) -> Result<Vec<RouteView>, Failure> {
    let found = find(gate, api)?;
    let ring = gate.ring();
    let routes = ring.access(found.api.id).map_or(&[][..], |access| &access.routes);
    Ok(routes.iter().map(|route| RouteView::of(api, route)).collect())
}

/// Takes a line away.
pub async fn remove(gate: &Gate, actor: &Actor, api: &str, method: &str, path: &str) -> Result<(), Failure> {
    let found = find(gate, api)?;
    let (method, path) = (method.to_ascii_uppercase(), path.to_owned());
    gate.apply(actor, vec![Change::RouteRemoved { api: found.api.id, method, path }]).await
}

impl RouteView {
    fn of(api: &str, route: &Route) -> Self {
        Self {
            api: api.to_owned(),
            method: route.method.clone(),
            path: route.path.clone(),
            scopes: route.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
        }
    }
}

impl From<BadRoute> for Failure {
    fn from(bad: BadRoute) -> Self {
        Self::invalid("route.bad", bad.0, "write it like `GET /bookings/{id}`")
    }
}
