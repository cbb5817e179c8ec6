//! This file is where an API shows who it is: its `api_id` and a secret in one Basic header (RFC 7617), nothing else.

use std::net::IpAddr;

use axum::http::{Extensions, HeaderMap};
use gatepost_operations::api_secrets::{self, AuthenticatedApi};
use gatepost_operations::core::refusal::{Code, Refusal};
use gatepost_operations::core::secret::Secret;
use gatepost_operations::gate::Gate;

use super::address;
use super::presented::Basic;

/// The API that the request comes from, counted; unknown, wrong and ended look the same from outside.
pub(crate) fn prove(
    gate: &Gate,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<AuthenticatedApi, Refusal> {
    let address = address::of_request(gate, headers, extensions);
    let who = proven(gate, headers, address)?;
    api_secrets::count(gate, who, address);
    Ok(who)
}

/// The same for a request that was counted before.
pub(crate) fn prove_again(
    gate: &Gate,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<AuthenticatedApi, Refusal> {
    proven(gate, headers, address::of_request(gate, headers, extensions))
}

fn proven(gate: &Gate, headers: &HeaderMap, address: Option<IpAddr>) -> Result<AuthenticatedApi, Refusal> {
    match Basic::of(headers) {
        Basic::Pair(_, secret) if secret.is_empty() => {
            Err(Code::InvalidClient.because("the Basic credentials hold an empty secret"))
        }
        Basic::Pair(id, secret) => api_secrets::prove(gate, &id, &Secret::new(secret), address),
        Basic::None => Err(Code::InvalidClient.because("no Basic credentials")),
        Basic::Unreadable => Err(Code::InvalidClient.because("the Basic credentials can't be read")),
        Basic::Several => Err(Code::InvalidClient.because("several Authorization headers")),
    }
}
