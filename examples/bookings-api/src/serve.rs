//! This file is where the API is served for another program, as `gatepost dev` does: its guard, and a way to end.

use std::io;

use gatepost_guard::{ConfigError, Guard, JwksUrl};
use tokio::net::TcpListener;

use crate::{Bookings, router};

/// A guard for passport tokens of this API of the Gatepost server `issuer`.
pub fn passport_guard(issuer: &str, api: &str) -> Result<Guard, ConfigError> {
    Guard::builder().passport(JwksUrl::of_api(issuer, api)?).realm("bookings").build()
}

/// Serves until `stop` is done, then answers what has begun.
pub async fn serve(
    listener: TcpListener,
    guard: Guard,
    store: Bookings,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router(guard, store)).with_graceful_shutdown(stop).await
}
