//! This file is where rows become the values that core knows, the same for every engine, and values become columns.
//!
//! Whatever is in a row passes the checks that it passed on its way in: a row that was changed by hand shows.

mod access;
mod apis;
mod counts;
mod usage;

use std::fmt::Display;

use gatepost_core::apis::ApiId;
use gatepost_core::audit::AuditLine;
use gatepost_core::change::Subject;
use gatepost_core::clients::{Client, ClientId, ClientRecord, SecretId, StoredSecret, UserId};
use gatepost_core::keys::{KeyOwner, Sealed, StoredKey};
use gatepost_core::name::{Name, Slug};
use gatepost_core::partners::{Partner, PartnerId};
use gatepost_core::secret::SecretTag;
use gatepost_core::time::{Lifetime, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::{ColumnIndex, Database, Decode, Row, Type};
use uuid::Uuid;

use crate::{News, StoreError};
pub(crate) use access::{api_access, assertion, revocation, revoked};
pub(crate) use apis::{apis, turns};
pub(crate) use counts::counts;
pub(crate) use usage::{client_usage, issued, secret_usage};

/// A row of any engine, read by column names.
pub(crate) trait Columns {
    fn text(&self, column: &'static str) -> Result<String, StoreError>;
    fn text_if_any(&self, column: &'static str) -> Result<Option<String>, StoreError>;
    fn number(&self, column: &'static str) -> Result<i64, StoreError>;
    fn number_if_any(&self, column: &'static str) -> Result<Option<i64>, StoreError>;
    fn flag(&self, column: &'static str) -> Result<bool, StoreError>;
    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError>;
}

/// The values that our columns hold, in an engine's terms.
pub(crate) trait Held<D: Database>: for<'r> Decode<'r, D> + Type<D> {}
impl<D: Database, T: for<'r> Decode<'r, D> + Type<D>> Held<D> for T {}

impl<R> Columns for R
where
    R: Row,
    &'static str: ColumnIndex<R>,
    String: Held<R::Database>,
    Option<String>: Held<R::Database>,
    i64: Held<R::Database>,
    Option<i64>: Held<R::Database>,
    bool: Held<R::Database>,
    Vec<u8>: Held<R::Database>,
{
    fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.try_get(column).map_err(|error| unfit(column, error))
    }

    fn text_if_any(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.try_get(column).map_err(|error| unfit(column, error))
    }

    fn number(&self, column: &'static str) -> Result<i64, StoreError> {
        self.try_get(column).map_err(|error| unfit(column, error))
    }

    fn number_if_any(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.try_get(column).map_err(|error| unfit(column, error))
    }

    fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        self.try_get(column).map_err(|error| unfit(column, error))
    }

    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        self.try_get(column).map_err(|error| unfit(column, error))
    }
}

/// A row of `partners`.
pub(crate) fn partner(row: &impl Columns) -> Result<Partner, StoreError> {
    Ok(Partner {
        id: PartnerId(uuid(row, "id")?),
        slug: Slug::parse(&row.text("slug")?).map_err(|error| unfit("slug", error))?,
        name: Name::parse(&row.text("name")?).map_err(|error| unfit("name", error))?,
        status: word(row, "status")?,
        expires: instant_if_any(row, "expires")?,
        created: instant(row, "created")?,
        version: row.number("version")?,
    })
}

/// A row of `clients` with nothing but its id.
pub(crate) fn client_id(row: &impl Columns) -> Result<ClientId, StoreError> {
    ClientId::parse(&row.text("id")?).ok_or_else(|| unfit("id", "it is no client id"))
}

/// A row of `clients` with the ids of its APIs, in order, as a JSON list `apis`.
pub(crate) fn client(row: &impl Columns) -> Result<Client, StoreError> {
    let seconds = u32::try_from(row.number("lifetime")?).ok().and_then(Lifetime::from_seconds);
    Ok(Client {
        id: client_id(row)?,
        partner_id: PartnerId(uuid(row, "partner_id")?),
        user_id: UserId(uuid(row, "user_id")?),
        name: Name::parse(&row.text("name")?).map_err(|error| unfit("name", error))?,
        is_test: row.flag("is_test")?,
        apis: json(row, "apis")?,
        scopes: json(row, "scopes")?,
        default_scopes: json_if_any(row, "default_scopes")?,
        ungranted_scope: word(row, "ungranted_scope")?,
        lifetime: seconds.ok_or_else(|| unfit("lifetime", "it is no count of seconds"))?,
        allow: json(row, "allow")?,
        auth_method: row.text_if_any("auth_method")?.map(|text| spelled("auth_method", text)).transpose()?,
        grant_types: json(row, "grant_types")?,
        status: word(row, "status")?,
        expires: instant_if_any(row, "expires")?,
        created: instant(row, "created")?,
        version: row.number("version")?,
    })
}

/// Rows of `clients` joined with `partners.status` and `.expires` as `partner_…`, one for each secret or one without a secret;
/// those of a client are together, its public keys are a JSON list `keys`, and its limits, if it has any, are `limits`.
pub(crate) fn client_records(rows: &[impl Columns]) -> Result<Vec<ClientRecord>, StoreError> {
    let mut records: Vec<ClientRecord> = Vec::new();
    for row in rows {
        let id = row.text("id")?;
        if records.last().is_none_or(|last| last.client.id.as_str() != id) {
            records.push(ClientRecord {
                client: client(row)?,
                partner_status: word(row, "partner_status")?,
                partner_expires: instant_if_any(row, "partner_expires")?,
                secrets: Vec::new(),
                keys: json(row, "keys")?,
                limits: json_if_any(row, "limits")?.unwrap_or_default(),
            });
        }
        if let (Some(record), Some(_)) = (records.last_mut(), row.text_if_any("secret_id")?) {
            record.secrets.push(secret(row)?);
        }
    }
    Ok(records)
}

/// A row with ids of clients, separated by blanks.
pub(crate) fn client_ids(row: &impl Columns) -> Result<Vec<ClientId>, StoreError> {
    let ids = row.text("ids")?;
    let each = ids.split(' ').filter(|id| !id.is_empty());
    each.map(|id| ClientId::parse(id).ok_or_else(|| unfit("id", "it is no client id"))).collect()
}

/// A row of `secrets`, its columns prefixed with `secret_`.
pub(crate) fn secret(row: &impl Columns) -> Result<StoredSecret, StoreError> {
    let label = row.text_if_any("secret_label")?.map(|text| Name::parse(&text)).transpose();
    Ok(StoredSecret {
        id: SecretId(uuid(row, "secret_id")?),
        label: label.map_err(|error| unfit("secret_label", error))?,
        tag: SecretTag { pepper: row.text("secret_pepper")?, tag: row.bytes("secret_tag")? },
        created: instant(row, "secret_created")?,
        not_before: instant_if_any(row, "secret_not_before")?,
        expires: instant_if_any(row, "secret_expires")?,
        ended: instant_if_any(row, "secret_ended")?,
    })
}

/// A row of `keys`.
pub(crate) fn key(row: &impl Columns) -> Result<StoredKey, StoreError> {
    let owner = match row.text_if_any("api_id")? {
        Some(_) => KeyOwner::Api(ApiId(uuid(row, "api_id")?)),
        None => KeyOwner::Service,
    };
    Ok(StoredKey {
        kid: word(row, "kid")?,
        owner,
        algorithm: word(row, "algorithm")?,
        state: word(row, "state")?,
        public: json(row, "public")?,
        sealed: Sealed { wrapping: row.text("wrapping")?, bytes: row.bytes("sealed")? },
        created: instant(row, "created")?,
        signs_from: instant(row, "signs_from")?,
        verifies_until: instant_if_any(row, "verifies_until")?,
    })
}

/// A row of `audit`, whole.
pub(crate) fn audit_line(row: &impl Columns) -> Result<AuditLine, StoreError> {
    Ok(AuditLine {
        seq: row.number("seq")?,
        at: row.number("at")?,
        actor: row.text("actor")?,
        action: row.text("action")?,
        noun: row.text("noun")?,
        id: row.text("id")?,
        details: row.text("details")?,
        previous: hash(row, "previous")?,
        hash: hash(row, "hash")?,
    })
}

/// A row of `audit`, as followers of the news need it.
pub(crate) fn news(row: &impl Columns) -> Result<News, StoreError> {
    Ok(News { seq: row.number("seq")?, subject: Subject::parse(&row.text("noun")?, &row.text("id")?) })
}

/// What is to expire, as `noun` and `id`, and when.
pub(crate) fn expiring(row: &impl Columns) -> Result<(Subject, Timestamp), StoreError> {
    let subject = Subject::parse(&row.text("noun")?, &row.text("id")?);
    Ok((subject.ok_or_else(|| unfit("id", "it is no id"))?, instant(row, "expires")?))
}

/// A SHA-256.
pub(crate) fn hash(row: &impl Columns, column: &'static str) -> Result<[u8; 32], StoreError> {
    row.bytes(column)?.try_into().map_err(|_| unfit(column, "it is no hash of 32 bytes"))
}

/// Whose a key is, as the column `api_id` holds it.
pub(crate) fn owner(owner: KeyOwner) -> Option<String> {
    match owner {
        KeyOwner::Api(api) => Some(api.0.to_string()),
        KeyOwner::Service => None,
    }
}

/// A value as a JSON column holds it.
pub(crate) fn as_json(value: &impl Serialize) -> String {
    Value::to_string(&serde_json::json!(value))
}

/// A value of a closed set, or a text of a checked form, as a plain column holds it.
pub(crate) fn as_word(value: &impl Serialize) -> String {
    match serde_json::json!(value) {
        Value::String(word) => word,
        other => other.to_string(),
    }
}

fn uuid(row: &impl Columns, column: &'static str) -> Result<Uuid, StoreError> {
    row.text(column)?.parse().map_err(|error: uuid::Error| unfit(column, error))
}

fn instant(row: &impl Columns, column: &'static str) -> Result<Timestamp, StoreError> {
    row.number(column).map(Timestamp::from_micros)
}

fn instant_if_any(row: &impl Columns, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.number_if_any(column)?.map(Timestamp::from_micros))
}

fn word<T: DeserializeOwned>(row: &impl Columns, column: &'static str) -> Result<T, StoreError> {
    spelled(column, row.text(column)?)
}

fn spelled<T: DeserializeOwned>(column: &'static str, text: String) -> Result<T, StoreError> {
    serde_json::from_value(Value::String(text)).map_err(|error| unfit(column, error))
}

fn json<T: DeserializeOwned>(row: &impl Columns, column: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(&row.text(column)?).map_err(|error| unfit(column, error))
}

fn json_if_any<T: DeserializeOwned>(
    row: &impl Columns,
    column: &'static str,
) -> Result<Option<T>, StoreError> {
    let text = row.text_if_any(column)?;
    text.map(|text| serde_json::from_str(&text).map_err(|error| unfit(column, error))).transpose()
}

pub(crate) fn unfit(column: &'static str, why: impl Display) -> StoreError {
    StoreError::Unreadable(format!(
        "the column `{column}` holds what this version does not know ({why}); restore a backup or upgrade Gatepost"
    ))
}
