//! This file is where a key set is fetched: from an address that was judged, within bounds of time and size.
//!
//! The rule about where a set may come from is core's; it is asked about the very address that is connected to, for a
//! name may lead elsewhere each time it is resolved.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gatepost_core::clients::AssertionKey;
use gatepost_core::clients::jwks_uri::{Allowed, JwksUri};
use gatepost_jose::JwkSet;
use url::{Host, Url};

/// The longest key set that is read.
pub const MAX_BYTES: usize = 64 * 1024;
/// For name, connection, answer and all.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);
/// What a source says about freshness is believed within these bounds; the middle one is for those that say nothing.
const MAX_AGE: [Duration; 3] =
    [Duration::from_secs(60), Duration::from_secs(300), Duration::from_secs(24 * 60 * 60)];

/// What is to be fetched, and from where.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its URL; https.
    pub url: Url,
    /// The addresses that were judged, to be tried in turn; no other may be connected to.
    pub addresses: Vec<SocketAddr>,
    /// Whether it may be fetched only because the operator allows what is not public.
    pub is_internal: bool,
}

/// What a fetch brought.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The document.
    pub body: Vec<u8>,
    /// How long its source calls it fresh.
    pub max_age: Option<Duration>,
}

/// Speaks HTTP to the outside for the operations, which know no HTTP.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Gets a JSON document over TLS from one of the addresses, in the name of the URL's host; follows no redirect and
    /// reads at most [`MAX_BYTES`]. The failure is told in words for the log.
    async fn get(&self, what: &Document) -> Result<Fetched, String>;
}

/// The way to one set.
pub(super) struct Way {
    pub(super) uri: String,
    pub(super) allowed: Allowed,
    pub(super) fetch: Arc<dyn Fetch>,
}

impl Way {
    /// The keys there, and how long they are fresh.
    pub(super) async fn walk(&self) -> Result<(Vec<AssertionKey>, Duration), String> {
        let walked = tokio::time::timeout(DEADLINE, async {
            let document = admitted(&self.uri, &self.allowed).await?;
            self.fetch.get(&document).await
        });
        let fetched = walked.await.unwrap_or_else(|_| Err("no answer within 5 s".to_owned()))?;
        if fetched.body.len() > MAX_BYTES {
            return Err("it is longer than 64 KiB".to_owned());
        }

        let set = JwkSet::parse(&fetched.body).map_err(|error| error.to_string())?;
        let [least, usual, most] = MAX_AGE;
        let max_age = fetched.max_age.unwrap_or(usual).clamp(least, most);
        Ok((set.keys().iter().filter_map(|jwk| AssertionKey::from_jwk(jwk).ok()).collect(), max_age))
    }
}

/// Resolves the host once and judges every address that it has.
async fn admitted(uri: &str, allowed: &Allowed) -> Result<Document, String> {
    let uri = JwksUri::parse(uri, allowed).map_err(|bad| bad.to_string())?;
    let resolved = resolve(&uri).await?;
    uri.admit(&resolved, allowed).map_err(|bad| bad.to_string())?;
    Ok(Document {
        url: uri.url().clone(),
        is_internal: uri.is_internal(&resolved, allowed),
        addresses: resolved.into_iter().map(|address| SocketAddr::new(address, uri.port())).collect(),
    })
}

/// All addresses of the host.
pub(crate) async fn resolve(uri: &JwksUri) -> Result<Vec<IpAddr>, String> {
    match uri.host() {
        Host::Ipv4(address) => Ok(vec![address.into()]),
        Host::Ipv6(address) => Ok(vec![address.into()]),
        Host::Domain(name) => {
            let found = tokio::net::lookup_host((name, uri.port())).await;
            let found = found.map_err(|error| format!("its host can't be resolved: {error}"))?;
            Ok(found.map(|address| address.ip()).collect())
        }
    }
}
