//! This folder is where HTTP itself is: what every endpoint needs of requests, answers, connections and TLS.

pub(crate) mod address;
pub(crate) mod api_access;
pub(crate) mod body;
pub(crate) mod cached;
mod certificate;
mod chunks;
pub mod connection;
pub mod facts;
pub(crate) mod failure;
mod fault;
pub(crate) mod files;
pub(crate) mod found_route;
mod head;
mod head_filter;
mod json_members;
pub mod layers;
pub(crate) mod limited;
pub mod limits;
pub mod listen;
mod malformed;
pub(crate) mod outbound;
pub(crate) mod params;
pub(crate) mod presented;
mod progress;
#[cfg(feature = "testing")]
pub mod pure;
pub mod room;
mod roster;
pub mod tls;
pub(crate) mod treatment;
