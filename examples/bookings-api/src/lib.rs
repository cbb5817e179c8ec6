//! This crate is where an API developer looks for an example: bookings, behind the guard.
//!
//! | request | scope | answer |
//! |---|---|---|
//! | `POST /bookings` | `bookings:create` | 201 and the booking |
//! | `GET /bookings` | any valid token | 200 and the partner's bookings, the newest first |
//! | `DELETE /bookings/{id}` | `bookings:delete` | 204; 404 if the partner has no such booking |
//! | `GET /metrics` | no token | 200 and the guard's numbers, for Prometheus |
//!
//! Three things to copy: the guard is a layer around all routes, a route's scopes stand beside its handler, and
//! every query names the partner that the token names.

use axum::Router;
use axum::routing::{delete, get, post};
use gatepost_guard::{Guard, require};

mod bookings;
mod failure;
mod handlers;
mod metrics;
mod serve;

pub use bookings::{Booking, Bookings, OpenError};
pub use serve::{passport_guard, serve};

/// All routes of the API, behind this guard; its metrics beside it, which the proxy in front keeps from strangers.
pub fn router(guard: Guard, store: Bookings) -> Router {
    let create = post(handlers::create).layer(require::all(["bookings:create"]));
    let remove = delete(handlers::remove).layer(require::all(["bookings:delete"]));
    let registry = metrics::registry(&guard);
    Router::new()
        .route("/bookings", create.merge(get(handlers::list)))
        .route("/bookings/{id}", remove)
        .fallback(handlers::no_such_route)
        .method_not_allowed_fallback(handlers::no_such_method)
        .layer(guard)
        .route("/metrics", get(async move || metrics::page(&registry)))
        .with_state(store)
}
