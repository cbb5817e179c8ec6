//! This file is where a token is issued: grant, client, decision, claims, signature, in this order.
//!
//! Nothing here waits for a disk: the client comes from memory or one read, and no row is written.

pub(crate) mod issued;

pub use issued::IssuedToken;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use gatepost_core::clients::{AuthenticatedClient, Presented};
use gatepost_core::grants::{self, Grant, Wish};
use gatepost_core::limits::Allowance;
use gatepost_core::params::{Door, Params};
use gatepost_core::refusal::{Code, Refusal};
use gatepost_core::secret::{Secret, SecretForm};
use gatepost_core::time::Timestamp;
use gatepost_core::tokens::profile::Minting;
use gatepost_core::tokens::revoke::until_tokens_last;
use gatepost_jose::{key_in_jti, sign};

use crate::authentication;
use crate::gate::Gate;
use crate::journal::RefusalEvent;
use crate::key_ring::Signer;
use crate::limits::{self, Taken};
use crate::revocations;
use crate::signing::{Asker, NotSigned, whole_seconds};
use crate::telemetry::metrics::Outcome;

/// A request for a token, as an edge has read it.
pub struct TokenRequest {
    /// The door it came through.
    pub door: Door,
    /// Its parameters, or why its body can't be read.
    pub params: Result<Params, Refusal>,
    /// What it brought to prove who sends it, or why that can't be read.
    pub presented: Result<Presented, Refusal>,
    /// Where it came from, if that is known.
    pub address: Option<IpAddr>,
    /// The id that its answer carries.
    pub request_id: Arc<str>,
}

/// Why a token is handed out.
enum Given {
    /// It was made just now, and counts.
    New(Taken),
    /// The client has had it before.
    Again,
}

/// Issues a token, or refuses and notes why.
pub async fn issue(gate: &Gate, request: TokenRequest) -> Result<IssuedToken, Refusal> {
    let started = gate.clock.now();
    let outcome = decide_and_mint(gate, &request, started).await;
    gate.metrics.token_requested(request.door, counted(&outcome));
    if let Err(refusal) = &outcome {
        gate.metrics.token_refused(refusal.code);
        note(gate, started, &request, refusal);
    }
    outcome
}

async fn decide_and_mint(
    gate: &Gate,
    request: &TokenRequest,
    started: Timestamp,
) -> Result<IssuedToken, Refusal> {
    let params = request.params.as_ref().map_err(Clone::clone)?;
    let grant_type = grants::asked(request.door, params)?;
    let presented = request.presented.as_ref().map_err(Clone::clone)?;
    let who = authentication::prove(gate, presented, request.address, started).await?;

    let wish = Wish { grant: grant_type, door: request.door, params };
    let granted = match limits::admit(gate, &who, request.address, started) {
        Ok(allowances) => grant_and_mint(gate, &who, wish, (started, allowances)).await,
        Err(refusal) => Err(refusal),
    };
    let client = &who.record().client.id;
    match &granted {
        Ok((_, Given::New(_))) => gate.usage.issued(client, who.secret(), request.address, started),
        Ok((_, Given::Again)) => gate.usage.used(who.secret(), request.address, started),
        Err(_) => gate.usage.refused(client, started),
    }
    if let (Some(secret), Some(tag)) = (who.secret(), who.newer_tag()) {
        gate.usage.retagged(client, secret, tag);
    }
    granted.map(|(mut issued, given)| {
        if let Given::New(taken) = given {
            issued.limits.extend(taken.got_out());
        }
        issued
    })
}

async fn grant_and_mint(
    gate: &Gate,
    who: &AuthenticatedClient,
    wish: Wish<'_>,
    (started, allowances): (Timestamp, Vec<Allowance>),
) -> Result<(IssuedToken, Given), Refusal> {
    let started = once_tokens_last(gate, who, started).await?.unwrap_or(started);
    let ring = gate.ring();
    let now = gate.clock.now();
    let grant = grants::decide(wish, who, ring.apis(), now)?;
    let signer = ring.keys_of(grant.api.api.id).map(|keys| keys.signer.clone());
    let signer = signer.ok_or_else(|| Code::TemporarilyUnavailable.because("the API has no signing key"))?;

    if let Some(kept) = limits::again(gate, &grant, &ring, gate.clock.now()) {
        let mut told = allowances;
        told.extend(limits::quotas_standing(gate, &grant.client, gate.clock.now()));
        return Ok((IssuedToken { limits: told, ..kept }, Given::Again));
    }
    let taken = limits::take(gate, &grant.client, &allowances, started).await?;
    let issued = IssuedToken { limits: allowances, ..mint(gate, &grant, &signer, (started, now)).await? };
    limits::keep(gate, &grant, &ring, &issued, started);
    Ok((issued, Given::New(taken)))
}

/// After the tokens of a client were ended, those that it gets until every node has heard of it are ended with them: it
/// waits, rather than get one that is dead from the start. Says when it waited until.
///
/// It is asked since the request `started`, not since now: what the request waited for meanwhile (the write of an
/// assertion, say) may have outlasted all that is ended, and what it was authenticated by may be over.
async fn once_tokens_last(
    gate: &Gate,
    who: &AuthenticatedClient,
    started: Timestamp,
) -> Result<Option<Timestamp>, Refusal> {
    let client = &who.record().client;
    match gate.revocations.now().bars(&client.id, client.partner_id, started) {
        None => Ok(None),
        Some(until) => Box::pin(wait_for_news(gate, who, until)).await.map(Some),
    }
}

async fn wait_for_news(
    gate: &Gate,
    who: &AuthenticatedClient,
    until: Timestamp,
) -> Result<Timestamp, Refusal> {
    let client = &who.record().client;
    tokio::time::sleep(until_tokens_last(until, gate.clock.now(), revocations::hearing(gate))).await;

    // What the wait was for may be a change that this client was authenticated before.
    let still = gate.clients.record(&client.id).await;
    let still = still.map_err(|error| Code::TemporarilyUnavailable.because(error.to_string()))?;
    let barred = gate.revocations.now().bars(&client.id, client.partner_id, gate.clock.now());
    if barred.is_some() || still.is_none_or(|still| still != *who.record()) {
        let why = "the client is being changed, and its tokens ended with it";
        return Err(Code::TemporarilyUnavailable.because(why));
    }
    Ok(gate.clock.now())
}

async fn mint(
    gate: &Gate,
    grant: &Grant,
    signer: &Signer,
    (started, now): (Timestamp, Timestamp),
) -> Result<IssuedToken, Refusal> {
    let random =
        gate.entropy.for_id().map_err(|none| Code::TemporarilyUnavailable.because(none.to_string()))?;
    // Where tokens have no `kid`, who verifies them finds the key by their id.
    let random = key_in_jti::naming(signer.key.kid(), random);
    let minting = Minting { started, now, random };
    let claims = grant.api.api.profile.claims(grant, &gate.issuer, &minting);

    let client = &grant.client.client;
    let asker = Asker { partner: client.partner_id, client: &client.id };
    let text = signer.input.with_claims(claims.json.as_bytes());
    let asked = Instant::now();
    let signed = gate.pool.sign(&signer.key, text, asker).await;
    let (text, signature) = signed.map_err(|reason| not_signed(&reason))?;
    gate.metrics.signed(asked.elapsed());

    Ok(IssuedToken {
        access_token: sign::finish(text, &signature),
        expires_in: grant.lifetime.seconds(),
        scopes: grant.scopes.clone(),
        scopes_differ: grant.scopes_differ,
        client_id: client.id.clone(),
        jti: claims.jti,
        limits: Vec::new(),
    })
}

fn not_signed(reason: &NotSigned) -> Refusal {
    match reason {
        NotSigned::Shed { ahead, .. } => {
            Code::TemporarilyUnavailable.because(reason.to_string()).again_in(whole_seconds(*ahead))
        }
        NotSigned::Panicked | NotSigned::NoThread | NotSigned::Key(_) => {
            Code::ServerError.because(reason.to_string())
        }
    }
}

fn counted(outcome: &Result<IssuedToken, Refusal>) -> Outcome {
    match outcome {
        Ok(_) => Outcome::Issued,
        Err(refusal) if refusal.code == Code::TemporarilyUnavailable => Outcome::Unavailable,
        Err(_) => Outcome::Refused,
    }
}

fn note(gate: &Gate, at: Timestamp, request: &TokenRequest, refusal: &Refusal) {
    let (request_id, client) = (request.request_id.to_string(), presented_id(request));
    let (code, reason) = (refusal.code.as_str(), refusal.reason.clone().into_owned());
    gate.journal.refused(RefusalEvent { at, request_id, client, code, reason });
}

/// The id as presented, cut and cleaned: it is somebody's text until a client stands behind it.
fn presented_id(request: &TokenRequest) -> String {
    let Ok(presented) = &request.presented else {
        return String::new();
    };
    let first = presented.client_ids().first().copied().unwrap_or_default();
    // Who swaps id and secret has sent a secret here.
    if Secret::new(first.to_owned()).form() != SecretForm::Foreign {
        return "(a secret)".to_owned();
    }
    first.chars().take(64).flat_map(char::escape_default).collect()
}
