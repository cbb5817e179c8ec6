//! This folder is where generated tokens, good and mutated, are judged here and by an independent implementation.
//!
//! [`tokens`] makes the tokens from a seed, [`changes`] lists what is changed and signed again, and [`argued`] says
//! why a verdict differs. A kind of token that is not argued must get one verdict from both; one that is argued
//! must still get the two verdicts written there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gatepost_jose::verify::verify;
use gatepost_jose::{Algorithm, Expectation, Expected, Micros, SigningKey};
use jsonwebtoken as other;
use serde_json::Value;

use crate::keyring::{Ring, key};
use argued::{ARGUED, Argued, argued_of};
use tokens::Tokens;

mod argued;
mod changes;
mod tokens;

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const AUDIENCE: &str = "https://api.example";
/// The other implementation reads the clock itself, so good dates are far on both sides of any day this runs.
pub(crate) const LONG_AGO: i64 = 1_577_836_800;
pub(crate) const FAR_AHEAD: i64 = 4_102_444_800;
const NOW: i64 = 1_795_392_000;
const LEEWAY: Duration = Duration::from_secs(60);
const LIFETIME: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// What a verifier says of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Valid,
    Refused,
}

/// The two verifiers, set to expect the same.
struct Judges {
    key: &'static SigningKey,
    ring: Ring,
    expectation: Expectation,
    other_key: other::DecodingKey,
    validation: other::Validation,
}

impl Judges {
    fn of(algorithm: Algorithm) -> Self {
        let key = key(algorithm);
        let profile = Expected::Rfc9068 { issuer: ISSUER.into(), audience: AUDIENCE.into() };
        let jwk = serde_json::from_value(serde_json::to_value(key.public().to_jwk()).unwrap()).unwrap();
        let mut validation = other::Validation::new(algorithm.as_str().parse().unwrap());
        validation.leeway = LEEWAY.as_secs();
        validation.validate_nbf = true;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Self {
            key,
            ring: Ring::of(key),
            expectation: Expectation { profile, leeway: LEEWAY, max_lifetime: LIFETIME },
            other_key: other::DecodingKey::from_jwk(&jwk).unwrap(),
            validation,
        }
    }

    fn ours(&self, token: &str, now: i64) -> Verdict {
        let judged = verify(token, &self.ring)
            .and_then(|verified| self.expectation.check(&verified, Micros::from_seconds(now).unwrap()));
        if judged.is_ok() { Verdict::Valid } else { Verdict::Refused }
    }

    /// It leaves the choice of the key to its caller, so the key is found by its id here, as callers do.
    fn theirs(&self, token: &str) -> Verdict {
        let known = other::decode_header(token)
            .is_ok_and(|header| header.kid.as_deref() == Some(self.key.kid().as_str()));
        if known && other::decode::<Value>(token, &self.other_key, &self.validation).is_ok() {
            Verdict::Valid
        } else {
            Verdict::Refused
        }
    }
}

/// For each kind of token, the pairs of verdicts (ours, theirs) with the number of tokens.
type Verdicts = BTreeMap<String, BTreeMap<(Verdict, Verdict), usize>>;

fn judge_all(algorithm: Algorithm, seed: u64) -> Verdicts {
    let judges = Judges::of(algorithm);
    let mut verdicts = Verdicts::new();
    Tokens::new(judges.key, seed).each(&mut |kind, token| {
        let pair = (judges.ours(token, NOW), judges.theirs(token));
        *verdicts.entry(kind.to_owned()).or_default().entry(pair).or_default() += 1;
    });
    verdicts
}

/// What the table of arguments gets wrong about these verdicts.
fn complaints<'a>(verdicts: &Verdicts, argued: impl IntoIterator<Item = &'a Argued>) -> Vec<String> {
    let mut table = BTreeMap::new();
    for entry in argued {
        assert!(!entry.reason.is_empty(), "{:?} are argued without a reason", entry.kinds);
        for kind in entry.kinds {
            assert!(table.insert(*kind, (entry.ours, entry.theirs)).is_none(), "`{kind}` is argued twice");
        }
    }
    let mut complaints = Vec::new();
    for (kind, pairs) in verdicts {
        let found: BTreeSet<_> = pairs.keys().copied().collect();
        match table.remove(kind.as_str()) {
            Some(pair) if found == BTreeSet::from([pair]) => (),
            Some(pair) => complaints.push(format!("{kind}: argued as {pair:?}, found {found:?}")),
            None if found.iter().all(|(ours, theirs)| ours == theirs) => (),
            None => complaints.push(format!("{kind}: (ours, theirs) is {pairs:?}, and nothing argues it")),
        }
    }
    complaints.extend(table.keys().map(|kind| format!("{kind}: argued, but no such token was made")));
    complaints
}

#[test]
fn generated_tokens_get_the_same_verdict_elsewhere_or_the_difference_is_argued() {
    for (algorithm, seed) in Algorithm::ALL.into_iter().zip(1..) {
        let verdicts = judge_all(algorithm, seed);
        let count = |counts: &dyn Fn(&(Verdict, Verdict)) -> bool| -> usize {
            verdicts.values().flatten().filter(|(pair, _)| counts(pair)).map(|(_, number)| number).sum()
        };
        let good = count(&|pair| *pair == (Verdict::Valid, Verdict::Valid));
        let refused = count(&|pair| *pair == (Verdict::Refused, Verdict::Refused));
        let differing = count(&|(ours, theirs)| ours != theirs);
        println!(
            "{algorithm}: {} kinds, {good} valid and {refused} refused by both, {differing} argued",
            verdicts.len()
        );

        let complaints = complaints(&verdicts, ARGUED.iter().chain(argued_of(algorithm)));
        assert!(complaints.is_empty(), "{algorithm}, seed {seed}:\n{}", complaints.join("\n"));
        assert!(good >= 300 && refused >= 2000, "{algorithm}: too few tokens to say anything");
        assert_eq!(verdicts["good"].keys().collect::<Vec<_>>(), [&(Verdict::Valid, Verdict::Valid)]);
    }
}

#[test]
fn a_difference_without_argument_and_an_argument_without_difference_are_both_told() {
    const ARGUMENT: Argued =
        Argued { kinds: &["odd"], ours: Verdict::Refused, theirs: Verdict::Valid, reason: "for this test" };
    let odd = |ours, theirs| Verdicts::from([("odd".to_owned(), BTreeMap::from([((ours, theirs), 1)]))]);

    assert!(complaints(&odd(Verdict::Refused, Verdict::Valid), &[ARGUMENT]).is_empty());
    assert!(complaints(&odd(Verdict::Valid, Verdict::Valid), &[]).is_empty());
    assert_eq!(complaints(&odd(Verdict::Refused, Verdict::Valid), &[]).len(), 1);
    assert_eq!(complaints(&odd(Verdict::Refused, Verdict::Refused), &[ARGUMENT]).len(), 1);
    assert_eq!(complaints(&odd(Verdict::Valid, Verdict::Refused), &[ARGUMENT]).len(), 1);
    assert_eq!(complaints(&Verdicts::new(), &[ARGUMENT]).len(), 1);
}

/// Verdicts for one date at some seconds around an instant, both of the same second of the other's clock.
fn around(claim: &'static str, from_now: i64) -> Vec<(i64, Verdict, Verdict)> {
    let judges = Judges::of(Algorithm::EdDsa);
    let mut tokens = Tokens::new(judges.key, 5);
    loop {
        let now = i64::try_from(other::get_current_timestamp()).unwrap();
        let judged = (-2..=2).map(|off| {
            let token = tokens.with_claim(claim, &(now + from_now + off).to_string());
            (off, judges.ours(&token, now), judges.theirs(&token))
        });
        let judged = judged.collect();
        // Its clock went on to the next second meanwhile: these verdicts are not about one instant.
        if i64::try_from(other::get_current_timestamp()).unwrap() == now {
            return judged;
        }
    }
}

#[test]
fn the_leeway_ends_at_the_same_second_elsewhere_but_for_the_second_of_expiry_itself() {
    use Verdict::{Refused, Valid};
    let leeway = i64::try_from(LEEWAY.as_secs()).unwrap();

    // RFC 7519 section 4.1.4: not accepted "on or after" the expiry; the other one accepts on it.
    assert_eq!(
        around("exp", -leeway),
        [
            (-2, Refused, Refused),
            (-1, Refused, Refused),
            (0, Refused, Valid),
            (1, Valid, Valid),
            (2, Valid, Valid)
        ]
    );
    assert_eq!(
        around("nbf", leeway),
        [
            (-2, Valid, Valid),
            (-1, Valid, Valid),
            (0, Valid, Valid),
            (1, Refused, Refused),
            (2, Refused, Refused)
        ]
    );
}
