//! This file is where signing alone is measured: the same library, key size and length, as many threads as cores.
//!
//! It runs in a process of its own, so that it can have the server's cores and the generator's time stays apart.

mod at_rate;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256};

use crate::arguments::RawArguments;
use crate::arrivals::Arrivals;
use crate::failure::{Failure, Outcome};
use crate::parent;
use crate::processor::Placement;
use crate::subject::Subject;

/// Raw signing of one kind, ready to be measured in slices.
#[derive(Debug)]
pub(crate) struct Raw {
    subject: Subject,
    key: PathBuf,
    bytes: usize,
    own_words: &'static [&'static str],
}

impl Raw {
    /// Makes a key for this run; `bytes` is the length of what the server signs, `own_words` is how this program is
    /// told to do the signing.
    pub(crate) fn new(
        subject: Subject,
        bytes: usize,
        folder: &Path,
        own_words: &'static [&'static str],
    ) -> Outcome<Self> {
        let key = folder.join(format!("{}.pk8", subject.name()));
        let der = generate(subject).map_err(|why| Failure::new("a key for raw signing", why))?;
        fs::write(&key, der).map_err(|why| Failure::new("a key for raw signing", why))?;
        Ok(Self { subject, key, bytes, own_words })
    }

    /// Signatures a second over one slice.
    pub(crate) fn slice(&self, placement: Placement, window: Duration) -> Outcome<f64> {
        let said = self.said(placement, window, &[])?;
        said.trim().parse().map_err(|why| Failure::new("raw signing printed no rate", why))
    }

    /// Milliseconds from when each of so many signatures was due, by as many threads as there are cores.
    pub(crate) fn at_rate(&self, placement: Placement, arrivals: Arrivals) -> Outcome<Vec<f64>> {
        let Arrivals { rate, window, seed } = arrivals;
        let said =
            self.said(placement, window, &["--rate", &rate.to_string(), "--seed", &seed.to_string()])?;
        let latencies: Result<Vec<f64>, _> = said.lines().map(str::parse).collect();
        latencies.map_err(|why| Failure::new("raw signing printed no latencies", why))
    }

    /// What the child process prints.
    fn said(&self, placement: Placement, window: Duration, more: &[&str]) -> Outcome<String> {
        let program =
            std::env::current_exe().map_err(|why| Failure::new("the harness's own program", why))?;
        let mut command = placement.command(&program);
        command.args(self.own_words).args(["--algorithm", self.subject.name()]).arg("--key").arg(&self.key);
        command.args(["--bytes", &self.bytes.to_string(), "--threads", &placement.cores().to_string()]);
        command.args(["--milliseconds", &window.as_millis().to_string()]);
        command.args(more).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = |why| Failure::new("raw signing did not start", why);
        let mut child = command.spawn().map_err(failed)?;
        // Open until the child has ended, which would end itself otherwise.
        let input = child.stdin.take();
        let done = child.wait_with_output().map_err(failed)?;
        drop(input);
        if !done.status.success() {
            return Err(Failure::new("raw signing", String::from_utf8_lossy(&done.stderr)));
        }
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }
}

/// The child process: signs until the time is over and prints signatures a second, or signs what is due and prints how
/// many milliseconds each took. It ends early when whoever started it is gone.
pub(crate) fn run(asked: &RawArguments) -> Outcome<()> {
    let der = fs::read(&asked.key).map_err(|why| Failure::new("the key for raw signing", why))?;
    let signer =
        Signer::parse(asked.algorithm, &der).map_err(|why| Failure::new("the key for raw signing", why))?;
    let (message, random, alone) =
        (vec![b'a'; asked.bytes], SystemRandom::new(), Arc::<AtomicBool>::default());
    let told = Arc::clone(&alone);
    parent::when_gone(move || told.store(true, Ordering::Relaxed));
    let sign = || {
        if alone.load(Ordering::Relaxed) {
            return None;
        }
        signer.sign(&random, &message).map(|_| ())
    };

    let window = Duration::from_millis(asked.milliseconds);
    let figures = match asked.rate {
        Some(rate) => at_rate::latencies(asked.threads, Arrivals { rate, window, seed: asked.seed }, sign),
        None => one_after_the_other(asked.threads, window, sign).map(|rate| vec![rate]),
    };
    let why = if alone.load(Ordering::Relaxed) { "whoever started it is gone" } else { "a signature failed" };
    print(&figures.ok_or_else(|| Failure::new("raw signing", why))?)
}

/// Signatures a second of all threads together; none when a signature fails.
fn one_after_the_other(
    threads: usize,
    window: Duration,
    sign: impl Fn() -> Option<()> + Sync,
) -> Option<f64> {
    let work = || {
        let (start, mut count) = (Instant::now(), 0u64);
        while start.elapsed() < window {
            sign()?;
            count += 1;
        }
        Some(count as f64 / start.elapsed().as_secs_f64())
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(|thread| thread.join().ok().flatten()).sum()
    })
}

fn print(figures: &[f64]) -> Outcome<()> {
    let lines: String = figures.iter().map(|figure| format!("{figure}\n")).collect();
    std::io::stdout().write_all(lines.as_bytes()).map_err(|why| Failure::new("standard output", why))
}

/// A key parsed once, shared by all threads.
enum Signer {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    fn parse(subject: Subject, der: &[u8]) -> Result<Self, aws_lc_rs::error::KeyRejected> {
        match subject {
            Subject::Rsa4096 | Subject::Rsa2048 => RsaKeyPair::from_pkcs8(der).map(Self::Rsa),
            Subject::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(Self::Ecdsa)
            }
            Subject::Eddsa => Ed25519KeyPair::from_pkcs8(der).map(Self::Ed25519),
        }
    }

    /// The signature's length, so that no optimiser may leave the work out; nothing when it failed.
    fn sign(&self, random: &SystemRandom, message: &[u8]) -> Option<usize> {
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, random, message, &mut signature).ok()?;
                Some(std::hint::black_box(signature).len())
            }
            Self::Ecdsa(key) => Some(std::hint::black_box(key.sign(random, message).ok()?).as_ref().len()),
            Self::Ed25519(key) => Some(std::hint::black_box(key.sign(message)).as_ref().len()),
        }
    }
}

fn generate(subject: Subject) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
    let rsa = |size| {
        let der: Pkcs8V1Der<'static> = RsaKeyPair::generate(size)?.as_der()?;
        Ok(der.as_ref().to_vec())
    };
    match subject {
        Subject::Rsa4096 => rsa(KeySize::Rsa4096),
        Subject::Rsa2048 => rsa(KeySize::Rsa2048),
        Subject::Es256 => {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
            Ok(key.to_pkcs8v1()?.as_ref().to_vec())
        }
        Subject::Eddsa => Ok(Ed25519KeyPair::generate()?.to_pkcs8v1()?.as_ref().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_signs_with_the_key_made_for_it() {
        for (subject, length) in [(Subject::Rsa2048, 256), (Subject::Es256, 64), (Subject::Eddsa, 64)] {
            let der = generate(subject).expect("a key");
            let signer = Signer::parse(subject, &der).expect("its own key");
            assert_eq!(signer.sign(&SystemRandom::new(), b"a.b"), Some(length));
        }
    }
}
