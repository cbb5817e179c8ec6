//! This file is where it is a row becomes the counts of how much there is.

use super::Columns;
use crate::{Counts, StoreError};

/// A row of two counts.
pub(crate) fn counts(row: &impl Columns) -> Result<Counts, StoreError> {
    let count = |column| Ok(u64::try_from(row.number(column)?).unwrap_or_default());
    Ok(Counts { partners: count("partners")?, clients: count("clients")? })
}
