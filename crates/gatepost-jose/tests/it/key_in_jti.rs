//! This file is where it is shown that a key named in the `jti` saves checks and changes no verdict.
//!
//! Keys are made, imported, promoted early or late, retired and revoked at random; issuers and judges are behind the ring
//! by some steps each, as nodes and guards are. The yardstick tries every key of the judge's ring.

use std::cell::Cell;
use std::sync::LazyLock;

use gatepost_jose::verify::{Candidates, Keys, MAX_CANDIDATES, verify};
use gatepost_jose::{Algorithm, Header, PublicKey, Rejection, SigningKey, base64url, key_in_jti, sign};
use proptest::prelude::*;

use super::keyring::fresh;

const HEADER: &str = r#"{"typ":"JWT","alg":"EdDSA"}"#;
static POOL: LazyLock<Vec<SigningKey>> = LazyLock::new(|| (0..12).map(|_| fresh(Algorithm::EdDsa)).collect());

/// A judge's keys, and how many signatures it has checked.
struct Judge {
    public: Vec<PublicKey>,
    checks: Cell<usize>,
}

impl Keys for Judge {
    fn candidates(&self, _: &Header) -> Candidates<'_> {
        Candidates::all(&self.public)
    }

    fn checking(&self) {
        self.checks.set(self.checks.get() + 1);
    }
}

impl Judge {
    /// What is said of the token (the key that signed it), and how many signatures were checked.
    fn verdict(keys: &[Held], token: &str) -> (Result<String, Rejection>, usize) {
        let public = keys.iter().map(|held| held.public()).collect();
        let judge = Self { public, checks: Cell::default() };
        let verdict = verify(token, &judge).map(|verified| verified.kid().as_str().to_owned());
        (verdict, judge.checks.get())
    }
}

/// The yardstick: every key is tried, and nothing of the token is read but its signature.
fn by_trial(keys: &[Held], token: &str) -> Result<String, Rejection> {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = base64url::decode(signature).unwrap();
    let signs = |held: &&Held| held.public().verify(signed.as_bytes(), &signature).is_ok();
    let found = keys.iter().find(signs).map(|held| held.key().kid().as_str().to_owned());
    found.ok_or(Rejection::Signature)
}

/// A key of the pool in somebody's ring.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Held {
    at: usize,
    /// Made by the server itself, and not brought along from an issuer who may go on signing with it.
    made_here: bool,
}

impl Held {
    fn key(self) -> &'static SigningKey {
        &POOL[self.at]
    }

    fn public(self) -> PublicKey {
        self.key().public().clone().named_in_jti(self.made_here)
    }
}

/// What happens to the ring; the first key signs.
#[derive(Clone, Debug)]
enum Step {
    Publish {
        made_here: bool,
    },
    /// The youngest takes over, its time come or not.
    Promote,
    /// The one there longest goes, its tokens over or not.
    Retire,
    /// The one that signs goes, and the youngest takes its place.
    Revoke,
}

/// The ring after each step; no more keys come along than are tried.
fn history(steps: &[Step]) -> Vec<Vec<Held>> {
    let mut rings = vec![vec![Held { at: 0, made_here: true }]];
    let mut made = 1;
    for step in steps {
        let mut ring = rings[rings.len() - 1].clone();
        match step {
            Step::Publish { made_here } if has_room(&ring, *made_here) && made < POOL.len() => {
                ring.push(Held { at: made, made_here: *made_here });
                made += 1;
            }
            Step::Promote => ring.rotate_right(1),
            Step::Retire if ring.len() > 1 => drop(ring.remove(1)),
            Step::Revoke if ring.len() > 1 => drop(ring.swap_remove(0)),
            Step::Publish { .. } | Step::Retire | Step::Revoke => {}
        }
        rings.push(ring);
    }
    rings
}

fn has_room(ring: &[Held], made_here: bool) -> bool {
    made_here || ring.iter().filter(|held| !held.made_here).count() < MAX_CANDIDATES
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => any::<bool>().prop_map(|made_here| Step::Publish { made_here }),
        3 => Just(Step::Promote),
        1 => Just(Step::Retire),
        1 => Just(Step::Revoke),
    ]
}

/// Who writes a token.
#[derive(Clone, Debug)]
enum Author {
    /// A node of the server, behind by some steps.
    Server { behind: usize },
    /// The issuer that a key was brought along from, if the ring has one.
    Elsewhere,
    /// Nobody who has a key; the id names the key at that place of the pool, or none.
    Forger { names: Option<usize> },
}

fn author() -> impl Strategy<Value = Author> {
    prop_oneof![
        3 => (0_usize..4).prop_map(|behind| Author::Server { behind }),
        1 => Just(Author::Elsewhere),
        2 => proptest::option::of(0..POOL.len()).prop_map(|names| Author::Forger { names }),
    ]
}

fn token(key: &SigningKey, id: [u8; 40]) -> String {
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    sign::compact(key, HEADER, &format!(r#"{{"aud":"client","jti":"{hex}","iat":1,"sub":""}}"#)).unwrap()
}

fn damaged(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    format!("{signed}.{other}{}", &signature[1..])
}

impl Author {
    fn write(&self, rings: &[Vec<Held>], chance: [u8; 40]) -> Option<String> {
        let now = rings.len() - 1;
        match self {
            Self::Server { behind } => {
                let key = rings[now.saturating_sub(*behind)][0].key();
                Some(token(key, key_in_jti::naming(key.kid(), chance)))
            }
            Self::Elsewhere => {
                let foreign = rings[now].iter().find(|held| !held.made_here)?;
                Some(token(foreign.key(), chance))
            }
            Self::Forger { names } => {
                let named = |at: &usize| key_in_jti::naming(POOL[*at].kid(), chance);
                Some(damaged(&token(&POOL[0], names.as_ref().map_or(chance, named))))
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_verdict_is_that_of_trying_every_key(
        happenings in proptest::collection::vec((step(), author(), any::<[u64; 5]>()), 1..16),
        late in 0_usize..4,
    ) {
        let steps: Vec<_> = happenings.iter().map(|(step, ..)| step.clone()).collect();
        let rings = history(&steps);
        let mut tokens = Vec::new();
        for (at, (_, author, chance)) in happenings.iter().enumerate() {
            let mut bytes = [0; 40];
            bytes.chunks_exact_mut(8).zip(chance).for_each(|(to, from)| to.copy_from_slice(&from.to_be_bytes()));
            tokens.extend(author.write(&rings[..=at + 1], bytes));

            let ring = &rings[(at + 1).saturating_sub(late)];
            for token in &tokens {
                let (verdict, checks) = Judge::verdict(ring, token);
                prop_assert_eq!(verdict, by_trial(ring, token));
                let foreign = ring.iter().filter(|held| !held.made_here).count();
                prop_assert!(checks <= foreign.max(1), "{} checks, {} foreign keys", checks, foreign);
            }
        }
    }
}

#[test]
fn a_key_says_of_itself_in_its_jwk_that_it_is_named() {
    let key = POOL[0].public();
    let named = key.clone().named_in_jti(true);
    let json = serde_json::to_string(&named.to_jwk()).unwrap();
    assert!(json.contains(r#""gatepost_jti_names_key":true"#), "{json}");
    let read =
        |json: &str| PublicKey::from_jwk(&gatepost_jose::Jwk::parse(json.as_bytes()).unwrap()).unwrap();
    assert_eq!(read(&json), named);
    assert_eq!(read(&json.replace("true", "false")), *key);
    assert_eq!(read(&serde_json::to_string(&key.to_jwk()).unwrap()), *key);
}
