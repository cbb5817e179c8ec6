//! This file is where the verdict on a token is printed at the command line.

use gatepost_operations::core::time::Timestamp;
use gatepost_operations::verification::{self, Judged, NotGood};
use gatepost_operations::{apis, clock};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::commands::desk::Desk;
use crate::ending::{Exit, Trouble};

/// A token that is valid, as it is printed.
#[derive(Serialize)]
struct Valid<'a> {
    valid: bool,
    api: String,
    kid: &'a str,
    client_id: Option<&'a str>,
    partner_id: Option<&'a str>,
    is_test: Option<bool>,
    scopes: &'a [String],
    expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<&'a RawValue>,
}

/// Verifies a token for the API of that name, or for the one whose key signed it.
pub(super) fn run(desk: &Desk, api: Option<&str>, token: &str) -> Result<(), Trouble> {
    // A name that no API has is told as such, before the token is looked at.
    let wanted = api.map(|name| apis::show(&desk.gate, name)).transpose()?.map(|api| api.name);
    let Judged { api, verified } =
        verification::good(&desk.gate, wanted.as_deref(), token).map_err(refused)?;
    let claims = verified.claims();
    // Claims that were verified are JSON; for people their members stand above already.
    let raw = if desk.output.is_json() { serde_json::from_str(&claims.raw).ok() } else { None };
    desk.output.show(&Valid {
        valid: true,
        api,
        kid: verified.kid().as_str(),
        client_id: claims.client_id.as_deref().or(claims.aud.first().map(String::as_str)),
        partner_id: claims.partner_id.as_deref(),
        is_test: claims.is_test,
        scopes: &claims.scopes,
        expires: claims.exp.map(|at| clock::written(Timestamp::from_micros(at.0))),
        claims: raw,
    })
}

fn revoked() -> Trouble {
    Trouble {
        exit: Exit::SaidNo,
        code: "revoked",
        what: "the token is refused".to_owned(),
        why: "it was revoked, or all that its client or partner had got by then, or one of them has expired"
            .to_owned(),
        fix: "get a new one, if its client may still have one; see `gatepost client show CLIENT`".to_owned(),
    }
}

pub(super) fn refused(why: NotGood) -> Trouble {
    let (api, rejection) = match why {
        NotGood::Revoked => return revoked(),
        NotGood::Rejected { api, rejection } => (api, rejection),
    };
    Trouble {
        exit: Exit::SaidNo,
        code: rejection.code(),
        what: "the token is refused".to_owned(),
        why: format!("{rejection} (judged for the API {api})"),
        fix: "see what it says with `gatepost token inspect`, or get a new one".to_owned(),
    }
}
