//! This folder is where HTTP itself is: what every endpoint needs of requests, answers, connections and TLS.

pub(crate) mod address;
pub(crate) mod body;
pub(crate) mod cached;
pub mod facts;
pub(crate) mod failure;
pub(crate) mod params;
pub(crate) mod presented;
