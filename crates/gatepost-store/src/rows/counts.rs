//! This file is where it is counted how much there is, by one statement for every engine.

use super::Columns;
use crate::{Counts, StoreError};

/// The statement; its row is what [`counts`] reads.
pub(crate) const COUNTS: &str =
    "SELECT (SELECT count(*) FROM partners) AS partners, (SELECT count(*) FROM clients) AS clients";

pub(crate) fn counts(row: &impl Columns) -> Result<Counts, StoreError> {
    let count = |column| Ok(u64::try_from(row.number(column)?).unwrap_or_default());
    Ok(Counts { partners: count("partners")?, clients: count("clients")? })
}
