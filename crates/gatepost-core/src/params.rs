//! This file is where the parameters of a request are, after the edge has read the body and before a rule looks at them.

use crate::refusal::{Code, Refusal};

/// Which of the two token endpoints a request came through; they differ in tolerance, not in what they grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// `POST /api/oauth/token`: the origin page's contract, as tolerant as Laravel Passport.
    Origin,
    /// `POST /oauth2/token`: RFC 6749 to the letter.
    Standard,
}

/// The value of one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text, from a form field or a JSON string.
    Text(String),
    /// A JSON number, in its own digits.
    Number(String),
    /// A JSON array of strings.
    List(Vec<String>),
    /// JSON null.
    Null,
    /// Any other JSON value.
    Other,
}

/// The parameters of one request; each name at most once, for the edge has settled repetitions by its door's rule.
#[derive(Debug, Default)]
pub struct Params {
    entries: Vec<(String, Value)>,
    repeated_resource: bool,
}

impl Params {
    /// Adds a parameter; the last of equal names wins. Gives the name back if it was there before.
    pub fn insert(&mut self, name: String, value: Value) -> Option<String> {
        match self.entries.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => {
                *old = value;
                Some(name)
            }
            None => {
                self.entries.push((name, value));
                None
            }
        }
    }

    /// Notes that `resource` was given more than once: RFC 8707 allows it, we don't.
    pub fn note_repeated_resource(&mut self) {
        self.repeated_resource = true;
    }

    /// Whether `resource` was given more than once.
    pub fn has_repeated_resource(&self) -> bool {
        self.repeated_resource
    }

    /// The parameter `name`; an empty text and null count as omitted (RFC 6749 section 3.2).
    pub fn find(&self, name: &str) -> Option<&Value> {
        let (_, value) = self.entries.iter().find(|(known, _)| known == name)?;
        match value {
            Value::Null => None,
            Value::Text(text) if text.is_empty() => None,
            Value::Text(_) | Value::Number(_) | Value::List(_) | Value::Other => Some(value),
        }
    }

    /// The parameter `name` as text, `None` when omitted, a refusal that names it when it is of another type.
    pub fn text(&self, name: &'static str) -> Result<Option<&str>, Refusal> {
        match self.find(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Number(_) | Value::List(_) | Value::Null | Value::Other) => {
                Err(Code::InvalidRequest.because("a parameter is not text").about(name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_equal_names_wins_and_emptiness_is_absence() {
        let mut params = Params::default();
        assert_eq!(params.insert("a".into(), Value::Text("1".into())), None);
        assert_eq!(params.insert("a".into(), Value::Text("2".into())).as_deref(), Some("a"));
        params.insert("b".into(), Value::Text(String::new()));
        params.insert("c".into(), Value::Null);
        params.insert("d".into(), Value::Number("7".into()));

        assert_eq!(params.text("a").unwrap(), Some("2"));
        assert_eq!(params.text("b").unwrap(), None);
        assert_eq!(params.text("c").unwrap(), None);
        assert_eq!(params.text("d").unwrap_err().parameter.as_deref(), Some("d"));
    }
}
