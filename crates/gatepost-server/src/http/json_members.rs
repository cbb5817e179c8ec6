//! This file is where the members of a JSON body are read as parameters, each no deeper than a parameter goes.
//!
//! `serde_json::Value` must not stand here: with the `raw_value` feature, which other crates of the program turn on, it
//! takes a certain object for JSON text and parses that again, without end.

use std::fmt;

use gatepost_operations::core::params::Value;
use gatepost_operations::core::refusal::{Code, Refusal};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Reads a JSON object, keeping every member in order: which of equal names counts is the door's to say.
pub(super) fn read(body: &[u8]) -> Result<Vec<(String, Value)>, Refusal> {
    let malformed = |_| Code::InvalidRequest.because("the JSON body is malformed or no object");
    let mut reader = serde_json::Deserializer::from_slice(body);
    let pairs = reader.deserialize_map(Members).map_err(malformed)?;
    reader.end().map_err(malformed)?;
    Ok(pairs)
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some((name, Parameter(value))) = members.next_entry::<String, Parameter>()? {
            pairs.push((name, value));
        }
        Ok(pairs)
    }
}

/// One value; what is inside an object is passed over without being kept.
struct Parameter(Value);

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut texts = Vec::new();
        let mut is_text = true;
        while let Some(Parameter(item)) = items.next_element()? {
            match item {
                Value::Text(text) => texts.push(text),
                Value::Number(_) | Value::List(_) | Value::Null | Value::Other => is_text = false,
            }
        }
        Ok(if is_text { Value::List(texts) } else { Value::Other })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(json: &str) -> Value {
        read(json.as_bytes()).unwrap().remove(0).1
    }

    #[test]
    fn values_keep_their_kind() {
        let list = |texts: &[&str]| Value::List(texts.iter().map(|text| (*text).to_owned()).collect());
        let cases = [
            (r#"{"a":"x"}"#, Value::Text("x".into())),
            (r#"{"a":5}"#, Value::Number("5".into())),
            (r#"{"a":-5}"#, Value::Number("-5".into())),
            (r#"{"a":true}"#, Value::Other),
            (r#"{"a":null}"#, Value::Null),
            (r#"{"a":["x","y"]}"#, list(&["x", "y"])),
            (r#"{"a":[]}"#, list(&[])),
            (r#"{"a":["x",1]}"#, Value::Other),
            (r#"{"a":{"b":"x"}}"#, Value::Other),
        ];
        for (json, value) in cases {
            assert_eq!(first(json), value, "{json}");
        }
    }

    #[test]
    fn an_object_that_spells_raw_json_is_an_object() {
        let spelled = r#"{"a":{"$serde_json::private::RawValue":"\"client_credentials\""}}"#;
        assert_eq!(first(spelled), Value::Other);
    }

    #[test]
    fn text_inside_text_is_never_parsed() {
        let mut text = "[".repeat(124);
        for _ in 0..6 {
            let inner = serde_json::to_string(&text).unwrap();
            text = format!("{}{{\"$serde_json::private::RawValue\":{inner}}}", "[".repeat(120));
        }
        let bomb = format!("{{\"a\":{text}");
        assert!(read(bomb.as_bytes()).is_err());
    }
}
