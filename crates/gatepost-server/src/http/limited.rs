//! This file is where a caller is told in headers how it stands with its limits.
//!
//! Both doors speak `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers); the origin door adds
//! what Laravel's throttle sends, of the limit that is nearest to its end. Who has no limits gets none of these headers.

use std::fmt::Write as _;

use axum::http::HeaderMap;
use axum::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use gatepost_operations::core::limits::Allowance;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const X_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const X_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const X_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// How the headers are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// As the draft says.
    Draft,
    /// As the draft and as Laravel say.
    Laravel,
}

/// Tells somebody who was let in how much is left.
pub(crate) fn tell(headers: &mut HeaderMap, allowances: &[Allowance], spelling: Spelling) {
    let Some(nearest) = allowances.iter().min_by_key(|allowance| allowance.remaining) else {
        return;
    };
    draft(headers, allowances);
    if spelling == Spelling::Laravel {
        number(headers, X_LIMIT, nearest.limit);
        number(headers, X_REMAINING, nearest.remaining);
    }
}

/// Tells somebody who was held back which limit is used up, and when to come again.
pub(crate) fn hold_back(headers: &mut HeaderMap, used_up: &Allowance, spelling: Spelling) {
    tell(headers, std::slice::from_ref(used_up), spelling);
    number(headers, RETRY_AFTER, used_up.reset);
    if spelling == Spelling::Laravel {
        let asked = u64::try_from(used_up.asked.seconds()).unwrap_or(0);
        number(headers, X_RESET, asked.saturating_add(used_up.reset));
    }
}

fn draft(headers: &mut HeaderMap, allowances: &[Allowance]) {
    let (mut policies, mut left) = (String::new(), String::new());
    for allowance in allowances {
        let Allowance { limit, window, remaining, reset, .. } = allowance;
        let name = allowance.policy.as_str();
        let comma = if policies.is_empty() { "" } else { ", " };
        // Writing to a text does not fail.
        let _ = write!(policies, "{comma}\"{name}\";q={limit};w={window}");
        let _ = write!(left, "{comma}\"{name}\";r={remaining};t={reset}");
    }
    for (name, text) in [(RATE_LIMIT_POLICY, policies), (RATE_LIMIT, left)] {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
}

fn number(headers: &mut HeaderMap, name: HeaderName, number: u64) {
    headers.insert(name, HeaderValue::from(number));
}
