//! This file is where a client gives back a token (RFC 7009): its own is revoked, any other makes no difference.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use gatepost_guard::Caller;
use gatepost_operations::authentication;
use gatepost_operations::core::actor::Actor;
use gatepost_operations::core::apis::ApiId;
use gatepost_operations::core::clients::AuthenticatedClient;
use gatepost_operations::core::params::{Door, Params};
use gatepost_operations::core::refusal::{Code, Refusal};
use gatepost_operations::core::time::Timestamp;
use gatepost_operations::failure::Failure;
use gatepost_operations::revocations::{self, NotRevoked, TokenToEnd};

use crate::http::facts::LogFacts;
use crate::http::failure::Dress;
use crate::http::{address, params, presented};
use crate::state::App;

/// `POST /oauth2/revoke`.
pub(crate) async fn answer(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let done = async {
        let params = params::form_only(&parts.headers, body, app.gate.config.server.body_limit).await?;
        let who = prove(&app, &parts, &params).await?;
        let token = params.text("token")?.filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| Code::InvalidRequest.because("no token").about("token"))?.to_owned();
        let app = app.clone();
        to_its_end(async move { revoke(&app, &who, &token).await }).await
    };
    match done.await {
        Ok(facts) => {
            let headers = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
            let mut response = (StatusCode::OK, headers).into_response();
            response.extensions_mut().insert(facts);
            response
        }
        Err(refusal) => Dress::Standard(app.gate.issuer.as_str()).refused(refusal, &parts.headers),
    }
}

/// What was begun is carried out though its caller hangs up: what is written is heard of, and the token is ended.
async fn to_its_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only the end of the runtime cancels it, and ends whoever waits for it too.
            Err(_) => std::future::pending().await,
        },
    }
}

/// The same steps as at the standard door.
async fn prove(app: &App, parts: &Parts, params: &Params) -> Result<AuthenticatedClient, Refusal> {
    let presented = presented::find(Door::Standard, &parts.headers, params)?;
    let address = address::of_request(&app.gate, &parts.headers, &parts.extensions);
    authentication::prove(&app.gate, &presented, address, app.gate.clock.now()).await
}

/// Revokes the client's own live token; what is told to the caller is the same for every token.
async fn revoke(app: &App, who: &AuthenticatedClient, token: &str) -> Result<LogFacts, Refusal> {
    let client = &who.record().client;
    let facts = LogFacts { client_id: Some(client.id.to_string()), ..LogFacts::default() };
    let Some((api, caller)) = live(app, &client.apis, token).await else {
        return Ok(facts);
    };
    if caller.client_id != client.id.as_str() {
        return Ok(facts);
    }

    let actor = Actor::Client { client_id: client.id.to_string() };
    let expires = Timestamp::from_micros(caller.expires.0);
    let token = TokenToEnd { api, jti: &caller.jti, client: client.id.clone(), expires };
    let revoked = revocations::revoke_token(&app.gate, &actor, token).await;
    revoked.map_err(|not| refusal(not, app.gate.clock.now()))?;
    Ok(LogFacts { jti: Some(caller.jti.clone()), ..facts })
}

/// RFC 7009 section 2.2.1: the token must be taken for good, and may be given back later.
fn refusal(not: NotRevoked, now: Timestamp) -> Refusal {
    let unavailable = |failure: &Failure| Code::TemporarilyUnavailable.because(failure.to_string());
    match not {
        NotRevoked::Full { until: Some(until), failure } => {
            unavailable(&failure).again_in(until.since(now).as_secs().saturating_add(1))
        }
        NotRevoked::Full { until: None, failure } | NotRevoked::Failed(failure) => unavailable(&failure),
    }
}

/// Which API the token is for and who presents it, if it is good; of several that it may be for, the client's own are asked
/// first.
async fn live(app: &App, apis: &[ApiId], token: &str) -> Option<(ApiId, Caller)> {
    let judges = app.verifiers.current().await;
    for judge in judges.of_token(token, apis) {
        if let Ok(caller) = judge.judge(token).await {
            return Some((judge.id(), caller));
        }
    }
    None
}
