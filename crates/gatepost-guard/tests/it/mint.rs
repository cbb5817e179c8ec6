//! This file is where the tests make keys and tokens of both profiles, and guards that accept them.

use std::sync::LazyLock;

use gatepost_guard::jose::{Algorithm, PublicKey, RsaBits, SigningKey, sign};
use gatepost_guard::{Builder, FixedKeys, Guard, KeySource};

use super::clock::{NOW, TestClock};

pub(crate) const ISSUER: &str = "https://auth.example.com";
pub(crate) const AUDIENCE: &str = "https://api.example.com";
pub(crate) const CLIENT: &str = "client-1";

static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::from_pem(Algorithm::Rs256, include_str!("../data/rsa.pem")).unwrap());

/// The RS256 key that most tokens are signed with.
pub(crate) fn key() -> &'static SigningKey {
    &KEY
}

/// A new key.
pub(crate) fn fresh(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, RsaBits::B2048).unwrap()
}

/// The two token profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Rfc9068,
    Passport,
}

pub(crate) const BOTH: [Profile; 2] = [Profile::Rfc9068, Profile::Passport];

impl Profile {
    /// A guard's settings for this profile.
    pub(crate) fn guard(self, keys: impl KeySource + 'static) -> Builder {
        match self {
            Self::Rfc9068 => Guard::builder().rfc9068(ISSUER, AUDIENCE).keys(keys),
            Self::Passport => Guard::builder().passport(keys),
        }
    }

    /// A guard that knows these keys and lives at the tests' time.
    pub(crate) fn guard_of(self, keys: &[&SigningKey]) -> Guard {
        self.guard(fixed(keys)).clock(TestClock::new()).build().unwrap()
    }

    /// A token as Gatepost issues it, before it is signed.
    pub(crate) fn draft(self, key: &SigningKey) -> Draft {
        let at = |seconds: i64| (NOW + seconds).to_string();
        let alg = text(key.algorithm().as_str());
        let (header, claims): (&[_], &[_]) = match self {
            Self::Rfc9068 => (
                &[("typ", text("at+jwt")), ("alg", alg), ("kid", text(key.kid().as_str()))],
                &[
                    ("iss", text(ISSUER)),
                    ("aud", text(AUDIENCE)),
                    ("sub", text(CLIENT)),
                    ("client_id", text(CLIENT)),
                    ("scope", text("read write")),
                    ("jti", text("token-1")),
                    ("iat", at(0)),
                    ("nbf", at(0)),
                    ("exp", at(3600)),
                    ("partner_id", text("partner-1")),
                    ("is_test", "false".into()),
                ],
            ),
            Self::Passport => (
                &[("typ", text("JWT")), ("alg", alg)],
                &[
                    ("aud", text(CLIENT)),
                    ("jti", text("token-1")),
                    ("iat", format!("{NOW}.583112")),
                    ("nbf", format!("{NOW}.583114")),
                    ("exp", format!("{}.577478", NOW + 3600)),
                    ("sub", text("")),
                    ("scopes", r#"["read","write"]"#.into()),
                    ("user_id", text("user-1")),
                    ("partner_id", text("partner-1")),
                    ("is_test", "false".into()),
                ],
            ),
        };
        Draft { header: Members::of(header), claims: Members::of(claims) }
    }

    /// A token as Gatepost issues it.
    pub(crate) fn token(self, key: &SigningKey) -> String {
        self.draft(key).sign(key)
    }

    /// A token of this profile issued at another time than the tests begin.
    pub(crate) fn token_at(self, key: &SigningKey, now: i64, lifetime: i64) -> String {
        let mut draft = self.draft(key);
        for (claim, value) in [("iat", now), ("nbf", now), ("exp", now + lifetime)] {
            draft.claims.set(claim, &value.to_string());
        }
        draft.claims.set("jti", &text(&format!("token-{now}-{lifetime}")));
        draft.sign(key)
    }

    /// The claim that holds the scopes, with these.
    pub(crate) fn scopes(self, scopes: &[&str]) -> (&'static str, String) {
        match self {
            Self::Rfc9068 => ("scope", text(&scopes.join(" "))),
            Self::Passport => ("scopes", serde_json::to_string(scopes).unwrap()),
        }
    }
}

/// The public halves, as a source.
pub(crate) fn fixed(keys: &[&SigningKey]) -> FixedKeys {
    FixedKeys::new(public(keys))
}

/// The public halves.
pub(crate) fn public(keys: &[&SigningKey]) -> Vec<PublicKey> {
    keys.iter().map(|key| key.public().clone()).collect()
}

/// A JSON text.
pub(crate) fn text(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// A token that is not signed yet.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) header: Members,
    pub(crate) claims: Members,
}

impl Draft {
    pub(crate) fn sign(&self, key: &SigningKey) -> String {
        sign::compact(key, &self.header.json(), &self.claims.json()).unwrap()
    }

    /// What a signature is made over.
    pub(crate) fn input(&self) -> String {
        sign::SigningInput::new(&self.header.json()).with_claims(self.claims.json().as_bytes())
    }
}

/// The members of an object, in order, each value as JSON text, so that anything can be written.
#[derive(Clone)]
pub(crate) struct Members(Vec<(String, String)>);

impl Members {
    fn of(members: &[(&str, String)]) -> Self {
        Self(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    /// Sets a member to a JSON text.
    pub(crate) fn set(&mut self, name: &str, json: &str) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, value)) => json.clone_into(value),
            None => self.0.push((name.to_owned(), json.to_owned())),
        }
    }

    /// Adds a member, also if it is there.
    pub(crate) fn add(&mut self, name: &str, json: &str) {
        self.0.push((name.to_owned(), json.to_owned()));
    }

    /// Adds a member before all others.
    pub(crate) fn add_first(&mut self, name: &str, json: &str) {
        self.0.insert(0, (name.to_owned(), json.to_owned()));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    /// Names are written as they are, so that they may hold escapes.
    pub(crate) fn json(&self) -> String {
        let members: Vec<_> = self.0.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    }
}
