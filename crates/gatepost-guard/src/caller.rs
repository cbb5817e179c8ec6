//! This file is where a verified token becomes the caller that handlers see.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use gatepost_jose::claims::issued_millis;
use gatepost_jose::{Claims, KeyId, Micros, ScopeForm, Verified};

/// Who calls: what the token says, after all checks. A clone costs one reference count.
///
/// Its fields are those of [`Identity`]. Only the guard makes one, so an argument of this type is the proof that the
/// call was authenticated. It names a client, never a user.
#[derive(Clone, PartialEq, Eq)]
pub struct Caller(Arc<Identity>);

/// The fields of a [`Caller`].
#[derive(Debug, PartialEq, Eq)]
pub struct Identity {
    /// The client, one program of a partner.
    pub client_id: String,
    /// The partner that the client belongs to.
    pub partner_id: Option<String>,
    /// The client's service user.
    pub user_id: Option<String>,
    /// The scopes granted.
    pub scopes: Vec<String>,
    /// Whether the client is a test client.
    pub is_test: bool,
    /// The token's id, fit for logs.
    pub jti: String,
    /// When the token was issued.
    pub issued: Micros,
    /// When the token expires.
    pub expires: Micros,
    /// The key that signed the token.
    pub kid: KeyId,
    /// In the passport profile the scope `*` stands for all.
    star_is_all: bool,
    /// Found once, when the token is verified: revocations ask at every call.
    issued_millis: u64,
}

impl Caller {
    /// `None` if a claim that the profile's check demands is missing, which that check has ruled out.
    pub(crate) fn of(verified: Verified) -> Option<Self> {
        let kid = verified.kid().clone();
        let claims = verified.into_claims();
        let star_is_all = claims.scope_form == ScopeForm::Array;
        let Claims { client_id, aud, exp, iat, jti, scopes, partner_id, user_id, is_test, .. } = claims;
        let (jti, issued) = (jti?, iat?);
        Some(Self(Arc::new(Identity {
            // The passport profile names the client in the audience, which its check found to be one text.
            client_id: client_id.or_else(|| aud.into_iter().next())?,
            partner_id,
            user_id,
            scopes,
            is_test: is_test.unwrap_or(false),
            issued_millis: issued_millis(issued, &jti),
            jti,
            issued,
            expires: exp?,
            kid,
            star_is_all,
        })))
    }
}

impl Identity {
    /// True if the token grants this scope, letter for letter.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope || (self.star_is_all && granted == "*"))
    }

    /// When the token was issued, in milliseconds: revocations of clients and partners are known to the millisecond.
    ///
    /// Dates in whole seconds are made finer by the token's id, where that begins with a time of the same second.
    #[must_use]
    pub fn issued_millis(&self) -> u64 {
        self.issued_millis
    }
}

impl Deref for Caller {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.0
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("client_id", &self.client_id)
            .field("partner_id", &self.partner_id)
            .field("jti", &self.jti)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "axum")]
impl<S: Sync> axum_core::extract::FromRequestParts<S> for Caller {
    type Rejection = crate::Refusal;

    async fn from_request_parts(parts: &mut http::request::Parts, _: &S) -> Result<Self, crate::Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("a handler asks for the caller, but no guard layer is around its route");
            crate::Refusal::NoCredentials
        })
    }
}

#[cfg(test)]
impl Identity {
    pub(crate) fn sample(jti: &str, issued: Micros) -> Self {
        Self {
            client_id: "client".into(),
            partner_id: Some("partner".into()),
            user_id: None,
            scopes: Vec::new(),
            is_test: false,
            jti: jti.into(),
            issued,
            expires: issued,
            kid: "kid".parse().unwrap(),
            star_is_all: false,
            issued_millis: issued_millis(issued, jti),
        }
    }
}
