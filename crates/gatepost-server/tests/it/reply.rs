//! This file is where a test reads an answer, and a token without believing it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use serde_json::Value;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// A header, which must not be there twice.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next().map(|value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} twice");
        first
    }

    /// Status and error code, for tables.
    pub(crate) fn outcome(&self) -> (u16, String) {
        let error = serde_json::from_slice::<Value>(&self.body).ok();
        let error = error.and_then(|body| Some(body.get("error")?.as_str()?.to_owned()));
        (self.status, error.unwrap_or_default())
    }

    /// All that a caller may tell answers apart by: everything but the request's id and the date.
    pub(crate) fn bytes_seen(&self) -> (u16, Vec<(String, String)>, Vec<u8>) {
        let seen = self.headers.iter().filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()));
        let headers = seen.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        (self.status, headers.collect(), self.body.clone())
    }

    /// The token that was granted.
    pub(crate) fn token(&self) -> Token {
        assert_eq!(self.status, 200, "{}", self.text());
        Token::split(self.json()["access_token"].as_str().unwrap())
    }
}

/// A token taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// The header as its own text.
    pub(crate) header: String,
    /// The claims as their own text.
    pub(crate) payload: String,
    pub(crate) signature: Vec<u8>,
}

impl Token {
    /// Decodes the three parts; padding or a fourth part is an error.
    pub(crate) fn split(text: &str) -> Self {
        let parts: Vec<&str> = text.split('.').collect();
        let [header, payload, signature] = parts[..] else { panic!("{} parts", parts.len()) };
        let json = |part| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        Self { text: text.to_owned(), header: json(header), payload: json(payload), signature }
    }

    /// The claims.
    pub(crate) fn claims(&self) -> Value {
        serde_json::from_str(&self.payload).unwrap()
    }

    /// The header's members.
    pub(crate) fn members(&self) -> Value {
        serde_json::from_str(&self.header).unwrap()
    }

    /// The names of the claims in their order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.claims().as_object().unwrap().keys().cloned().collect()
    }

    /// A claim as it stands in the text, digits and all.
    pub(crate) fn raw(&self, name: &str) -> String {
        let claims: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> =
            serde_json::from_str(&self.payload).unwrap();
        claims[name].get().to_owned()
    }
}
