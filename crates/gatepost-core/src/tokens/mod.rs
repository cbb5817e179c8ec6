//! This folder is where tokens are: their shapes. No token is ever stored.

pub mod profile;
