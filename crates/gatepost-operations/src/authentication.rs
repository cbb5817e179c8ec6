//! This file is where a client proves who it is, the same way at every endpoint that asks clients for proof.

use std::net::IpAddr;

use gatepost_core::clients::{AuthenticatedClient, ClientId, Credentials, Presented, Source, authenticate};
use gatepost_core::refusal::{Code, Refusal};
use gatepost_core::secret::SecretForm;
use gatepost_core::time::Timestamp;
use gatepost_store::StoreError;

use crate::gate::Gate;

/// Holds what a request brought against what is known of its client.
pub async fn prove(
    gate: &Gate,
    presented: Presented,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<AuthenticatedClient, Refusal> {
    let source = Source { method: presented.method, address };
    let mut last = Code::InvalidClient.because("no credentials");
    for credentials in &presented.candidates {
        match by_secret(gate, credentials, source, now).await {
            Ok(who) => return Ok(who),
            Err(refusal) if refusal.code != Code::InvalidClient => return Err(refusal),
            Err(refusal) => last = refusal,
        }
    }
    Err(last)
}

/// Each reading of the credentials takes the same steps: one look-up, one tag.
async fn by_secret(
    gate: &Gate,
    credentials: &Credentials,
    source: Source,
    now: Timestamp,
) -> Result<AuthenticatedClient, Refusal> {
    let Some(id) = ClientId::parse(&credentials.client_id) else {
        return Err(Code::InvalidClient.because("the client id has a form that no client has"));
    };
    if credentials.secret.form() == SecretForm::Mistyped {
        return Err(
            Code::InvalidClient.because("the secret is mistyped or cut off: its checksum does not match")
        );
    }
    let found = gate.clients.record(&id).await.map_err(|error| unavailable(&error))?;
    authenticate(found.as_ref(), credentials, source, &gate.master.peppers, now)
}

fn unavailable(error: &StoreError) -> Refusal {
    Code::TemporarilyUnavailable.because(error.to_string())
}
