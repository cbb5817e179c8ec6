//! This file is where what is revoked at one moment is a set that answers without a look-up; `memory.rs` holds the
//! present one.
//!
//! The idea: a state of the set never changes; the next one shares with it all but what is new, so that one more
//! revocation costs the same however many there are. What is over is found by its end, not by looking at everything.
//! The price: some hundred bytes for each revocation, and a few steps more for each question.

use std::hash::Hash;
use std::sync::Arc;

use gatepost_core::apis::ApiId;
use gatepost_core::clients::ClientId;
use gatepost_core::partners::PartnerId;
use gatepost_core::time::Timestamp;
use gatepost_core::tokens::revoke::{Revocation, Revoked};
use rpds::{HashTrieMapSync, RedBlackTreeMapSync, RedBlackTreeSetSync};

/// What is revoked at one moment; a clone costs nothing.
#[derive(Clone, Default)]
pub struct Set {
    pub(super) seq: i64,
    tokens: HashTrieMapSync<String, (i64, Arc<Revocation>)>,
    clients: HashTrieMapSync<ClientId, Arc<Revocation>>,
    partners: HashTrieMapSync<PartnerId, Arc<Revocation>>,
    /// The single tokens of each client.
    of_clients: HashTrieMapSync<ClientId, Ends>,
    /// Those that each API is told about.
    of_apis: HashTrieMapSync<ApiId, Ends>,
    /// By when it is over, and by the change that brought it.
    ends: RedBlackTreeMapSync<(Timestamp, i64), Revoked>,
}

/// When revocations are over, each with the change that brought it.
type Ends = RedBlackTreeSetSync<(Timestamp, i64)>;

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

/// Who holds places for single tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    /// The client's that got the tokens.
    Client(ClientId),
    /// The API's that they are for, and whose guards are told.
    Api(ApiId),
}

impl Set {
    pub(super) fn insert(&mut self, seq: i64, revocation: Revocation) {
        self.seq = self.seq.max(seq);
        self.ends.insert_mut((revocation.until, seq), revocation.what.clone());
        let revocation = Arc::new(revocation);
        match &revocation.what {
            Revoked::Token(jti) => self.insert_token(seq, jti.clone(), &revocation),
            Revoked::Client(id) => keep_later(&mut self.clients, id.clone(), &revocation),
            Revoked::Partner(id) => keep_later(&mut self.partners, *id, &revocation),
        }
    }

    fn insert_token(&mut self, seq: i64, jti: String, revocation: &Arc<Revocation>) {
        if let Some((earlier, known)) = self.tokens.get(&jti).cloned() {
            self.uncount(earlier, &known);
        }
        self.tokens.insert_mut(jti, (seq, Arc::clone(revocation)));
        let end = (revocation.until, seq);
        revocation.client.iter().for_each(|client| add(&mut self.of_clients, client, end));
        revocation.apis.iter().for_each(|api| add(&mut self.of_apis, api, end));
    }

    fn uncount(&mut self, seq: i64, revocation: &Revocation) {
        let end = (revocation.until, seq);
        revocation.client.iter().for_each(|client| take(&mut self.of_clients, client, end));
        revocation.apis.iter().for_each(|api| take(&mut self.of_apis, api, end));
    }

    /// Drops what is over; whether anything was.
    pub(super) fn let_go(&mut self, now: Timestamp) -> bool {
        let mut any = false;
        while let Some((end, what)) = self.ends.first().filter(|((until, _), _)| *until <= now) {
            let (end, what) = (*end, what.clone());
            self.ends.remove_mut(&end);
            self.drop_if_over(&what, now);
            any = true;
        }
        any
    }

    fn drop_if_over(&mut self, what: &Revoked, now: Timestamp) {
        match what {
            Revoked::Token(jti) => {
                let over = self.tokens.get(jti).filter(|(_, known)| known.is_over(now)).cloned();
                if let Some((seq, over)) = over {
                    self.tokens.remove_mut(jti);
                    self.uncount(seq, &over);
                }
            }
            // A later one of the same client or partner may have taken its place.
            Revoked::Client(id) => drop_over(&mut self.clients, id, now),
            Revoked::Partner(id) => drop_over(&mut self.partners, id, now),
        }
    }

    /// Whether a token was revoked: itself, or all that its client or partner got up to some moment after it.
    ///
    /// Issue times are known to the millisecond, so a token of the very millisecond of a revocation is covered.
    pub fn covers(&self, token: &IssuedTo<'_>) -> bool {
        let up_to = |revocation: &Arc<Revocation>| token.issued.millis() <= revocation.at.millis();
        let client = ClientId::parse(token.client).and_then(|id| self.clients.get(&id));
        let partner =
            token.partner.and_then(|id| id.parse().ok()).and_then(|id| self.partners.get(&PartnerId(id)));
        self.holds_token(token.jti) || client.is_some_and(up_to) || partner.is_some_and(up_to)
    }

    /// Whether this very token was revoked.
    pub fn holds_token(&self, jti: &str) -> bool {
        self.tokens.contains_key(jti)
    }

    /// How many single tokens a client has given back that have not expired since.
    pub fn tokens_of(&self, client: &ClientId) -> usize {
        self.of_clients.get(client).map_or(0, Ends::size)
    }

    /// How many single tokens that holder's are revoked, and when the first of them is over.
    pub(super) fn singles(&self, holder: &Holder) -> (usize, Option<Timestamp>) {
        let ends = match holder {
            Holder::Client(client) => self.of_clients.get(client),
            Holder::Api(api) => self.of_apis.get(api),
        };
        (ends.map_or(0, Ends::size), ends.and_then(Ends::first).map(|(until, _)| *until))
    }

    /// How many revocations there are of each kind.
    pub fn counts(&self) -> [(&'static str, usize); 3] {
        [("token", self.tokens.size()), ("client", self.clients.size()), ("partner", self.partners.size())]
    }

    /// Until when tokens that a client gets are revoked from the start, if that is not before `since`.
    pub(crate) fn bars(&self, client: &ClientId, partner: PartnerId, since: Timestamp) -> Option<Timestamp> {
        let found = self.clients.get(client).into_iter().chain(self.partners.get(&partner));
        found.map(|revocation| revocation.at).filter(|at| since.millis() <= at.millis()).max()
    }

    /// The revocations that an API is told about.
    pub fn about(&self, api: ApiId) -> impl Iterator<Item = &Revocation> {
        let tokens = self.tokens.values().map(|(_, revocation)| revocation);
        let all = tokens.chain(self.clients.values()).chain(self.partners.values());
        all.map(Arc::as_ref).filter(move |revocation| revocation.apis.contains(&api))
    }
}

fn add<K: Hash + Eq + Clone>(known: &mut HashTrieMapSync<K, Ends>, key: &K, end: (Timestamp, i64)) {
    if let Some(ends) = known.get_mut(key) {
        ends.insert_mut(end);
        return;
    }
    let mut ends = Ends::default();
    ends.insert_mut(end);
    known.insert_mut(key.clone(), ends);
}

fn take<K: Hash + Eq + Clone>(known: &mut HashTrieMapSync<K, Ends>, key: &K, end: (Timestamp, i64)) {
    let Some(ends) = known.get_mut(key) else { return };
    ends.remove_mut(&end);
    if ends.is_empty() {
        known.remove_mut(key);
    }
}

fn keep_later<K: Hash + Eq>(known: &mut HashTrieMapSync<K, Arc<Revocation>>, key: K, new: &Arc<Revocation>) {
    let Some(known_one) = known.get(&key) else {
        known.insert_mut(key, Arc::clone(new));
        return;
    };
    // Whichever is later, what the other told to other APIs must not be forgotten with it.
    let later = if new.at > known_one.at { new } else { known_one };
    let mut apis: Vec<_> = known_one.apis.iter().chain(&new.apis).copied().collect();
    apis.sort();
    apis.dedup();
    let until = known_one.until.max(new.until);
    let kept = Arc::new(Revocation { apis, until, ..Revocation::clone(later) });
    known.insert_mut(key, kept);
}

fn drop_over<K: Hash + Eq>(known: &mut HashTrieMapSync<K, Arc<Revocation>>, key: &K, now: Timestamp) {
    if known.get(key).is_some_and(|revocation| revocation.is_over(now)) {
        known.remove_mut(key);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(10_000_500);
    const MINUTE: Duration = Duration::from_secs(60);

    fn token(jti: &'static str, client: &'static str, issued: i64) -> IssuedTo<'static> {
        IssuedTo { jti, client, partner: None, issued: Timestamp::from_micros(issued) }
    }

    fn of_client(at: Timestamp, api: u128) -> Revocation {
        let what = Revoked::Client(id("c"));
        Revocation::of_all(what, vec![ApiId(Uuid::from_u128(api))], MINUTE, at)
    }

    fn of_token(jti: &str, client: &str, until: Timestamp) -> Revocation {
        let api = ApiId(Uuid::from_u128(1));
        Revocation::of_token(api, jti.into(), until, Duration::ZERO, NOW).got_by(id(client))
    }

    fn id(client: &str) -> ClientId {
        ClientId::parse(client).unwrap()
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
        for order in [[late.clone(), early.clone()], [early, late]] {
            let mut set = Set::default();
            (1..).zip(order).for_each(|(seq, revocation)| set.insert(seq, revocation));
            assert!(set.covers(&token("j", "c", 9_000_000)));
            assert_eq!(set.about(ApiId(Uuid::from_u128(1))).count(), 1, "the earlier one's API is told too");
            assert_eq!(set.about(ApiId(Uuid::from_u128(2))).count(), 1);

            set.let_go(NOW.before(Duration::from_secs(1)).after(MINUTE));
            assert!(set.covers(&token("j", "c", 9_000_000)), "the earlier one ends before the later");
        }
    }

    #[test]
    fn what_is_over_is_let_go() {
        let mut set = Set::default();
        set.insert(1, of_client(NOW, 1));
        assert!(!set.let_go(NOW.after(MINUTE).before(Duration::from_micros(1))));
        assert!(set.let_go(NOW.after(MINUTE)));

        assert!(!set.covers(&token("j", "c", 9_000_000)));
        assert_eq!(set.counts().map(|(_, count)| count), [0, 0, 0]);
    }

    #[test]
    fn the_tokens_of_each_client_are_counted_while_they_live() {
        let mut set = Set::default();
        for (seq, (jti, client, seconds)) in
            (1..).zip([("a", "c", 1), ("b", "c", 2), ("b", "c", 2), ("x", "d", 2)])
        {
            set.insert(seq, of_token(jti, client, NOW.after(Duration::from_secs(seconds))));
        }
        let counts = |set: &Set| [set.tokens_of(&id("c")), set.tokens_of(&id("d")), set.tokens_of(&id("e"))];
        assert_eq!(counts(&set), [2, 1, 0]);
        let earlier = set.clone();
        set.let_go(NOW.after(Duration::from_secs(1)));
        assert_eq!(counts(&set), [1, 1, 0]);
        set.let_go(NOW.after(Duration::from_secs(2)));
        assert_eq!(counts(&set), [0, 0, 0]);
        assert_eq!(set.singles(&Holder::Api(ApiId(Uuid::from_u128(1)))), (0, None));
        assert_eq!(earlier.singles(&Holder::Api(ApiId(Uuid::from_u128(1)))).0, 3);
        assert_eq!(earlier.singles(&Holder::Client(id("c"))).1, Some(NOW.after(Duration::from_secs(1))));
        assert_eq!(counts(&earlier), [2, 1, 0], "whoever holds an earlier state keeps it");
    }
}
