//! This file is where many rows come from SQLite as one: a list of lists in JSON.
//!
//! Each row that the thread of a connection hands over wakes the task that waits for it, and that costs more than to find
//! the row: of 72 us of processor time a client, 256 by one statement, 50 went that way.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::StoreError;
use crate::rows::{Columns, unfit};

/// The statement that gives all rows of another one as one text, in their order, and the names of their columns.
///
/// Bytes must come as hexadecimal digits and lists of JSON as text.
macro_rules! listed {
    ([$first:ident $(, $column:ident)* $(,)?] of $($select:tt)+) => {
        (
            concat!(
                "SELECT json_group_array(json_array(", stringify!($first) $(, ", ", stringify!($column))*,
                ")) AS list FROM (", $($select)+, ")"
            ),
            &[stringify!($first) $(, stringify!($column))*]
        )
    };
}
pub(super) use listed;

/// The rows of such a list.
pub(super) fn rows<'a>(list: &'a str, columns: &'a [&'static str]) -> Result<Vec<Listed<'a>>, StoreError> {
    let rows: Vec<Vec<Held<'a>>> = serde_json::from_str(list).map_err(|error| unfit("list", error))?;
    Ok(rows.into_iter().map(|values| Listed { columns, values }).collect())
}

/// A row of a list.
pub(super) struct Listed<'a> {
    columns: &'a [&'static str],
    values: Vec<Held<'a>>,
}

/// What a column holds.
enum Held<'a> {
    Nothing,
    Number(i64),
    Text(Cow<'a, str>),
}

impl Listed<'_> {
    fn held(&self, column: &'static str) -> Result<&Held<'_>, StoreError> {
        let place = self.columns.iter().position(|name| *name == column);
        place.and_then(|place| self.values.get(place)).ok_or_else(|| unfit(column, "it is missing"))
    }
}

impl Columns for Listed<'_> {
    fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.text_if_any(column)?.ok_or_else(|| unfit(column, "it is empty"))
    }

    fn text_if_any(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        match self.held(column)? {
            Held::Nothing => Ok(None),
            Held::Text(text) => Ok(Some(text.clone().into_owned())),
            Held::Number(_) => Err(unfit(column, "it is a number")),
        }
    }

    fn number(&self, column: &'static str) -> Result<i64, StoreError> {
        self.number_if_any(column)?.ok_or_else(|| unfit(column, "it is empty"))
    }

    fn number_if_any(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        match self.held(column)? {
            Held::Nothing => Ok(None),
            Held::Number(number) => Ok(Some(*number)),
            Held::Text(_) => Err(unfit(column, "it is a text")),
        }
    }

    fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        Ok(self.number(column)? != 0)
    }

    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        hex::decode(self.text(column)?).map_err(|error| unfit(column, error))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Held<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyHeld)
    }
}

/// Each value is read once, as it stands: `serde(untagged)` would keep every one of a long list in between.
struct AnyHeld;

impl<'de> Visitor<'de> for AnyHeld {
    type Value = Held<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a number, a text or nothing")
    }

    fn visit_unit<E>(self) -> Result<Held<'de>, E> {
        Ok(Held::Nothing)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Held<'de>, E> {
        Ok(Held::Number(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Held<'de>, E> {
        i64::try_from(number).map(Held::Number).map_err(E::custom)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Held<'de>, E> {
        Ok(Held::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Held<'de>, E> {
        Ok(Held::Text(Cow::Owned(text.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_row_says_what_its_columns_hold_and_what_they_can_not_hold() {
        let list = r#"[["a\"b",-7,null,"00ff"],["c"]]"#;
        let rows = rows(list, &["text", "number", "nothing", "bytes"]).unwrap();

        assert_eq!(rows[0].text("text").unwrap(), "a\"b");
        assert_eq!((rows[0].number("number").unwrap(), rows[0].flag("number").unwrap()), (-7, true));
        assert_eq!(rows[0].text_if_any("nothing").unwrap(), None);
        assert_eq!(rows[0].number_if_any("nothing").unwrap(), None);
        assert_eq!(rows[0].bytes("bytes").unwrap(), [0, 255]);
        assert!(rows[0].number("text").is_err() && rows[0].text("number").is_err());
        assert!(rows[0].text("nothing").is_err() && rows[0].bytes("text").is_err());
        assert!(rows[1].number("number").is_err() && rows[1].text("unheard").is_err());
    }

    #[test]
    fn bytes_are_two_digits_each_and_nothing_else() {
        for text in ["+f", "0", "00f", "0 ", "é"] {
            let list = serde_json::json!([[text]]).to_string();
            assert!(rows(&list, &["bytes"]).unwrap()[0].bytes("bytes").is_err(), "{text}");
        }
    }
}
