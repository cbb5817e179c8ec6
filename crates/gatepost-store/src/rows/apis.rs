//! This file is where rows become APIs with their scopes.

use std::num::NonZeroU32;

use gatepost_core::apis::{Api, ApiId, ApiScope, ApiWithScopes, Audience};
use gatepost_core::keys::rotation::Turns;
use gatepost_core::name::Slug;
use gatepost_core::scope::Scope;

use super::{Columns, instant, json, unfit, uuid, word};
use crate::StoreError;

/// How often the keys of an API take turns, as the column `rotate_every` holds it: seconds, 0 for never.
pub(crate) fn turns(turns: Turns) -> Option<i64> {
    match turns {
        Turns::ByDefault => None,
        Turns::Never => Some(0),
        Turns::Every(seconds) => Some(i64::from(seconds.get())),
    }
}

fn stored_turns(row: &impl Columns) -> Result<Turns, StoreError> {
    let Some(seconds) = row.number_if_any("rotate_every")? else {
        return Ok(Turns::ByDefault);
    };
    let seconds = u32::try_from(seconds).map_err(|_| unfit("rotate_every", "it is no count of seconds"))?;
    Ok(NonZeroU32::new(seconds).map_or(Turns::Never, Turns::Every))
}

fn api(row: &impl Columns) -> Result<Api, StoreError> {
    Ok(Api {
        id: ApiId(uuid(row, "id")?),
        name: Slug::parse(&row.text("name")?).map_err(|error| unfit("name", error))?,
        audience: Audience::parse(&row.text("audience")?).map_err(|error| unfit("audience", error))?,
        profile: json(row, "profile")?,
        algorithm: word(row, "algorithm")?,
        turns: stored_turns(row)?,
        created: instant(row, "created")?,
        version: row.number("version")?,
    })
}

/// Rows of `apis` joined with their scopes, one for each scope or one without a scope; those of an API are together.
pub(crate) fn apis(rows: &[impl Columns]) -> Result<Vec<ApiWithScopes>, StoreError> {
    let mut apis: Vec<ApiWithScopes> = Vec::new();
    for row in rows {
        let (api, scope) = (api(row)?, scope(row)?);
        match apis.last_mut() {
            Some(last) if last.api.id == api.id => last.scopes.extend(scope),
            Some(_) | None => apis.push(ApiWithScopes { api, scopes: Vec::from_iter(scope) }),
        }
    }
    Ok(apis)
}

fn scope(row: &impl Columns) -> Result<Option<ApiScope>, StoreError> {
    let Some(name) = row.text_if_any("scope_name")? else {
        return Ok(None);
    };
    let name = Scope::parse(&name).map_err(|error| unfit("scope_name", error))?;
    Ok(Some(ApiScope { name, description: row.text("scope_description")? }))
}
