//! This folder is where the public endpoints are, one a file, and what several of their requests share: the server's own
//! guards (`verifiers.rs`) and the text of each API's revocation feed (`feeds.rs`).

pub(crate) mod docs;
pub(crate) mod feeds;
pub(crate) mod forward_auth;
pub(crate) mod health;
pub(crate) mod introspect;
pub(crate) mod jwks;
pub(crate) mod metadata;
pub(crate) mod revocations;
pub(crate) mod revoke;
pub(crate) mod token;
pub(crate) mod verifiers;
