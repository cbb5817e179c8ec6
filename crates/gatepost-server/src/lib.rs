//! HTTP in and out, nothing else: each handler translates a request, calls one operation, and dresses its outcome.
//!
//! [`router`] lists every public route, [`admin`] those of operators; `http/` holds what all endpoints need; `oauth/` holds the endpoints, one a file.

mod admin;
pub mod http;
mod oauth;
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

/// The same for the admin listener.
pub fn admin_routes(gate: Arc<Gate>) -> axum::Router {
    admin::routes(state::App::new(gate))
}
