//! This file is where a client proves who it is, the same way at every endpoint that asks clients for proof.

use std::net::IpAddr;
use std::sync::Arc;

use gatepost_core::clients::methods::private_key_jwt::Terms;
use gatepost_core::clients::{
    Assertion, AuthenticatedClient, ClientId, ClientRecord, Credentials, KnownClient, Method, Presented,
    Source, authenticate, authenticate_assertion,
};
use gatepost_core::refusal::{Code, Refusal};
use gatepost_core::secret::SecretForm;
use gatepost_core::time::Timestamp;
use gatepost_store::StoreError;

use crate::client_jwks;
use crate::config::AssertionAudiences;
use crate::discovery;
use crate::gate::Gate;
use crate::limits;
use crate::news;

/// Holds what a request brought against what is known of its client.
///
/// Of a node that has been cut off from its store for longer than `cache.offline_grace` nobody is known any more:
/// whoever was stopped meanwhile must get nothing.
pub async fn prove(
    gate: &Gate,
    presented: &Presented,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<AuthenticatedClient, Refusal> {
    if !news::is_within_grace(gate) {
        return Err(Code::TemporarilyUnavailable
            .because("the store has been away for longer than cache.offline_grace"));
    }
    let proven = match presented {
        Presented::Secret { method, candidates } => {
            by_secret(gate, candidates, Source { method: *method, address }, now).await
        }
        // Boxed, as all that is rarer than a secret: the state of a request is the size of its largest way.
        Presented::Assertion(assertion) => Box::pin(by_assertion(gate, assertion, address, now)).await,
    };
    proven.map_err(|refusal| limits::failed(gate, refusal, &presented.client_ids(), address, now))
}

async fn by_secret(
    gate: &Gate,
    candidates: &[Credentials],
    source: Source,
    now: Timestamp,
) -> Result<AuthenticatedClient, Refusal> {
    let mut last = Code::InvalidClient.because("no credentials");
    for credentials in candidates {
        match by_one_reading(gate, credentials, source, now).await {
            Ok(who) => return Ok(who),
            Err(refusal) if refusal.code != Code::InvalidClient => return Err(refusal),
            Err(refusal) => last = refusal,
        }
    }
    Err(last)
}

/// Each reading of the credentials takes the same steps: one look-up, one tag.
async fn by_one_reading(
    gate: &Gate,
    credentials: &Credentials,
    source: Source,
    now: Timestamp,
) -> Result<AuthenticatedClient, Refusal> {
    if ClientId::parse(&credentials.client_id).is_none() {
        return Err(Code::InvalidClient.because("the client id has a form that no client has"));
    }
    if credentials.secret.form() == SecretForm::Mistyped {
        return Err(
            Code::InvalidClient.because("the secret is mistyped or cut off: its checksum does not match")
        );
    }
    let found = look_up(gate, &credentials.client_id).await?;
    authenticate(found.as_ref(), credentials, source, &gate.master().peppers, now)
}

/// The one way in that writes: that an assertion was used must be durable before anything is given for it.
async fn by_assertion(
    gate: &Gate,
    assertion: &Assertion,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<AuthenticatedClient, Refusal> {
    gate.client_jwks.after_the_start().await;
    let found = match look_up(gate, assertion.client_id()).await? {
        Some(record) => {
            let keys = client_jwks::keys_for(gate, &record, assertion.header());
            Some(KnownClient { record, keys })
        }
        None => None,
    };
    let source = Source { method: Method::PrivateKeyJwt, address };
    let unused = authenticate_assertion(found.as_ref(), assertion, source, &terms(gate), now)?;

    let first = gate.store.remember_once(unused.client(), unused.jti(), unused.until()).await;
    unused.used_first(first.map_err(|error| unavailable(&error))?)
}

fn terms(gate: &Gate) -> Terms<'_> {
    let token_endpoint = match gate.config.clients.assertion_audiences {
        AssertionAudiences::Issuer => None,
        AssertionAudiences::IssuerOrTokenEndpoint => Some(gate.issuer.at(discovery::TOKEN_ENDPOINT)),
    };
    Terms { issuer: gate.issuer.as_str(), token_endpoint, leeway: gate.config.tokens.leeway }
}

async fn look_up(gate: &Gate, id: &str) -> Result<Option<Arc<ClientRecord>>, Refusal> {
    let Some(id) = ClientId::parse(id) else {
        return Ok(None);
    };
    gate.clients.record(&id).await.map_err(|error| unavailable(&error))
}

fn unavailable(error: &StoreError) -> Refusal {
    Code::TemporarilyUnavailable.because(error.to_string())
}
