//! This file is where the bookings API becomes a program: settings from the environment, then it serves.

use std::env;
use std::error::Error;

use bookings_api::{Bookings, router};
use gatepost_guard::{Builder, ConfigError, Feed, Guard, JwksUrl};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = Bookings::open(setting("BOOKINGS_DATABASE", "bookings.db")).await?;
    let listener = TcpListener::bind(setting("BOOKINGS_LISTEN", "127.0.0.1:8462")).await?;
    axum::serve(listener, router(guard()?, store)).await?;
    Ok(())
}

/// Tokens of the API `BOOKINGS_API` of the Gatepost server at `GATEPOST_ISSUER`.
fn guard() -> Result<Guard, ConfigError> {
    let issuer = setting("GATEPOST_ISSUER", "http://127.0.0.1:8460");
    let keys = JwksUrl::of_api(&issuer, &setting("BOOKINGS_API", "bookings"))?;
    let builder = match env::var("BOOKINGS_AUDIENCE") {
        Ok(audience) => Guard::builder().rfc9068(&issuer, audience).keys(keys),
        Err(_) => Guard::builder().passport(keys),
    };
    following(builder.realm("bookings"), &issuer)?.build()
}

/// Refuses what was revoked, if the API has a credential for the server's feed.
fn following(builder: Builder, issuer: &str) -> Result<Builder, ConfigError> {
    let (Ok(id), Ok(secret)) = (env::var("BOOKINGS_API_ID"), env::var("BOOKINGS_API_SECRET")) else {
        return Ok(builder);
    };
    Ok(builder.follow(Feed::new(issuer, &id, &secret)?))
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}
