//! This file is where APIs are administered.

pub(crate) mod found;
mod scopes;

use gatepost_core::actor::Actor;
use gatepost_core::apis::{self, ApiId, ApiWithScopes, Audience, NewApi};
use gatepost_core::change::Change;
use gatepost_core::keys::rotation::Turns;
use gatepost_core::name::Slug;
use gatepost_core::tokens::profile::{PassportOptions, Profile, Sub, Timestamps};
use gatepost_jose::Algorithm;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::failure::Failure;
use crate::gate::Gate;
use crate::keys;

use found::find;

pub use scopes::{ScopeView, create_scope, delete_scope, scopes};

/// What is needed to register an API.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateApi {
    /// What commands call it.
    pub name: String,
    /// What its tokens name as audience.
    pub audience: String,
    /// `passport` or `rfc9068` (when left out).
    #[serde(default)]
    pub profile: Option<String>,
    /// `RS256`, `PS256`, `ES256` or `EdDSA`; the profile's usual one when left out.
    #[serde(default)]
    pub alg: Option<String>,
    /// What the passport profile may choose.
    #[serde(default)]
    pub passport: PassportChoices,
    /// How often its keys take turns: `90d`, `never`, or `default` (when left out).
    #[serde(default)]
    pub rotate_every: Option<String>,
}

/// What an API of the passport profile may choose; what is left out stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PassportChoices {
    /// `micros` or `seconds`.
    #[serde(default)]
    pub timestamps: Option<Timestamps>,
    /// Whether headers name the key.
    #[serde(default)]
    pub kid: Option<bool>,
    /// `empty` or `client_id`.
    #[serde(default)]
    pub sub: Option<Sub>,
    /// Whether integer client ids may stand in `sub`.
    #[serde(default)]
    pub allow_integer_sub: Option<bool>,
}

/// What may be changed of an API; what is left out stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateApi {
    /// What its tokens name as audience.
    #[serde(default)]
    pub audience: Option<String>,
    /// What the passport profile may choose.
    #[serde(default)]
    pub passport: PassportChoices,
    /// How often its keys take turns: `90d`, `never` or `default`.
    #[serde(default)]
    pub rotate_every: Option<String>,
}

/// An API as lists and answers show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApiView {
    /// What it authenticates as.
    pub api_id: Uuid,
    /// What commands call it.
    pub name: String,
    /// What its tokens name as audience.
    pub audience: String,
    /// `passport` or `rfc9068`.
    pub profile: &'static str,
    /// The algorithm of its keys.
    pub alg: &'static str,
    /// Its scopes.
    pub scopes: Vec<ScopeView>,
    /// What the passport profile chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passport: Option<PassportOptions>,
    /// How often its keys take turns: a span, `never`, or `default`, which is what `keys.rotate_every` says.
    pub rotate_every: String,
    /// When it was registered (RFC 3339).
    pub created: String,
}

/// Registers an API with its first key, which signs at once.
pub async fn create(gate: &Gate, actor: &Actor, request: CreateApi) -> Result<ApiView, Failure> {
    let profile = profile(request.profile.as_deref(), &request.passport)?;
    let algorithm = request.alg.as_deref().map(algorithm).transpose()?;
    let new = NewApi {
        name: Slug::parse(&request.name)?,
        audience: Audience::parse(&request.audience)?,
        profile,
        algorithm,
        turns: request.rotate_every.as_deref().map_or(Ok(Turns::ByDefault), |text| turns(gate, text))?,
    };
    let name = new.name.as_str().to_owned();
    let api = apis::register(ApiId(gate.entropy.uuid()?), new, gate.clock.now())?;

    let key = keys::first_key(gate, &api).await?;
    gate.apply(actor, vec![Change::ApiCreated(api), Change::KeyAdded(key)]).await?;
    show(gate, &name)
}

/// All APIs, in order of their names.
pub fn list(gate: &Gate) -> Vec<ApiView> {
    gate.ring().apis().iter().map(|api| ApiView::of(api)).collect()
}

/// The API of that name.
pub fn show(gate: &Gate, api: &str) -> Result<ApiView, Failure> {
    Ok(ApiView::of(&*find(gate, api)?))
}

/// Changes what is given.
pub async fn update(gate: &Gate, actor: &Actor, api: &str, request: UpdateApi) -> Result<ApiView, Failure> {
    let found = find(gate, api)?;
    let mut changed = found.api.clone();
    if let Some(audience) = &request.audience {
        changed.audience = Audience::parse(audience)?;
    }
    if let Some(every) = &request.rotate_every {
        changed.turns = turns(gate, every)?;
    }
    changed.profile = match &changed.profile {
        Profile::Passport(options) => Profile::Passport(request.passport.over(options)),
        Profile::Rfc9068 if request.passport.is_empty() => Profile::Rfc9068,
        Profile::Rfc9068 => return Err(only_for_passport()),
    };
    gate.apply(actor, vec![Change::ApiUpdated(changed)]).await?;
    show(gate, api)
}

/// Deletes an API that no client uses, with its scopes and keys.
pub async fn delete(gate: &Gate, actor: &Actor, api: &str) -> Result<(), Failure> {
    let found = find(gate, api)?;
    gate.apply(actor, vec![Change::ApiDeleted(found.api.id)]).await
}

pub(crate) fn algorithm(name: &str) -> Result<Algorithm, Failure> {
    let known = Algorithm::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name));
    known.ok_or_else(|| {
        Failure::invalid(
            "api.alg",
            format!("there is no algorithm `{name}`"),
            "take RS256, PS256, ES256 or EdDSA",
        )
    })
}

fn profile(name: Option<&str>, choices: &PassportChoices) -> Result<Profile, Failure> {
    match name {
        Some("passport") => Ok(Profile::Passport(choices.over(&PassportOptions::default()))),
        None | Some("rfc9068") if choices.is_empty() => Ok(Profile::Rfc9068),
        None | Some("rfc9068") => Err(only_for_passport()),
        Some(other) => {
            let what = format!("there is no token profile `{}`", other.escape_debug());
            Err(Failure::invalid("api.profile", what, "take --profile passport or --profile rfc9068"))
        }
    }
}

fn turns(gate: &Gate, every: &str) -> Result<Turns, Failure> {
    keys::turns(every, &gate.config)
}

fn only_for_passport() -> Failure {
    let what = "--timestamps, --kid and --sub belong to the passport profile";
    Failure::invalid("api.options", what, "leave them away or take --profile passport")
}

impl PassportChoices {
    fn is_empty(&self) -> bool {
        self.timestamps.is_none()
            && self.kid.is_none()
            && self.sub.is_none()
            && self.allow_integer_sub.is_none()
    }

    fn over(&self, options: &PassportOptions) -> PassportOptions {
        PassportOptions {
            timestamps: self.timestamps.unwrap_or(options.timestamps),
            kid: self.kid.unwrap_or(options.kid),
            sub: self.sub.unwrap_or(options.sub),
            allow_integer_sub: self.allow_integer_sub.unwrap_or(options.allow_integer_sub),
        }
    }
}

impl ApiView {
    fn of(known: &ApiWithScopes) -> Self {
        let passport = match &known.api.profile {
            Profile::Passport(options) => Some(options.clone()),
            Profile::Rfc9068 => None,
        };
        Self {
            api_id: known.api.id.0,
            name: known.api.name.as_str().to_owned(),
            audience: known.api.audience.as_str().to_owned(),
            profile: known.api.profile.as_str(),
            alg: known.api.algorithm.as_str(),
            scopes: known.scopes.iter().map(ScopeView::of).collect(),
            passport,
            rotate_every: keys::written(known.api.turns),
            created: crate::clock::written(known.api.created),
        }
    }
}
