//! This file is where rows become what guards live by: how APIs authenticate, what they guard, what was revoked.

use gatepost_core::apis::routes::Route;
use gatepost_core::apis::{ApiAccess, ApiId};
use gatepost_core::clients::ClientId;
use gatepost_core::tokens::revoke::{Revocation, Revoked};
use serde_json::{Value, json};

use super::{Columns, hash, instant, secret, unfit, uuid};
use crate::StoreError;
use crate::group_commit::Key;

/// Rows of `apis`, one for each secret or one without a secret, those of an API together; the API's route table is a JSON
/// list `routes`.
pub(crate) fn api_access(rows: &[impl Columns]) -> Result<Vec<ApiAccess>, StoreError> {
    let mut all: Vec<ApiAccess> = Vec::new();
    for row in rows {
        let api = ApiId(uuid(row, "api_id")?);
        let secret = row.text_if_any("secret_id")?.map(|_| secret(row)).transpose()?;
        match all.last_mut() {
            Some(last) if last.api == api => last.secrets.extend(secret),
            Some(_) | None => {
                all.push(ApiAccess { api, secrets: Vec::from_iter(secret), routes: routes(row)? });
            }
        }
    }
    Ok(all)
}

fn routes(row: &impl Columns) -> Result<Vec<Route>, StoreError> {
    let routes: Vec<Route> = super::json(row, "routes")?;
    let checked = routes.into_iter().map(|route| Route::parse(&route.method, &route.path, route.scopes));
    checked.collect::<Result<_, _>>().map_err(|error| unfit("routes", error))
}

/// A row of `revocations` with the change that brought it.
pub(crate) fn revocation(row: &impl Columns) -> Result<(i64, Revocation), StoreError> {
    let what = json!({ "kind": row.text("kind")?, "id": row.text("id")? });
    let revocation = Revocation {
        what: serde_json::from_value(what).map_err(|error| unfit("kind", error))?,
        apis: super::json(row, "apis")?,
        at: instant(row, "at")?,
        until: instant(row, "until")?,
        client: row.text_if_any("client_id")?.as_deref().and_then(ClientId::parse),
    };
    Ok((row.number("seq")?, revocation))
}

/// What was revoked, as the columns `kind` and `id` hold it.
pub(crate) fn revoked(what: &Revoked) -> (String, String) {
    let what = json!(what);
    let text = |member: &str| what.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("kind"), text("id"))
}

/// A row of `assertions`, without its end.
pub(crate) fn assertion(row: &impl Columns) -> Result<Key, StoreError> {
    let client = ClientId::parse(&row.text("client_id")?);
    Ok((client.ok_or_else(|| unfit("client_id", "it is no client id"))?, hash(row, "jti")?))
}
