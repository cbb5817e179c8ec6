//! This file is where revocations are made, and held in memory so that asking for them costs no look-up.
//!
//! The idea: only what is revoked is stored, until it would have expired by itself; all of it fits into memory.
//! Of several revocations of a client or partner only the latest counts, for it covers what the earlier ones cover.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use gatepost_core::actor::Actor;
use gatepost_core::apis::ApiId;
use gatepost_core::change::Change;
use gatepost_core::clients::{Client, ClientId};
use gatepost_core::partners::PartnerId;
use gatepost_core::time::Timestamp;
use gatepost_core::tokens::revoke::{Revocation, Revoked};
use gatepost_store::{Page, Store};

use crate::failure::Failure;
use crate::gate::Gate;

/// What is revoked now.
#[derive(Default)]
pub struct Revocations {
    set: ArcSwap<Set>,
}

/// One state of it; never changed, only replaced.
#[derive(Clone, Default)]
pub struct Set {
    seq: i64,
    tokens: HashMap<String, Arc<Revocation>>,
    clients: HashMap<ClientId, Arc<Revocation>>,
    partners: HashMap<PartnerId, Arc<Revocation>>,
}

const AT_ONCE: u32 = 1_000;

impl Revocations {
    /// Reads what came after what is known, and lets go of what is over.
    pub async fn take_up(&self, store: &dyn Store, now: Timestamp) -> Result<(), Failure> {
        let mut next = Set::clone(&self.set.load());
        loop {
            let found = store.revocations(next.seq, now, AT_ONCE).await?;
            let more = u32::try_from(found.len()).is_ok_and(|count| count >= AT_ONCE);
            found.into_iter().for_each(|(seq, revocation)| next.insert(seq, revocation));
            if !more {
                break;
            }
        }
        next.let_go(now);
        self.set.store(Arc::new(next));
        Ok(())
    }

    /// What is revoked at this moment.
    pub fn now(&self) -> Arc<Set> {
        self.set.load_full()
    }
}

impl Set {
    fn insert(&mut self, seq: i64, revocation: Revocation) {
        self.seq = self.seq.max(seq);
        let revocation = Arc::new(revocation);
        match &revocation.what {
            Revoked::Token(jti) => drop(self.tokens.insert(jti.clone(), Arc::clone(&revocation))),
            Revoked::Client(id) => keep_later(&mut self.clients, id.clone(), &revocation),
            Revoked::Partner(id) => keep_later(&mut self.partners, *id, &revocation),
        }
    }

    fn let_go(&mut self, now: Timestamp) {
        self.tokens.retain(|_, revocation| !revocation.is_over(now));
        self.clients.retain(|_, revocation| !revocation.is_over(now));
        self.partners.retain(|_, revocation| !revocation.is_over(now));
    }

    /// Whether a token was revoked: itself, or all that its client or partner got up to some moment after it.
    ///
    /// Issue times are known to the millisecond, so a token of the very millisecond of a revocation is covered.
    pub fn covers(&self, token: &IssuedTo<'_>) -> bool {
        let up_to = |revocation: &Arc<Revocation>| token.issued.millis() <= revocation.at.millis();
        let client = ClientId::parse(token.client).and_then(|id| self.clients.get(&id));
        let partner =
            token.partner.and_then(|id| id.parse().ok()).and_then(|id| self.partners.get(&PartnerId(id)));
        self.tokens.contains_key(token.jti) || client.is_some_and(up_to) || partner.is_some_and(up_to)
    }

    /// How many revocations there are of each kind.
    pub fn counts(&self) -> [(&'static str, usize); 3] {
        [("token", self.tokens.len()), ("client", self.clients.len()), ("partner", self.partners.len())]
    }

    /// Until when tokens that a client gets are revoked from the start, if that is not before `since`.
    pub(crate) fn bars(&self, client: &ClientId, partner: PartnerId, since: Timestamp) -> Option<Timestamp> {
        let found = self.clients.get(client).into_iter().chain(self.partners.get(&partner));
        found.map(|revocation| revocation.at).filter(|at| since.millis() <= at.millis()).max()
    }

    /// The revocations that an API is told about.
    pub fn about(&self, api: ApiId) -> impl Iterator<Item = &Revocation> {
        let all = self.tokens.values().chain(self.clients.values()).chain(self.partners.values());
        all.map(Arc::as_ref).filter(move |revocation| revocation.apis.contains(&api))
    }
}

fn keep_later<K: std::hash::Hash + Eq>(
    known: &mut HashMap<K, Arc<Revocation>>,
    key: K,
    new: &Arc<Revocation>,
) {
    let entry = known.entry(key).or_insert_with(|| Arc::clone(new));
    // Whichever is later, what the other told to other APIs must not be forgotten with it.
    let later = if new.at > entry.at { new } else { &*entry };
    let mut apis: Vec<_> = entry.apis.iter().chain(&new.apis).copied().collect();
    apis.sort();
    apis.dedup();
    let until = entry.until.max(new.until);
    *entry = Arc::new(Revocation { apis, until, ..Revocation::clone(later) });
}

/// What a token says of itself, as far as revocation asks.
#[derive(Clone, Copy, Debug)]
pub struct IssuedTo<'a> {
    /// Its id.
    pub jti: &'a str,
    /// Its client.
    pub client: &'a str,
    /// Its partner.
    pub partner: Option<&'a str>,
    /// When it was issued, to the millisecond.
    pub issued: Timestamp,
}

/// Revokes one token of an API, which expires at `expires`.
pub async fn revoke_token(
    gate: &Gate,
    actor: &Actor,
    api: ApiId,
    jti: &str,
    expires: Timestamp,
) -> Result<(), Failure> {
    let revocation =
        Revocation::of_token(api, jti.to_owned(), expires, gate.config.tokens.leeway, gate.clock.now());
    if revocation.is_over(gate.clock.now()) || gate.revocations.now().tokens.contains_key(jti) {
        return Ok(());
    }
    gate.apply(actor, vec![Change::Revoked(revocation)]).await
}

/// Ends all tokens that a client has got up to now.
pub async fn end_tokens_of_client(gate: &Gate, actor: &Actor, client: &str) -> Result<(), Failure> {
    let found = crate::clients::find(gate, client).await?;
    gate.apply(actor, vec![of_client(gate, &found.client)]).await
}

/// Ends all tokens that the clients of a partner have got up to now.
pub async fn end_tokens_of_partner(gate: &Gate, actor: &Actor, partner: &str) -> Result<(), Failure> {
    let found = crate::partners::find(gate, partner).await?;
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(10_000_500);

    fn token(jti: &'static str, client: &'static str, issued: i64) -> IssuedTo<'static> {
        IssuedTo { jti, client, partner: None, issued: Timestamp::from_micros(issued) }
    }

    fn of_client(at: Timestamp, api: u128) -> Revocation {
        let what = Revoked::Client(ClientId::parse("c").unwrap());
        Revocation::of_all(what, vec![ApiId(Uuid::from_u128(api))], Duration::from_secs(60), at)
    }

    #[test]
    fn a_client_s_tokens_up_to_the_moment_are_covered_and_later_ones_are_not() {
        let mut set = Set::default();
        set.insert(1, of_client(NOW, 1));

        assert!(set.covers(&token("j", "c", 9_000_000)));
        assert!(set.covers(&token("j", "c", 10_000_999)), "the same millisecond");
        assert!(!set.covers(&token("j", "c", 10_001_000)));
        assert!(!set.covers(&token("j", "d", 9_000_000)));
    }

    #[test]
    fn an_earlier_revocation_neither_shortens_nor_hides_a_later_one() {
        let (early, late) = (of_client(Timestamp::from_micros(1_000_000), 1), of_client(NOW, 2));
        let mut set = Set::default();
        set.insert(1, late.clone());
        set.insert(2, early.clone());
        assert!(set.covers(&token("j", "c", 9_000_000)));

        let mut set = Set::default();
        set.insert(1, late.clone());
        set.insert(2, early.clone());
        assert_eq!(set.about(ApiId(Uuid::from_u128(1))).count(), 1, "the earlier one's API is told too");

        let mut set = Set::default();
        set.insert(1, early);
        set.insert(2, late);
        assert_eq!(set.about(ApiId(Uuid::from_u128(1))).count(), 1);
        assert_eq!(set.about(ApiId(Uuid::from_u128(2))).count(), 1);
    }

    #[test]
    fn what_is_over_is_let_go() {
        let mut set = Set::default();
        set.insert(1, of_client(NOW, 1));
        set.let_go(NOW.after(Duration::from_secs(60)));

        assert!(!set.covers(&token("j", "c", 9_000_000)));
    }
}
