//! This file is where the work beside a signature is run for ci/bench-pure.sh: assembling a token, reading one.
#![allow(clippy::expect_used, reason = "what fails here has no figure")]

use std::hint::black_box;

use gatepost_jose::sign::{SigningInput, compact, finish};
use gatepost_jose::verify::{Candidates, Keys, claimed_subject, verify};
use gatepost_jose::{Algorithm, Header, PublicKey, RsaBits, SigningKey};

#[path = "../../../bench/pure/parts.rs"]
mod parts;

const HEADER: &str = r#"{"typ":"at+jwt","alg":"ES256","kid":"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"}"#;
const CLAIMS: &str = r#"{"iss":"https://auth.example","aud":"https://api.example/v1","sub":"9b1e82a7-0a59-4e7e-add5-b9ffa37aade1","client_id":"9b1e82a7-0a59-4e7e-add5-b9ffa37aade1","scope":"bookings:create bookings:delete","jti":"018e310e-b6c7-7000-8000-000000000000","iat":1710220031,"exp":1710223631,"partner_id":"f31120ee-b5cb-41c4-9529-288d02e91cd6","is_test":false}"#;

fn main() {
    parts::run(&[("assemble-token", assemble), ("read-claims", read), ("verify-es256", verify_es256)]);
}

/// All of a token but the claims' text and the signature.
fn assemble(rounds: u32) {
    let input = SigningInput::new(HEADER).with_signature_len(64);
    for _ in 0..rounds {
        black_box(finish(input.with_claims(black_box(CLAIMS).as_bytes()), &[7; 64]));
    }
}

/// Base64url and strict JSON of a token's claims.
fn read(rounds: u32) {
    let token = finish(SigningInput::new(HEADER).with_claims(CLAIMS.as_bytes()), &[7; 64]);
    for _ in 0..rounds {
        black_box(claimed_subject(black_box(&token)).expect("claims"));
    }
}

struct Only(PublicKey);

impl Keys for Only {
    fn candidates(&self, _: &Header) -> Candidates<'_> {
        Candidates::one(self.0.clone())
    }
}

fn verify_es256(rounds: u32) {
    let key = SigningKey::generate(Algorithm::Es256, RsaBits::B2048).expect("a key");
    let token = compact(&key, HEADER, CLAIMS).expect("a token");
    let keys = Only(key.public().clone());
    for _ in 0..rounds {
        black_box(verify(black_box(&token), &keys).expect("a good token"));
    }
}
