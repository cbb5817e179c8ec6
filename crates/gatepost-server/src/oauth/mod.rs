//! This folder is where the public endpoints are, one a file.

pub(crate) mod docs;
pub(crate) mod health;
pub(crate) mod jwks;
pub(crate) mod metadata;
pub(crate) mod token;
