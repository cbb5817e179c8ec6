//! This file is where a client proves who it is; nothing is granted without the proof made here.
//!
//! Unknown, wrong and suspended cost the same: one tag is computed and compared whatever was found, against a decoy
//! if nothing was. What went wrong is told to the log only.

mod by_assertion;

pub use by_assertion::{KnownClient, UnusedAssertion, authenticate_assertion};

use std::net::IpAddr;
use std::sync::Arc;

use super::ClientRecord;
use super::methods::{Credentials, Method};
use crate::partners::Status;
use crate::refusal::{Code, Refusal};
use crate::secret::stored::{SecretId, SecretState, StoredSecret};
use crate::secret::{Peppers, SecretTag};
use crate::time::Timestamp;

/// Proof that a client showed who it is; only [`authenticate`] and [`UnusedAssertion::used_first`] make it.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    record: Arc<ClientRecord>,
    secret: Option<SecretId>,
    newer_tag: Option<SecretTag>,
}

impl AuthenticatedClient {
    /// The client and what belongs to it.
    pub fn record(&self) -> &Arc<ClientRecord> {
        &self.record
    }

    /// The secret that proved it; `None` when it signed an assertion.
    pub fn secret(&self) -> Option<SecretId> {
        self.secret
    }

    /// The tag of the secret under the present pepper, where the stored one was made under an older one.
    pub fn newer_tag(&self) -> Option<&SecretTag> {
        self.newer_tag.as_ref()
    }
}

/// Where a request came from and how it authenticates.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The method that presented the credentials.
    pub method: Method,
    /// The caller's address, if it is known.
    pub address: Option<IpAddr>,
}

/// Holds the presented secret against what was found under the presented id.
pub fn authenticate(
    found: Option<&Arc<ClientRecord>>,
    presented: &Credentials,
    source: Source,
    peppers: &Peppers,
    now: Timestamp,
) -> Result<AuthenticatedClient, Refusal> {
    let tag = peppers.tag(&presented.secret);
    let secrets = found.map_or(&[][..], |record| &record.secrets);
    let matching = match matching(secrets, &tag) {
        None => matching_under_older_pepper(secrets, presented, peppers),
        matching => matching,
    };

    let Some(record) = found else {
        return Err(Code::InvalidClient.because("no such client"));
    };
    let Some(secret) = matching else {
        return Err(Code::InvalidClient.because("wrong secret"));
    };
    match secret.state(now) {
        SecretState::Active => {}
        SecretState::Pending => return Err(Code::InvalidClient.because("the secret is not valid yet")),
        SecretState::Expired => return Err(Code::InvalidClient.because("the secret has expired")),
        SecretState::Ended => return Err(Code::InvalidClient.because("the secret was ended")),
    }
    check_standing(record, source, now)?;

    let newer_tag = (!peppers.is_current(&secret.tag.pepper)).then_some(tag);
    Ok(AuthenticatedClient { record: Arc::clone(record), secret: Some(secret.id), newer_tag })
}

/// Compares with every stored tag, and with a decoy where there is none, so that all outcomes take the same steps.
fn matching<'a>(secrets: &'a [StoredSecret], tag: &SecretTag) -> Option<&'a StoredSecret> {
    let decoy = SecretTag { pepper: tag.pepper.clone(), tag: vec![0; 32] };
    let _ = decoy.matches(tag);
    secrets.iter().fold(None, |found, secret| if secret.tag.matches(tag) { Some(secret) } else { found })
}

fn matching_under_older_pepper<'a>(
    secrets: &'a [StoredSecret],
    presented: &Credentials,
    peppers: &Peppers,
) -> Option<&'a StoredSecret> {
    let older = secrets.iter().filter(|secret| !peppers.is_current(&secret.tag.pepper));
    older.fold(None, |found, secret| {
        let tag = peppers.tag_under(&secret.tag.pepper, &presented.secret);
        if tag.is_some_and(|tag| secret.tag.matches(&tag)) { Some(secret) } else { found }
    })
}

fn check_standing(record: &ClientRecord, source: Source, now: Timestamp) -> Result<(), Refusal> {
    let client = &record.client;
    let refused = |reason| Err(Code::InvalidClient.because(reason));

    match record.partner_standing(now) {
        Status::Active => {}
        Status::Suspended => return refused("the partner is suspended"),
        Status::Expired => return refused("the partner has expired"),
    }
    match client.standing(now) {
        Status::Active => {}
        Status::Suspended => return refused("the client is suspended"),
        Status::Expired => return refused("the client has expired"),
    }
    if client.auth_method.is_some_and(|pinned| pinned != source.method) {
        return refused("the client is pinned to another authentication method");
    }
    let from_allowed = |address: IpAddr| client.allow.iter().any(|net| net.contains(&address.to_canonical()));
    if !client.allow.is_empty() && !source.address.is_some_and(from_allowed) {
        return refused("the address is not in the client's list");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::sample_record;
