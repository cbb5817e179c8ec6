//! This folder is where tokens are: their shapes, and what was revoked. No token is ever stored.

pub mod profile;
pub mod revoke;
