//! This file is where what goes wrong becomes a JSON answer.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Why a request is not served.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The body is not a booking.
    Body(String),
    /// The token names no partner, so nothing could belong to it.
    NoPartner,
    NoSuchBooking,
    NoSuchRoute,
    NoSuchMethod,
    /// The database failed; the reason is for the log.
    Store(sqlx::Error),
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    message: String,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, error, message) = match self {
            Self::Body(message) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_booking", message),
            Self::NoPartner => {
                (StatusCode::FORBIDDEN, "no_partner", "The token names no partner.".to_owned())
            }
            Self::NoSuchBooking => {
                (StatusCode::NOT_FOUND, "not_found", "There is no such booking.".to_owned())
            }
            Self::NoSuchRoute => {
                (StatusCode::NOT_FOUND, "not_found", "There is no such path; see /bookings.".to_owned())
            }
            Self::NoSuchMethod => {
                let message = "This path doesn't take that method.".to_owned();
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
            }
            Self::Store(error) => {
                tracing::error!(%error, "the bookings database failed");
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Try again in a moment.".to_owned())
            }
        };
        (status, Json(Body { error, message })).into_response()
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error)
    }
}
