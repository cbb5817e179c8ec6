//! HTTP in and out, nothing else: each handler translates a request, calls one operation, and dresses its outcome.
//!
//! A request comes through `connections/` to the [`layers`] around every answer, and by [`router`], which lists every
//! public route ([`admin`] those of operators), to its endpoint in `oauth/`, one a file. `http/` is what they all need.

mod admin;
pub mod connections;
pub mod http;
pub mod layers;
mod oauth;
#[cfg(feature = "testing")]
pub mod pure;
mod router;
mod serve;
mod state;

use std::sync::Arc;

use gatepost_operations::gate::Gate;

pub use router::Routes;
pub use serve::{Listeners, Serving, bind, serve};

/// The public listener's routes over `gate`, without connection handling: for tests in process.
pub fn public_routes(gate: Arc<Gate>) -> Routes {
    router::public(state::App::new(gate))
}

/// Public and admin routes over one state, so that the one's metrics count what the other did: for tests in process.
pub fn both_routes(gate: Arc<Gate>) -> (Routes, axum::Router) {
    let app = state::App::new(gate);
    (router::public(app.clone()), admin::routes(app))
}

/// The same for the admin listener.
pub fn admin_routes(gate: Arc<Gate>) -> axum::Router {
    admin::routes(state::App::new(gate))
}
