//! This folder is where HTTP itself is: what every endpoint needs to read requests and to answer them, within which bounds.

pub(crate) mod address;
pub(crate) mod api_access;
pub(crate) mod body;
pub mod bounds;
pub(crate) mod cached;
pub mod facts;
pub(crate) mod failure;
pub(crate) mod fault;
pub(crate) mod found_route;
mod json_members;
pub(crate) mod limited;
pub(crate) mod malformed;
pub(crate) mod outbound;
pub(crate) mod params;
pub(crate) mod presented;
pub mod room;
pub(crate) mod treatment;
