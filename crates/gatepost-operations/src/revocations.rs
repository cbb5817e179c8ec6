//! This file is where revocations are made; `revocations/memory.rs` holds them.
//!
//! The idea: only what is revoked is stored, until it would have expired by itself; all of it fits into memory.
//! Of several revocations of a client or partner only the latest counts, for it covers what the earlier ones cover.

pub(crate) mod memory;
mod places;
pub(crate) mod set;

use gatepost_core::actor::Actor;
use gatepost_core::apis::ApiId;
use gatepost_core::change::Change;
use gatepost_core::clients::{Client, ClientId};
use gatepost_core::partners::PartnerId;
use gatepost_core::time::Timestamp;
use gatepost_core::tokens::revoke::{Revocation, Revoked};
use gatepost_store::Page;

pub use memory::Revocations;
pub use places::NotRevoked;
pub use set::{IssuedTo, Set};

use crate::config;
use crate::failure::Failure;
use crate::gate::Gate;
use set::Holder;

/// One token of an API, to be ended.
pub struct TokenToEnd<'a> {
    /// The API that it is for.
    pub api: ApiId,
    /// Its id.
    pub jti: &'a str,
    /// Who got it.
    pub client: ClientId,
    /// When it expires.
    pub expires: Timestamp,
}

/// Revokes one token. An API has places for so many, and of these a client may take so many by itself.
pub async fn revoke_token(gate: &Gate, actor: &Actor, token: TokenToEnd<'_>) -> Result<(), NotRevoked> {
    let TokenToEnd { api, jti, client, expires } = token;
    let (now, leeway) = (gate.clock.now(), gate.config.tokens.leeway);
    let revocation = Revocation::of_token(api, jti.to_owned(), expires, leeway, now).got_by(client.clone());
    let known = &gate.revocations;
    if revocation.is_over(now) || known.now().holds_token(jti) {
        return Ok(());
    }

    let config::Revocations { max_per_client, max_per_api } = gate.config.revocations;
    let mut bounds = vec![(Holder::Api(api), max_per_api)];
    if let Actor::Client { .. } = actor {
        bounds.insert(0, (Holder::Client(client), max_per_client));
    }
    let _place = known.under_way.place(bounds, || known.now(), || known.let_go(now))?;
    Ok(gate.apply(actor, vec![Change::Revoked(revocation)]).await?)
}

/// Ends all tokens that a client has got up to now.
pub async fn end_tokens_of_client(gate: &Gate, actor: &Actor, client: &str) -> Result<(), Failure> {
    let found = crate::clients::found::find(gate, client).await?;
    gate.apply(actor, vec![of_client(gate, &found.client)]).await
}

/// Ends all tokens that the clients of a partner have got up to now.
pub async fn end_tokens_of_partner(gate: &Gate, actor: &Actor, partner: &str) -> Result<(), Failure> {
    let found = crate::partners::found::find(gate, partner).await?;
    let change = of_partner(gate, found.id).await?;
    gate.apply(actor, vec![change]).await
}

/// The change that ends a client's tokens; its APIs are told, and those that it is about to lose.
pub(crate) fn of_client(gate: &Gate, client: &Client) -> Change {
    let what = Revoked::Client(client.id.clone());
    Change::Revoked(Revocation::of_all(what, client.apis.clone(), life_of(gate, client), gate.clock.now()))
}

/// The same for a client that is stopped, or loses something that its tokens came from or speak of: of all that it gets
/// until every node has heard of it.
pub(crate) fn of_stopped_client(gate: &Gate, client: &Client) -> Change {
    let what = Revoked::Client(client.id.clone());
    Change::Revoked(Revocation::of_all(what, client.apis.clone(), life_of(gate, client), heard_by_all(gate)))
}

/// The change that ends the tokens of a stopped partner's clients, once every node has heard of it.
pub(crate) async fn of_stopped_partner(gate: &Gate, partner: PartnerId) -> Result<Change, Failure> {
    up_to(gate, partner, heard_by_all(gate)).await
}

/// Until a node has heard that a client was stopped it may give out a token, which must not outlive the stop.
///
/// So all that is issued up to then is revoked. A client that may still get tokens waits that long for good ones: see
/// `tokens.rs`.
fn heard_by_all(gate: &Gate) -> Timestamp {
    gate.clock.now().after(hearing(gate))
}

/// How long it takes at most until every node that reaches the store has heard of a change.
pub(crate) fn hearing(gate: &Gate) -> std::time::Duration {
    gate.config.cache.refresh.saturating_add(std::time::Duration::from_secs(1))
}

/// The change that ends the tokens that a partner's clients have got up to now.
pub(crate) async fn of_partner(gate: &Gate, partner: PartnerId) -> Result<Change, Failure> {
    up_to(gate, partner, gate.clock.now()).await
}

async fn up_to(gate: &Gate, partner: PartnerId, moment: Timestamp) -> Result<Change, Failure> {
    let clients = gate.store.clients(Some(partner), Page::LONGEST).await?;
    let life = clients.iter().map(|client| life_of(gate, client)).max().unwrap_or_else(|| token_life(gate));
    let mut apis: Vec<_> = clients.into_iter().flat_map(|client| client.apis).collect();
    apis.sort();
    apis.dedup();
    Ok(Change::Revoked(Revocation::of_all(Revoked::Partner(partner), apis, life, moment)))
}

/// How long any token may be accepted after it was issued: the longest lifetime and the clocks' leeway.
pub(crate) fn token_life(gate: &Gate) -> std::time::Duration {
    gate.config.tokens.max_lifetime.saturating_add(gate.config.tokens.leeway)
}

/// The same for one client: a command may have been told of a shorter longest lifetime than the server that issued.
fn life_of(gate: &Gate, client: &Client) -> std::time::Duration {
    let own = std::time::Duration::from_secs(client.lifetime.seconds().into());
    token_life(gate).max(own.saturating_add(gate.config.tokens.leeway))
}
