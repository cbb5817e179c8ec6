//! This file is where a guarded call is measured in this process: the first of a token against all later ones, beside
//! what the machine can do at most.
//!
//! Slices alternate: signatures checked alone and tokens hashed alone, which are the limits; then, through a guard as a
//! request goes, from its headers to the caller, tokens that are new to it, forged ones and remembered ones.

use std::fmt;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use gatepost_guard::jose::Rejection;
use gatepost_guard::{FixedKeys, Guard, Refusal};
use serde::Serialize;

use crate::calls::{AUDIENCE, Call, Calls, ISSUER};
use crate::failure::{Failure, Outcome};
use crate::load::rates;
use crate::statistics::{Latency, Quartiles};
use crate::subject::Subject;

/// A turn that is longer shows nothing more: a call takes microseconds.
pub(crate) const LONG_ENOUGH: Duration = Duration::from_secs(2);

/// How guarded calls are measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VerifyLoad {
    /// What the tokens are signed with.
    pub algorithm: Subject,
    /// Threads that call at once.
    pub threads: usize,
    /// How many turns each kind of call has.
    pub slices: u16,
    /// How long a turn is; one of new tokens is over when each was called with once.
    pub slice: Duration,
}

/// Calls a second of all threads together.
#[derive(Debug, Serialize)]
pub struct Guarded {
    /// What the tokens were signed with.
    pub algorithm: Subject,
    /// Threads that called at once.
    pub threads: usize,
    /// Different tokens.
    pub tokens: usize,
    /// Signatures checked with a parsed key and nothing else, slice by slice: no first call can be faster.
    pub signatures_alone: Vec<f64>,
    /// Tokens hashed by SHA-256 and nothing else: no later call can be faster.
    pub hashes_alone: Vec<f64>,
    /// Calls with a token that was not seen before.
    pub full: Vec<f64>,
    /// Calls with a token that nobody signed.
    pub forged: Vec<f64>,
    /// Calls with a token that was seen before.
    pub remembered: Vec<f64>,
    /// Remembered over full, slice by slice.
    pub ratio: Quartiles,
    /// Microseconds of a call with a new token.
    pub full_us: Latency,
    /// Microseconds of a call with a remembered one, with the two readings of the clock around it.
    pub remembered_us: Latency,
    /// Signature checks that the guards made; one for each new and each forged token.
    pub verifications: u64,
    /// Why the figure does not count; empty when it does.
    pub void: Vec<String>,
}

/// What the threads did in one slice.
#[derive(Default)]
struct Done {
    count: u64,
    rate: f64,
    microseconds: Vec<f64>,
}

/// How one call must end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    LetIn,
    Forged,
}

impl VerifyLoad {
    /// Measures with these calls; `tell` hears of each slice.
    pub(crate) fn measure(&self, calls: &Calls, tell: &dyn Fn(&str)) -> Outcome<Guarded> {
        let mut found = self.nothing_yet(calls);
        for number in 1..=self.slices {
            self.slice(calls, &mut found)?;
            let last = |rates: &[f64]| rates.last().copied().unwrap_or_default();
            tell(&format!(
                "{} on {}: slice {number} of {}: full {:.0}/s, remembered {:.0}/s",
                self.algorithm.name(),
                threads(self.threads),
                self.slices,
                last(&found.full),
                last(&found.remembered)
            ));
        }
        let pairs = found.remembered.iter().zip(&found.full);
        found.ratio = Quartiles::of(&pairs.map(|(later, first)| later / first).collect::<Vec<_>>());
        Ok(found)
    }

    fn nothing_yet(&self, calls: &Calls) -> Guarded {
        Guarded {
            algorithm: self.algorithm,
            threads: self.threads,
            tokens: calls.good.len(),
            signatures_alone: Vec::new(),
            hashes_alone: Vec::new(),
            full: Vec::new(),
            forged: Vec::new(),
            remembered: Vec::new(),
            ratio: Quartiles::of(&[]),
            full_us: Latency::of(&[]),
            remembered_us: Latency::of(&[]),
            verifications: 0,
            void: Vec::new(),
        }
    }

    /// With a guard that has seen none of the tokens.
    fn slice(&self, calls: &Calls, found: &mut Guarded) -> Outcome<()> {
        let key = calls.key.public();
        let checked = |call: &Call| key.verify(call.signed(), &call.signature).map_err(failed);
        let hashed = |call: &Call| {
            std::hint::black_box(digest(&SHA256, call.token()));
            Ok(())
        };
        found.signatures_alone.push(self.alone(&calls.good, checked)?.rate);
        found.hashes_alone.push(self.alone(&calls.good, hashed)?.rate);

        let guard = Guard::builder().rfc9068(ISSUER, AUDIENCE).keys(FixedKeys::new([key.clone()]));
        let guard = guard.remember(calls.good.len() as u64).build().map_err(failed)?;
        let once = self.timed(&guard, &calls.good)?;
        let forged = self.guarded(&guard, &calls.forged, End::Forged)?;
        let again = self.guarded(&guard, &calls.good, End::LetIn)?;
        let timed = self.timed(&guard, &calls.good)?;
        found.judge(&guard, [&once, &forged, &again, &timed]);
        found.full.push(once.rate);
        found.forged.push(forged.rate);
        found.remembered.push(again.rate);
        found.full_us = Latency::of(&once.microseconds);
        found.remembered_us = Latency::of(&timed.microseconds);
        Ok(())
    }

    /// Work without a guard, again and again until the time is over.
    fn alone(&self, calls: &[Call], work: impl Fn(&Call) -> Outcome<()> + Sync) -> Outcome<Done> {
        self.on_threads(calls, |calls| {
            let began = Instant::now();
            let mut count = 0;
            loop {
                calls.iter().try_for_each(&work)?;
                count += calls.len() as u64;
                if began.elapsed() >= self.slice {
                    return Ok(Done::of(count, began.elapsed()));
                }
            }
        })
    }

    /// Calls of a guard, again and again until the time is over.
    fn guarded(&self, guard: &Guard, calls: &[Call], end: End) -> Outcome<Done> {
        self.on_threads(calls, |calls| {
            runtime()?.block_on(async {
                let began = Instant::now();
                let mut count = 0;
                loop {
                    for call in calls {
                        end.expect(guard.authenticate(&call.headers).await.err())?;
                    }
                    count += calls.len() as u64;
                    if began.elapsed() >= self.slice {
                        return Ok(Done::of(count, began.elapsed()));
                    }
                }
            })
        })
    }

    /// Each call once, and how long each took.
    fn timed(&self, guard: &Guard, calls: &[Call]) -> Outcome<Done> {
        self.on_threads(calls, |calls| {
            runtime()?.block_on(async {
                let began = Instant::now();
                let mut microseconds = Vec::with_capacity(calls.len());
                for call in calls {
                    let asked = Instant::now();
                    let refusal = guard.authenticate(&call.headers).await.err();
                    microseconds.push(asked.elapsed().as_secs_f64() * 1e6);
                    End::LetIn.expect(refusal)?;
                }
                Ok(Done { microseconds, ..Done::of(calls.len() as u64, began.elapsed()) })
            })
        })
    }

    /// Each thread has its own part of the calls.
    fn on_threads(&self, calls: &[Call], work: impl Fn(&[Call]) -> Outcome<Done> + Sync) -> Outcome<Done> {
        let of_a_thread = calls.len().div_ceil(self.threads).max(1);
        std::thread::scope(|scope| {
            let work = &work;
            let threads: Vec<_> =
                calls.chunks(of_a_thread).map(|some| scope.spawn(move || work(some))).collect();
            let mut all = Done::default();
            for thread in threads {
                all.take(thread.join().map_err(|_| failed("a calling thread broke off"))??);
            }
            Ok(all)
        })
    }
}

impl End {
    fn expect(self, refusal: Option<Refusal>) -> Outcome<()> {
        match (self, refusal) {
            (Self::LetIn, None) | (Self::Forged, Some(Refusal::Invalid(Rejection::Signature))) => Ok(()),
            (Self::LetIn, Some(refusal)) => Err(failed(format!("a good token was refused: {refusal}"))),
            (Self::Forged, Some(refusal)) => {
                Err(failed(format!("a forged token was refused for: {refusal}")))
            }
            (Self::Forged, None) => Err(failed("a forged token was let in")),
        }
    }
}

impl Done {
    fn of(count: u64, passed: Duration) -> Self {
        Self { count, rate: count as f64 / passed.as_secs_f64(), microseconds: Vec::new() }
    }

    fn take(&mut self, other: Self) {
        self.count += other.count;
        self.rate += other.rate;
        self.microseconds.extend(other.microseconds);
    }
}

impl Guarded {
    /// What the guard counted must be what was asked of it: a check for each new and each forged token, no other.
    fn judge(&mut self, guard: &Guard, [once, forged, again, timed]: [&Done; 4]) {
        let (made, wanted) = (guard.verifications(), once.count + forged.count);
        if made != wanted {
            self.void.push(format!("the guard checked {made} signatures, not {wanted}"));
        }
        let (let_in, wanted) = (guard.status().accepted, once.count + again.count + timed.count);
        if let_in != wanted {
            self.void.push(format!("the guard counted {let_in} calls that it let in, not {wanted}"));
        }
        self.verifications += made;
    }
}

/// For a reader.
impl fmt::Display for Guarded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Quartiles { lower, median, upper } = self.ratio;
        writeln!(
            out,
            "guarded call, {}, {}, {} tokens: remembered over full {median:.1}  (quartiles {lower:.1} to {upper:.1})",
            self.algorithm.name(),
            threads(self.threads),
            self.tokens
        )?;
        writeln!(out, "{}", rates("signatures alone /s", &self.signatures_alone))?;
        writeln!(out, "{}", rates("full             /s", &self.full))?;
        writeln!(out, "{}", rates("forged           /s", &self.forged))?;
        writeln!(out, "{}", rates("SHA-256 alone    /s", &self.hashes_alone))?;
        write!(out, "{}", rates("remembered       /s", &self.remembered))?;
        self.void.iter().try_for_each(|why| write!(out, "\n  VOID: {why}"))
    }
}

/// One thread, several threads.
pub(crate) fn threads(count: usize) -> String {
    if count == 1 { "one thread".to_owned() } else { format!("{count} threads") }
}

fn runtime() -> Outcome<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().build().map_err(failed)
}

fn failed(why: impl fmt::Display) -> Failure {
    Failure::new("the guarded call", why)
}

#[cfg(test)]
mod tests;
