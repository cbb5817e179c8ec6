//! This file is where a guarded call is measured in this process, on one thread: the first of a token against all later ones.
//!
//! Slices of full verification and of remembered verdicts alternate; both go through the guard as a request does, from
//! its headers to the caller.

use std::fmt;
use std::time::{Duration, Instant};

use gatepost_guard::jose::{Algorithm, RsaBits, SigningKey, sign};
use gatepost_guard::{Clock as _, FixedKeys, Guard, SystemClock};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde::Serialize;

use crate::arguments::Plan;
use crate::failure::{Failure, Outcome};
use crate::load::rates;
use crate::processor::cores;
use crate::statistics::Quartiles;

const ISSUER: &str = "https://gate.example";
const AUDIENCE: &str = "https://api.example";

/// Calls a second of one thread.
#[derive(Debug, Serialize)]
pub(crate) struct Guarded {
    pub tokens: usize,
    /// Calls with a token that was not seen before, slice by slice.
    pub full: Vec<f64>,
    /// Calls with a token that was.
    pub remembered: Vec<f64>,
    /// Of the pairs' ratios.
    pub ratio: Quartiles,
}

/// For a reader.
impl fmt::Display for Guarded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.in_words())
    }
}

impl Guarded {
    fn in_words(&self) -> String {
        let lines = [
            format!(
                "guarded call, RS256/4096, one thread, {} tokens: remembered over full {:.1}  (quartiles {:.1} to {:.1})",
                self.tokens, self.ratio.median, self.ratio.lower, self.ratio.upper
            ),
            rates("full        /s", &self.full),
            rates("remembered  /s", &self.remembered),
        ];
        lines.join("\n")
    }
}

pub(crate) async fn measure(plan: &Plan, tokens: usize) -> Outcome<Guarded> {
    let key = SigningKey::generate(Algorithm::Rs256, RsaBits::B4096).map_err(failed)?;
    let requests = requests(&key, tokens)?;
    let (mut full, mut remembered) = (Vec::new(), Vec::new());
    for _ in 0..plan.slices {
        // A guard that has seen none of the tokens.
        let guard = Guard::builder().rfc9068(ISSUER, AUDIENCE).keys(FixedKeys::new([key.public().clone()]));
        let guard = guard.build().map_err(failed)?;
        full.push(calls(&guard, &requests, Duration::ZERO).await?);
        remembered.push(calls(&guard, &requests, plan.slice).await?);
    }
    let ratios: Vec<f64> = remembered.iter().zip(&full).map(|(later, first)| later / first).collect();
    Ok(Guarded { tokens: requests.len(), full, remembered, ratio: Quartiles::of(&ratios) })
}

/// All requests once, and again until the window is over; calls a second.
async fn calls(guard: &Guard, requests: &[HeaderMap], window: Duration) -> Outcome<f64> {
    let (began, mut count) = (Instant::now(), 0_u32);
    loop {
        for headers in requests {
            guard.authenticate(headers).await.map_err(failed)?;
        }
        count += 1;
        let passed = began.elapsed();
        if passed >= window {
            return Ok(f64::from(count) * requests.len() as f64 / passed.as_secs_f64());
        }
    }
}

/// Requests with a token each, signed on all cores.
fn requests(key: &SigningKey, count: usize) -> Outcome<Vec<HeaderMap>> {
    let now = SystemClock::new().now().seconds();
    let numbers: Vec<usize> = (0..count).collect();
    let of_a_thread = count.div_ceil(cores()).max(1);
    std::thread::scope(|scope| {
        let sign_some = |numbers: &'_ [usize]| -> Outcome<Vec<HeaderMap>> {
            numbers.iter().map(|number| request(key, *number, now)).collect()
        };
        let threads: Vec<_> =
            numbers.chunks(of_a_thread).map(|some| scope.spawn(move || sign_some(some))).collect();
        let mut requests = Vec::new();
        for thread in threads {
            requests.extend(thread.join().map_err(|_| failed("a signing thread broke off"))??);
        }
        Ok(requests)
    })
}

fn request(key: &SigningKey, number: usize, now: i64) -> Outcome<HeaderMap> {
    let header = serde_json::json!({ "typ": "at+jwt", "alg": "RS256", "kid": key.kid().as_str() });
    let claims = serde_json::json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "client", "client_id": "client", "scope": "bookings:read",
        "jti": format!("token-{number}"), "iat": now, "exp": now + 3_600, "is_test": false,
    });
    let token = sign::compact(key, &header.to_string(), &claims.to_string()).map_err(failed)?;
    let value = HeaderValue::try_from(format!("Bearer {token}")).map_err(failed)?;
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

fn failed(why: impl fmt::Display) -> Failure {
    Failure::new("the guarded call", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_minted_token_passes_and_another_keys_does_not() {
        let [own, other] =
            [(); 2].map(|()| SigningKey::generate(Algorithm::Rs256, RsaBits::B2048).expect("a key"));
        let keys = FixedKeys::new([own.public().clone()]);
        let guard = Guard::builder().rfc9068(ISSUER, AUDIENCE).keys(keys).build().expect("a guard");
        assert!(calls(&guard, &requests(&own, 3).expect("tokens"), Duration::ZERO).await.is_ok());
        assert!(calls(&guard, &requests(&other, 1).expect("tokens"), Duration::ZERO).await.is_err());
    }
}
