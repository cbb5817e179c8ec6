//! This file is where JSON is read strictly: one object, no repeated member at any depth, bounded depth, no control
//! characters in texts (RFC 8259 sections 4 and 9, RFC 8725 section 2.4).

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Objects and arrays inside each other; no token needs more.
const MAX_DEPTH: usize = 12;

/// Why a text is not a strict JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotStrict;

impl NotStrict {
    pub(crate) const fn why(self) -> &'static str {
        "it must be one JSON object without repeated members, deep nesting or control characters in texts"
    }
}

/// The members of an object, each value as it was written.
pub(crate) struct Object<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// Reads an object and walks through all it holds.
    pub(crate) fn parse(json: &'a [u8]) -> Result<Self, NotStrict> {
        let mut walk = serde_json::Deserializer::from_slice(json);
        Walk { depth: 0 }.deserialize(&mut walk).map_err(|_| NotStrict)?;
        Self::shallow(json)
    }

    /// Reads an object whose members are judged one by one later.
    pub(crate) fn shallow(json: &'a [u8]) -> Result<Self, NotStrict> {
        serde_json::from_slice(json).map_err(|_| NotStrict)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, value)| *value)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(name, _)| name.as_ref())
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object<'de>, M::Error> {
                let mut members: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::with_capacity(16);
                let mut seen = HashSet::new();
                while let Some(Name(name)) = map.next_key()? {
                    if !seen.insert(name.clone()) {
                        return Err(M::Error::custom("repeated member"));
                    }
                    members.push((name, map.next_value()?));
                }
                Ok(Object { members })
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A member's name, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Walks through a value and keeps nothing of it.
#[derive(Clone, Copy)]
struct Walk {
    depth: usize,
}

impl Walk {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom("too deep"));
        }
        Ok(Self { depth: self.depth.saturating_add(1) })
    }
}

fn without_controls<E: serde::de::Error>(text: &str) -> Result<(), E> {
    if text.chars().any(char::is_control) {
        return Err(E::custom("control character"));
    }
    Ok(())
}

impl<'de> DeserializeSeed<'de> for Walk {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("strict JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        without_controls(text)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<(), S::Error> {
        let inner = self.deeper()?;
        while seq.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let inner = self.deeper()?;
        let mut seen = HashSet::new();
        while let Some(Name(name)) = map.next_key()? {
            without_controls(&name)?;
            if !seen.insert(name) {
                return Err(M::Error::custom("repeated member"));
            }
            map.next_value_seed(inner)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strict(json: &str) -> bool {
        Object::parse(json.as_bytes()).is_ok()
    }

    #[test]
    fn ordinary_objects_are_read_and_their_values_kept_as_written() {
        let object = Object::parse(br#"{"a":1.50,"b":{"c":[null,true,"x"]},"\u0064":2}"#).unwrap();
        assert_eq!(object.get("a").unwrap().get(), "1.50");
        assert_eq!(object.get("d").unwrap().get(), "2");
        assert_eq!(object.names().collect::<Vec<_>>(), ["a", "b", "d"]);
    }

    #[test]
    fn repeated_members_are_refused_at_any_depth_and_in_any_spelling() {
        for json in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":1}"#,
            r#"{"x":{"a":1,"a":1}}"#,
            r#"{"x":[{"a":1,"\u0061":2}]}"#,
        ] {
            assert!(!strict(json), "{json}");
        }
        assert!(strict(r#"{"a":{"a":1},"b":{"a":1}}"#));
    }

    #[test]
    fn other_documents_are_refused() {
        for json in [
            "",
            "[]",
            "1",
            "null",
            "\"a\"",
            "{",
            "{}{}",
            "{} x",
            "{\"a\":01}",
            "{\"a\":NaN}",
            "{\"a\":1e400}",
            "{\"a\":Infinity}",
            "{a:1}",
            "{\"a\":1,}",
            "\u{feff}{}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\t\"}",
        ] {
            assert!(!strict(json), "{json}");
        }
        assert!(Object::parse(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn control_characters_in_texts_are_refused_however_they_are_written() {
        for json in [
            r#"{"a":"\u0000"}"#,
            r#"{"a":"x\r\n"}"#,
            r#"{"a":["\u001b["]}"#,
            r#"{"\t":1}"#,
            r#"{"a":"\u0085"}"#,
        ] {
            assert!(!strict(json), "{json}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(strict(&nested(MAX_DEPTH - 1)));
        assert!(!strict(&nested(MAX_DEPTH)));
        assert!(!strict(&nested(5000)));
    }
}
