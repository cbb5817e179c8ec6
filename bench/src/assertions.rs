//! This file is where one client proves itself by very many assertions, and it is measured what the server keeps of them.
//!
//! Every assertion is valid for as long as one may be, so that none can be forgotten before the end.

use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use crate::connection::{Ask, Connection, fetch};
use crate::failure::{Failure, Outcome};
use crate::gatepost::{Credentials, Installation};
use crate::processor::{Placement, resident};
use crate::subject::Subject;

const CONNECTIONS: usize = 16;
/// A little less than the five minutes that an assertion may live.
const LIFE: Duration = Duration::from_secs(290);
/// The first ones fill what any server keeps: connections, the client, the allocator's room.
const WARM_UP: u64 = 1_000;

/// What so many assertions left behind; memory in MB, the store in bytes.
#[derive(Debug, Serialize)]
pub(crate) struct Assertions {
    pub count: u64,
    pub resident_before_mb: f64,
    pub resident_after_mb: f64,
    pub growth_mb: f64,
    pub stored_before_bytes: u64,
    pub stored_after_bytes: u64,
    pub assertions_a_second: f64,
    /// Whether one of the first was refused when it came again at the end.
    pub replay_refused: bool,
}

impl fmt::Display for Assertions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let replay = if self.replay_refused { "refused" } else { "ACCEPTED" };
        write!(
            out,
            "{} client assertions of one client: resident {:.1} to {:.1} MB ({:+.1}), store {} to {} bytes, \
             {:.0}/s; the first, sent again: {replay}",
            self.count,
            self.resident_before_mb,
            self.resident_after_mb,
            self.growth_mb,
            self.stored_before_bytes,
            self.stored_after_bytes,
            self.assertions_a_second
        )
    }
}

pub(crate) async fn measure(installation: &Installation, count: u64) -> Outcome<Assertions> {
    let client = installation.client_for(Subject::Eddsa, "assertions")?;
    let key = key_of(installation, &client)?;
    installation.serve(Placement::Shared)?.stop()?;
    let stored_before_bytes = installation.stored_bytes()?;

    let server = installation.serve(Placement::Shared)?;
    let signer = Arc::new(Signer::new(key, client, server.address).await?);
    let replayed = signer.ask()?;
    fetch(server.address, &replayed).await?;
    send(server.address, &signer, WARM_UP).await?;
    let (resident_before_mb, _) = resident(server.pid())?;
    let began = Instant::now();
    send(server.address, &signer, count).await?;
    let assertions_a_second = count as f64 / began.elapsed().as_secs_f64();
    let (resident_after_mb, _) = resident(server.pid())?;
    let (status, _) = Connection::open(server.address).await?.ask(&replayed).await?;
    server.stop()?;
    Ok(Assertions {
        count,
        resident_before_mb,
        resident_after_mb,
        growth_mb: resident_after_mb - resident_before_mb,
        stored_before_bytes,
        stored_after_bytes: installation.stored_bytes()?,
        assertions_a_second,
        replay_refused: status == StatusCode::UNAUTHORIZED,
    })
}

/// Sends so many different assertions; each must bring a token.
async fn send(address: SocketAddr, signer: &Arc<Signer>, count: u64) -> Outcome<()> {
    let left = Arc::new(AtomicU64::new(count));
    let mut sending = Vec::new();
    for _ in 0..CONNECTIONS {
        let (signer, left) = (Arc::clone(signer), Arc::clone(&left));
        let mut connection = Connection::open(address).await?;
        sending.push(tokio::spawn(async move {
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
            {
                let (status, body) = connection.ask(&signer.ask()?).await?;
                if status != StatusCode::OK {
                    let said = format!("{status} {}", String::from_utf8_lossy(&body));
                    return Err(Failure::new("a good assertion was answered", said));
                }
            }
            Ok(())
        }));
    }
    for one in sending {
        one.await.map_err(|why| Failure::new("a connection of the generator", why))??;
    }
    Ok(())
}

/// A client's program with its private key.
struct Signer {
    key: EcdsaKeyPair,
    random: SystemRandom,
    client: String,
    audience: String,
    /// The time by the server's clock, when the steady clock showed this.
    clock: (u64, Instant),
    used: AtomicU64,
}

impl Signer {
    /// Learns from the server who it is and what time it is.
    async fn new(key: EcdsaKeyPair, client: Credentials, server: SocketAddr) -> Outcome<Self> {
        let (random, used) = (SystemRandom::new(), AtomicU64::new(0));
        let audience = issuer(server).await?;
        let clock = (issued_at(&fetch(server, &Ask::token_of(&client)).await?)?, Instant::now());
        Ok(Self { key, random, client: client.client_id, audience, clock, used })
    }

    /// A request for a token with an assertion that was never used.
    fn ask(&self) -> Outcome<Ask> {
        let number = self.used.fetch_add(1, Ordering::Relaxed);
        let (then, at) = self.clock;
        let now = then + at.elapsed().as_secs();
        let claims = json!({
            "iss": self.client, "sub": self.client, "aud": self.audience, "jti": format!("bench-{number}"),
            "iat": now, "exp": now + LIFE.as_secs(),
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(&json!({ "alg": "ES256", "typ": "JWT" })), part(&claims));
        let signed = self.key.sign(&self.random, input.as_bytes());
        let signature = signed.map_err(|why| Failure::new("an assertion", why))?;
        let assertion = format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()));
        // Nothing in an assertion needs encoding in a form.
        Ok(Ask::Form(
            "/oauth2/token".to_owned(),
            Bytes::from(format!(
                "grant_type=client_credentials&client_assertion_type=\
             urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={assertion}"
            )),
        ))
    }
}

/// Makes a key and has it added to the client.
fn key_of(installation: &Installation, client: &Credentials) -> Outcome<EcdsaKeyPair> {
    let failed = |why| Failure::new("a key for assertions", why);
    let key =
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|why| failed(why.to_string()))?;
    let file = installation.folder().join("assertions.jwk");
    fs::write(&file, jwk(&key).to_string()).map_err(|why| failed(why.to_string()))?;
    installation.add_key(&client.client_id, &file)?;
    Ok(key)
}

/// Who the server says that it is: the one audience of assertions.
async fn issuer(address: SocketAddr) -> Outcome<String> {
    let metadata = fetch(address, &Ask::Get("/.well-known/oauth-authorization-server".to_owned())).await?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&metadata).map_err(|why| Failure::new("the server's metadata", why))?;
    let issuer = metadata.get("issuer").and_then(serde_json::Value::as_str).map(str::to_owned);
    issuer.ok_or_else(|| Failure::new("the server's metadata", "they name no issuer"))
}

/// When the token in this answer was issued, in seconds.
fn issued_at(answer: &[u8]) -> Outcome<u64> {
    let missing = || Failure::new("the server's token", "it has no iat in whole seconds");
    let answer: serde_json::Value =
        serde_json::from_slice(answer).map_err(|why| Failure::new("the server's answer", why))?;
    let token = answer.get("access_token").and_then(serde_json::Value::as_str).unwrap_or_default();
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: serde_json::Value =
        serde_json::from_slice(&claims.ok_or_else(missing)?).map_err(|_| missing())?;
    claims.get("iat").and_then(serde_json::Value::as_u64).ok_or_else(missing)
}

fn jwk(key: &EcdsaKeyPair) -> serde_json::Value {
    // An uncompressed point: 4, then both coordinates.
    let coordinates = key.public_key().as_ref().get(1..).unwrap_or_default();
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    json!({ "kty": "EC", "crv": "P-256", "alg": "ES256",
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_half_has_two_coordinates_of_32_bytes() {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        for name in ["x", "y"] {
            let text = jwk(&key)[name].as_str().expect("text").to_owned();
            assert_eq!(URL_SAFE_NO_PAD.decode(text).expect("base64url").len(), 32);
        }
    }
}
