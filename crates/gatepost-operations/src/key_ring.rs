//! This file is where the keys of all APIs are held ready: private halves parsed once, key sets written once.
//!
//! The ring is swapped whole when an API or key changes; keys that stay are not parsed again.
//! Nothing on the token path waits for the store because of it.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use gatepost_core::apis::{ApiAccess, ApiId, ApiWithScopes};
use gatepost_core::keys::{KeyOwner, KeyState, StoredKey, WrappingKeys};
use gatepost_jose::sign::SigningInput;
use gatepost_jose::{JwkSet, KeyError, KeyId, Primes, PublicKey, SigningKey, base64url};
use gatepost_store::Store;

use crate::failure::{Failure, Kind};

/// All APIs with their keys.
pub struct KeyRing {
    apis: Vec<Arc<ApiWithScopes>>,
    held: HashMap<KeyId, Arc<SigningKey>>,
    tokens: HashMap<ApiId, ApiKeys>,
    access: HashMap<ApiId, ApiAccess>,
    stored: HashMap<ApiId, Vec<StoredKey>>,
    service: Option<Arc<SigningKey>>,
    /// By `kid`.
    named: Document,
}

/// The keys of one API.
pub struct ApiKeys {
    /// What signs new tokens.
    pub signer: Arc<Signer>,
    /// What verifies tokens, the signing key first.
    pub verifying: Vec<PublicKey>,
    published: Document,
    all: Document,
}

/// A signing key with the header of its tokens, encoded once.
pub struct Signer {
    /// The key.
    pub key: Arc<SigningKey>,
    /// The encoded header.
    pub input: SigningInput,
}

/// A key set as it is sent.
#[derive(Clone, Debug)]
pub struct Document {
    /// The JSON text.
    pub body: Arc<str>,
    /// A strong entity tag of the text, in its quotes.
    pub etag: Arc<str>,
}

/// What the store holds about APIs and keys.
pub(crate) struct RingRows {
    apis: Vec<ApiWithScopes>,
    keys: Vec<StoredKey>,
    access: Vec<ApiAccess>,
}

impl RingRows {
    /// Reads it.
    pub(crate) async fn read(store: &dyn Store) -> Result<Self, Failure> {
        let (apis, keys) = (store.apis().await?, store.keys().await?);
        Ok(Self { apis, keys, access: store.api_access().await? })
    }

    /// Whether each key that may be needed was sealed under one of these.
    pub(crate) fn are_sealed_under(&self, wrapping: &WrappingKeys) -> bool {
        let needed = self.keys.iter().filter(|key| key.state.verifies());
        needed.into_iter().all(|key| wrapping.knows(&key.sealed.wrapping))
    }
}

impl KeyRing {
    /// Makes the ring of what the store holds; what `previous` holds parsed is taken over.
    pub(crate) fn of(
        rows: RingRows,
        wrapping: &WrappingKeys,
        previous: Option<&Self>,
    ) -> Result<Self, Failure> {
        let RingRows { apis, keys: stored, access } = rows;
        let apis: Vec<_> = apis.into_iter().map(Arc::new).collect();
        let access = access.into_iter().map(|access| (access.api, access)).collect();

        let mut held = HashMap::new();
        for key in stored.iter().filter(|key| key.state.verifies()) {
            let parsed = previous.and_then(|ring| ring.held.get(&key.kid)).map(Arc::clone);
            let parsed = match parsed {
                Some(parsed) => parsed,
                None => Arc::new(open(key, wrapping)?),
            };
            held.insert(key.kid.clone(), parsed);
        }

        let tokens =
            apis.iter().filter_map(|api| Some((api.api.id, ApiKeys::of(api, &stored, &held)?))).collect();
        let named = named_keys(&apis, &tokens)?;
        let service = service_key(&stored, &held);
        let stored = by_api(stored);
        Ok(Self { apis, held, tokens, access, stored, service, named })
    }

    /// All APIs with their scopes.
    pub fn apis(&self) -> &[Arc<ApiWithScopes>] {
        &self.apis
    }

    /// The keys of an API.
    pub fn keys_of(&self, api: ApiId) -> Option<&ApiKeys> {
        self.tokens.get(&api)
    }

    /// The key set of all APIs whose tokens name their key by `kid`.
    pub fn named(&self) -> &Document {
        &self.named
    }

    /// The key set of the API `name`: all that verify where tokens have a `kid`; else the one that signs, unless
    /// `all` are asked for.
    pub fn document(&self, name: &str, all: bool) -> Option<&Document> {
        let api = self.apis.iter().find(|api| api.api.name.as_str() == name)?;
        let keys = self.tokens.get(&api.api.id)?;
        Some(if all { &keys.all } else { &keys.published })
    }

    /// How an API authenticates and its route table.
    pub fn access(&self, api: ApiId) -> Option<&ApiAccess> {
        self.access.get(&api)
    }

    /// All keys of an API, whatever their state, in order of their creation.
    pub fn stored_of(&self, api: ApiId) -> &[StoredKey] {
        self.stored.get(&api).map_or(&[], Vec::as_slice)
    }

    /// The key by which the server itself speaks.
    pub fn service(&self) -> Option<&Arc<SigningKey>> {
        self.service.as_ref()
    }

    /// Of how many primes an RSA key is, while it is held.
    pub fn primes_of(&self, kid: &KeyId) -> Option<Primes> {
        self.held.get(kid)?.primes()
    }

    /// Whether every API has a key to sign with.
    pub fn is_complete(&self) -> bool {
        self.apis.iter().all(|api| self.tokens.contains_key(&api.api.id))
    }
}

impl ApiKeys {
    /// The key set with all keys that verify, which guards read.
    pub fn all(&self) -> &Document {
        &self.all
    }

    fn of(api: &ApiWithScopes, stored: &[StoredKey], held: &HashMap<KeyId, Arc<SigningKey>>) -> Option<Self> {
        let own = |key: &&StoredKey| key.owner == KeyOwner::Api(api.api.id) && key.state.verifies();
        let (signing, others): (Vec<_>, Vec<_>) =
            stored.iter().filter(own).partition(|key| key.state == KeyState::Signing);
        let key = Arc::clone(held.get(&signing.last()?.kid)?);

        let header = api.api.profile.header(key.algorithm(), key.kid());
        let input = SigningInput::new(&header).with_signature_len(key.signature_len());
        let ordered = signing.iter().rev().chain(others.iter().rev());
        let may_lack_kid = api.api.profile.may_leave_out_kid();
        let in_jti = |key: &StoredKey| may_lack_kid && key.public.jti_names_key == Some(true);
        let public = |key: &&StoredKey| Some(held.get(&key.kid)?.public().clone().named_in_jti(in_jti(key)));
        let verifying: Vec<_> = ordered.filter_map(public).collect();

        let one = verifying.get(..1).unwrap_or_default();
        let published = if api.api.profile.names_key() { &verifying[..] } else { one };
        let (published, all) = (Document::plain(published).ok()?, Document::of(&verifying).ok()?);
        Some(Self { signer: Arc::new(Signer { key, input }), verifying, published, all })
    }
}

impl Document {
    /// For readers outside: nothing in it that only our guard understands.
    fn plain(keys: &[PublicKey]) -> Result<Self, Failure> {
        let keys: Vec<_> = keys.iter().map(|key| key.clone().named_in_jti(false)).collect();
        Self::of(&keys)
    }

    fn of(keys: &[PublicKey]) -> Result<Self, Failure> {
        let body = serde_json::to_string(&JwkSet::of(keys))
            .map_err(|error| Failure::internal("jwks", error.to_string()))?;
        let etag = etag_of(&body);
        Ok(Self { body: body.into(), etag: etag.into() })
    }
}

/// A strong entity tag of a text, in its quotes.
pub fn etag_of(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    format!("\"{}\"", base64url::encode(hash.as_ref().get(..16).unwrap_or_default()))
}

fn service_key(stored: &[StoredKey], held: &HashMap<KeyId, Arc<SigningKey>>) -> Option<Arc<SigningKey>> {
    let signing = |key: &&StoredKey| key.owner == KeyOwner::Service && key.state == KeyState::Signing;
    stored.iter().rev().find(signing).and_then(|key| held.get(&key.kid)).map(Arc::clone)
}

fn by_api(stored: Vec<StoredKey>) -> HashMap<ApiId, Vec<StoredKey>> {
    let mut by_api: HashMap<ApiId, Vec<StoredKey>> = HashMap::new();
    for key in stored {
        if let KeyOwner::Api(api) = key.owner {
            by_api.entry(api).or_default().push(key);
        }
    }
    by_api
}

fn named_keys(apis: &[Arc<ApiWithScopes>], tokens: &HashMap<ApiId, ApiKeys>) -> Result<Document, Failure> {
    let naming = apis.iter().filter(|api| api.api.profile.names_key());
    let keys: Vec<_> =
        naming.filter_map(|api| tokens.get(&api.api.id)).flat_map(|keys| keys.verifying.clone()).collect();
    Document::plain(&keys)
}

/// Opens a sealed key and lets it sign and verify once, so that a damaged key is noticed before a partner does.
fn open(stored: &StoredKey, wrapping: &WrappingKeys) -> Result<SigningKey, Failure> {
    let der = wrapping.open(stored.kid.as_str(), &stored.sealed).map_err(|error| {
        Failure::new(
            Kind::Configuration,
            "master_key.wrong",
            format!("the master key does not open the signing key {}", stored.kid),
            error.to_string(),
            "restore the master.key that belongs to this store",
        )
    })?;
    let damaged = |why: String| {
        let what = format!("the signing key {} is damaged", stored.kid);
        Failure::new(
            Kind::Unavailable,
            "key.damaged",
            what,
            why,
            "restore the store from a backup, or rotate the key",
        )
    };

    let key = SigningKey::from_pkcs8_der(stored.algorithm, &der).map_err(|error| match error {
        KeyError::FourPrimesAbsent => Failure::four_primes_absent(format!(
            "the signing key {} has four primes, which this build can't hold",
            stored.kid
        )),
        other => damaged(other.to_string()),
    })?;
    if *key.kid() != stored.kid {
        return Err(damaged("its thumbprint is not the stored one".to_owned()));
    }
    key.self_test().map_err(|error| damaged(error.to_string()))?;
    Ok(key)
}
