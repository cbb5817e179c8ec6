//! This file is where rows become counts of what clients and secrets did.

use gatepost_core::clients::{ClientId, SecretId};
use gatepost_core::limits::Issued;
use gatepost_core::usage::{ClientUsage, Hour, SecretUsage};

use super::{Columns, instant, unfit, uuid};
use crate::StoreError;

/// A row of `usage`.
pub(crate) fn client_usage(row: &impl Columns) -> Result<ClientUsage, StoreError> {
    let client = row.text("client_id")?;
    Ok(ClientUsage {
        client: ClientId::parse(&client).ok_or_else(|| unfit("client_id", "it is no client id"))?,
        hour: Hour(row.number("hour")?),
        issued: count(row, "issued")?,
        refused: count(row, "refused")?,
    })
}

/// A row of `secret_usage`.
pub(crate) fn secret_usage(row: &impl Columns) -> Result<SecretUsage, StoreError> {
    let address = row.text_if_any("address")?.map(|text| text.parse()).transpose();
    Ok(SecretUsage {
        secret: SecretId(uuid(row, "secret_id")?),
        at: instant(row, "last_at")?,
        address: address.map_err(|error| unfit("address", error))?,
        count: count(row, "count")?,
    })
}

/// A row of sums over `usage`.
pub(crate) fn issued(row: &impl Columns) -> Result<(ClientId, Issued), StoreError> {
    let client = row.text("client_id")?;
    let client = ClientId::parse(&client).ok_or_else(|| unfit("client_id", "it is no client id"))?;
    Ok((client, Issued { on_day: count(row, "on_day")?, in_month: count(row, "in_month")? }))
}

fn count(row: &impl Columns, column: &'static str) -> Result<u64, StoreError> {
    row.number(column)?.try_into().map_err(|error| unfit(column, error))
}
