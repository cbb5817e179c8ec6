//! This file is where tokens are revoked at the command line: one that is given, or all that somebody has got so far.

use gatepost_operations::clock;
use gatepost_operations::core::apis::ApiId;
use gatepost_operations::core::clients::ClientId;
use gatepost_operations::core::secret::Secret;
use gatepost_operations::core::time::Timestamp;
use gatepost_operations::failure::Failure;
use gatepost_operations::revocations::TokenToEnd;
use gatepost_operations::verification::{self, Judged};
use gatepost_operations::{apis, clients, partners, revocations};
use serde::Serialize;

use super::verify;
use crate::commands::desk::Desk;
use crate::ending::Trouble;

/// What is to be revoked.
pub(super) enum Target {
    /// This token.
    Token(Secret),
    /// All tokens that this client has got so far.
    Client(String),
    /// All tokens that this partner's clients have got so far.
    Partner(String),
}

/// What was revoked, as it is printed.
#[derive(Default, Serialize)]
struct Revoked {
    revoked: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partner_id: Option<String>,
    /// When what is revoked would have been over by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

/// Revokes it.
pub(super) async fn run(desk: &Desk, target: Target) -> Result<(), Trouble> {
    let revoked = match target {
        Target::Token(token) => token_itself(desk, token.expose()).await?,
        Target::Client(client) => tokens_of_client(desk, &client).await?,
        Target::Partner(partner) => tokens_of_partner(desk, &partner).await?,
    };
    desk.output.show(&revoked)?;
    desk.output.next(
        "Introspection and forward-auth refuse it within a second, guards that follow the feed within five.",
    );
    Ok(())
}

/// Only a token that is ours and still valid can be revoked: anything else is refused as it is.
async fn token_itself(desk: &Desk, token: &str) -> Result<Revoked, Trouble> {
    let Judged { api, verified } = verification::judge(&desk.gate, None, token).map_err(verify::refused)?;
    let claims = verified.claims();
    let (Some(jti), Some(expires)) = (&claims.jti, claims.exp) else {
        return Err(Trouble::internal("token.revoke", "a verified token has no jti or exp"));
    };
    let expires = Timestamp::from_micros(expires.0);
    let id = ApiId(apis::show(&desk.gate, &api)?.api_id);
    let owner = claims.client_id.clone().or_else(|| claims.aud.first().cloned());
    let client = owner.as_deref().and_then(ClientId::parse);
    let Some(client) = client else {
        return Err(Trouble::internal("token.revoke", "a verified token names no client"));
    };
    let token = TokenToEnd { api: id, jti, client, expires };
    revocations::revoke_token(&desk.gate, &desk.actor, token).await.map_err(Failure::from)?;
    Ok(Revoked {
        revoked: "token",
        jti: Some(jti.clone()),
        api: Some(api),
        client_id: owner,
        partner_id: claims.partner_id.clone(),
        expires: Some(clock::written(expires)),
    })
}

async fn tokens_of_client(desk: &Desk, client: &str) -> Result<Revoked, Trouble> {
    let found = clients::show(&desk.gate, client).await?;
    let question = format!("This ends all tokens that {} ({client}) has got so far.", found.name);
    desk.output.confirm(&question, "yes")?;
    revocations::end_tokens_of_client(&desk.gate, &desk.actor, client).await?;
    Ok(Revoked { revoked: "client", client_id: Some(found.client_id), ..Revoked::default() })
}

async fn tokens_of_partner(desk: &Desk, partner: &str) -> Result<Revoked, Trouble> {
    let found = partners::show(&desk.gate, partner).await?;
    let question = format!("This ends all tokens that the clients of {} have got so far.", found.name);
    desk.output.confirm(&question, &found.slug)?;
    revocations::end_tokens_of_partner(&desk.gate, &desk.actor, partner).await?;
    Ok(Revoked { revoked: "partner", partner_id: Some(found.partner_id.to_string()), ..Revoked::default() })
}
