//! This file is where each route is answered, always for the partner that the token names.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use gatepost_guard::Caller;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bookings::{Booking, Bookings};
use crate::failure::Failure;

const MAX_REFERENCE: usize = 100;

/// What a partner sends to book.
#[derive(Deserialize)]
pub(crate) struct NewBooking {
    reference: String,
    starts: String,
}

/// A list may get more members beside the bookings, an array could not.
#[derive(Serialize)]
pub(crate) struct List {
    bookings: Vec<Booking>,
}

pub(crate) async fn create(
    caller: Caller,
    State(store): State<Bookings>,
    body: Result<Json<NewBooking>, JsonRejection>,
) -> Result<Response, Failure> {
    let Json(new) = body.map_err(|rejection| Failure::Body(rejection.body_text()))?;
    let (reference, starts) = new.checked()?;

    let booking = store.create(partner(&caller)?, &reference, &starts.to_string()).await?;

    let location = format!("/bookings/{}", booking.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(booking)).into_response())
}

pub(crate) async fn list(caller: Caller, State(store): State<Bookings>) -> Result<Json<List>, Failure> {
    Ok(Json(List { bookings: store.list(partner(&caller)?).await? }))
}

pub(crate) async fn remove(
    caller: Caller,
    State(store): State<Bookings>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    // A text that is no id at all is as absent as an unknown id.
    let id: Uuid = id.parse().map_err(|_| Failure::NoSuchBooking)?;
    if store.remove(partner(&caller)?, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Failure::NoSuchBooking)
    }
}

pub(crate) async fn no_such_route() -> Failure {
    Failure::NoSuchRoute
}

pub(crate) async fn no_such_method() -> Failure {
    Failure::NoSuchMethod
}

fn partner(caller: &Caller) -> Result<&str, Failure> {
    caller.partner_id.as_deref().ok_or(Failure::NoPartner)
}

impl NewBooking {
    fn checked(self) -> Result<(String, Timestamp), Failure> {
        if self.reference.is_empty() || self.reference.chars().count() > MAX_REFERENCE {
            return Err(Failure::Body(format!("`reference` must have 1 to {MAX_REFERENCE} characters.")));
        }
        let Ok(starts) = self.starts.parse() else {
            return Err(Failure::Body("`starts` must be a time such as 2030-01-31T09:00:00Z.".to_owned()));
        };
        Ok((self.reference, starts))
    }
}
