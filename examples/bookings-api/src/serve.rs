//! This file is where the API is served for another program, as `gatepost dev` does: its guard, a line a request, an end.

use std::io;

use axum::extract::Request;
use axum::http::header::WWW_AUTHENTICATE;
use axum::middleware::{self, Next};
use axum::response::Response;
use gatepost_guard::{ConfigError, Feed, Guard, JwksUrl};
use tokio::net::TcpListener;

use crate::{Bookings, router};

/// A guard for passport tokens of this API of the Gatepost server `issuer`; with the API's id and secret it follows the
/// server's feed, and refuses what was revoked.
pub fn passport_guard(issuer: &str, api: &str, (api_id, secret): (&str, &str)) -> Result<Guard, ConfigError> {
    let keys = JwksUrl::of_api(issuer, api)?;
    let feed = Feed::new(issuer, api_id, secret)?;
    Guard::builder().passport(keys).realm("bookings").follow(feed).build()
}

/// Serves until `stop` is done, then answers what has begun.
pub async fn serve(
    listener: TcpListener,
    guard: Guard,
    store: Bookings,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let routes = router(guard, store).layer(middleware::from_fn(logged));
    axum::serve(listener, routes).with_graceful_shutdown(stop).await
}

/// One line for each request; a refusal's challenge says why.
async fn logged(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let answer = next.run(request).await;
    let status = answer.status().as_u16();
    match answer.headers().get(WWW_AUTHENTICATE).and_then(|challenge| challenge.to_str().ok()) {
        Some(challenge) => tracing::info!(%method, path, status, challenge, "bookings"),
        None => tracing::info!(%method, path, status, "bookings"),
    }
    answer
}
