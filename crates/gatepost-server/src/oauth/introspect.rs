//! This file is where an API asks whether a token is good (RFC 7662), and may have the answer signed (RFC 9701).
//!
//! It is told about its own tokens alone: any other is just not active, whatever it is.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, PRAGMA};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use gatepost_guard::Caller;
use gatepost_operations::api_secrets::AuthenticatedApi;
use gatepost_operations::core::refusal::{Code, Refusal};
use gatepost_operations::jose::{Micros, base64url};
use gatepost_operations::news;
use gatepost_operations::service::{self, Statement};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::http::facts::LogFacts;
use crate::http::failure::Dress;
use crate::http::{api_access, params};
use crate::state::App;

const JWT: &str = "application/token-introspection+jwt";

/// `POST /oauth2/introspect`.
pub(crate) async fn answer(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let dress = Dress::Standard(app.gate.issuer.as_str());
    let asked = async {
        let api = api_access::prove(&app.gate, &parts.headers, &parts.extensions)?;
        let params = params::form_only(&parts.headers, body, app.gate.config.server.body_limit).await?;
        let token = params.text("token")?.filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| Code::InvalidRequest.because("no token").about("token"))?;
        Ok::<_, Refusal>((api, found(&app, api, token).await?))
    };
    let (api, found) = match asked.await {
        Ok(asked) => asked,
        Err(refusal) => return dress.refused(refusal, &parts.headers),
    };

    let signed = wants_signed(&parts.headers);
    let body = if signed { sign(&app, &api.id().0.to_string(), &found) } else { to_json(&found) };
    match body {
        Ok(body) => sent(if signed { JWT } else { "application/json" }, body, found.jti),
        Err(refusal) => dress.refused(refusal, &parts.headers),
    }
}

/// What is told of a token (RFC 7662 section 2.2); of one that is not active, nothing.
#[derive(Default, Serialize)]
struct Found {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partner_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_test: Option<bool>,
}

/// Claims that only introspection passes on, as the token writes them.
#[derive(Default, serde::Deserialize)]
struct PassedOn {
    nbf: Option<Box<RawValue>>,
    sub: Option<Box<RawValue>>,
    aud: Option<Box<RawValue>>,
    iss: Option<Box<RawValue>>,
}

async fn found(app: &App, api: AuthenticatedApi, token: &str) -> Result<Found, Refusal> {
    let unknown = |why: &'static str| Code::TemporarilyUnavailable.because(why);
    // Cut off, nobody here knows what others have revoked meanwhile.
    if !news::hears_the_store(&app.gate).await {
        return Err(unknown("the store has not been heard; what was revoked meanwhile is not known"));
    }
    let judges = app.verifiers.current().await;
    let Some(judge) = judges.of(api.id()) else {
        return Err(unknown("the API's keys can't be used"));
    };
    Ok(judge.judge(token).await.map_or_else(|_| Found::default(), |caller| Found::active(&caller, token)))
}

impl Found {
    fn active(caller: &Caller, token: &str) -> Self {
        let PassedOn { nbf, sub, aud, iss } = PassedOn::of(token);
        let seconds = |json: Box<RawValue>| Micros::from_json(json.get()).ok().map(Micros::seconds);
        Self {
            active: true,
            client_id: Some(caller.client_id.clone()),
            scope: Some(caller.scopes.join(" ")),
            exp: Some(caller.expires.seconds()),
            iat: Some(caller.issued.seconds()),
            nbf: nbf.and_then(seconds),
            sub,
            aud,
            iss,
            jti: Some(caller.jti.clone()),
            token_type: Some("Bearer"),
            partner_id: caller.partner_id.clone(),
            user_id: caller.user_id.clone(),
            is_test: Some(caller.is_test),
        }
    }
}

impl PassedOn {
    /// Reads them from a token whose signature was verified just now.
    fn of(token: &str) -> Self {
        let claims = token.split('.').nth(1).and_then(base64url::decode);
        claims.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
    }
}

/// The answer as a JWT (RFC 9701 section 5).
#[derive(Serialize)]
struct Signed<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    token_introspection: &'a Found,
}

fn sign(app: &App, api_id: &str, found: &Found) -> Result<String, Refusal> {
    let gate = &app.gate;
    let iat = gate.clock.now().seconds();
    let claims =
        to_json(&Signed { iss: gate.issuer.as_str(), aud: api_id, iat, token_introspection: found })?;
    let signed = service::sign(gate, Statement::IntrospectionAnswer, &claims);
    signed.map_err(|failure| Code::TemporarilyUnavailable.because(failure.to_string()))
}

fn to_json(value: &impl Serialize) -> Result<String, Refusal> {
    serde_json::to_string(value).map_err(|error| Code::TemporarilyUnavailable.because(error.to_string()))
}

/// Whether the caller names the signed form among what it accepts.
fn wants_signed(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|text| text.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case(JWT));
        named
            && !parts
                .any(|part| part.strip_prefix("q=").is_some_and(|q| q.trim_matches(['0', '.']).is_empty()))
    })
}

fn sent(content_type: &'static str, body: String, jti: Option<String>) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    let mut response = (StatusCode::OK, headers, Body::from(body)).into_response();
    response.extensions_mut().insert(LogFacts { jti, ..LogFacts::default() });
    response
}
