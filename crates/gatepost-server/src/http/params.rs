//! This file is where the parameters of a request are read from its body, by the rules of the door it came through.
//!
//! | | origin door | standard door |
//! |---|---|---|
//! | bodies | JSON, form, multipart | form, JSON |
//! | a name twice | the last wins | refused |
//! | text | trimmed, as Laravel does | as sent |
//! | anything else | no parameters | refused |

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use gatepost_operations::core::params::{Door, Params, Value};
use gatepost_operations::core::refusal::{Code, Refusal};

use super::body::collect;
use super::json_members;

/// More parameters than this are no honest request.
const MOST: usize = 1_000;

/// Reads the parameters; the query string is never looked at (RFC 6749 section 2.3.1).
pub(crate) async fn read(door: Door, headers: &HeaderMap, body: Bytes) -> Result<Params, Refusal> {
    let pairs = match (Shape::of(headers), door) {
        (Shape::Json, Door::Origin) if body.is_empty() => Vec::new(),
        (Shape::Json, _) => json_members::read(&body)?,
        (Shape::Form, _) => form(&body)?,
        (Shape::Multipart(boundary), Door::Origin) => Box::pin(multipart(boundary, body)).await?,
        (Shape::Multipart(_) | Shape::Other, Door::Standard) => {
            return Err(Code::InvalidRequest.because("the Content-Type is neither form nor JSON"));
        }
        (Shape::Other, Door::Origin) => Vec::new(),
    };
    if pairs.len() > MOST {
        return Err(Code::InvalidRequest.because("too many parameters"));
    }
    settle(door, pairs)
}

/// Reads the parameters where bodies are forms and nothing else.
pub(crate) async fn form_only(headers: &HeaderMap, body: Body, limit: usize) -> Result<Params, Refusal> {
    let Shape::Form = Shape::of(headers) else {
        return Err(Code::InvalidRequest.because("the Content-Type is not application/x-www-form-urlencoded"));
    };
    let body =
        collect(body, limit).await.map_err(|_| Code::InvalidRequest.because("the body can't be read"))?;
    read(Door::Standard, headers, body).await
}

/// Settles repetitions by the door's rule.
fn settle(door: Door, pairs: Vec<(String, Value)>) -> Result<Params, Refusal> {
    let mut params = Params::default();
    for (name, value) in pairs {
        let value = if door == Door::Origin { trimmed(value) } else { value };
        match (params.insert(name, value), door) {
            (None, _) | (Some(_), Door::Origin) => {}
            (Some(repeated), Door::Standard) if repeated == "resource" => params.note_repeated_resource(),
            (Some(repeated), Door::Standard) => {
                let name: String = repeated.chars().take(64).collect();
                return Err(Code::InvalidRequest.because("a parameter is repeated").about(name));
            }
        }
    }
    Ok(params)
}

enum Shape {
    Json,
    Form,
    Multipart(String),
    Other,
}

impl Shape {
    fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(CONTENT_TYPE).iter();
        let (Some(first), None) = (values.next(), values.next()) else {
            return Self::Other;
        };
        let Ok(text) = first.to_str() else {
            return Self::Other;
        };
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Self::Form,
            "multipart/form-data" => multer::parse_boundary(text).map_or(Self::Other, Self::Multipart),
            json if json.ends_with("/json") || json.ends_with("+json") => Self::Json,
            _ => Self::Other,
        }
    }
}

fn form(body: &[u8]) -> Result<Vec<(String, Value)>, Refusal> {
    let pairs = form_urlencoded::parse(body).take(MOST.saturating_add(1));
    Ok(pairs.map(|(name, value)| (name.into_owned(), Value::Text(value.into_owned()))).collect())
}

async fn multipart(boundary: String, body: Bytes) -> Result<Vec<(String, Value)>, Refusal> {
    let broken = |_| Code::InvalidRequest.because("the multipart body can't be read");
    let whole = futures_util::stream::once(async { Ok::<_, std::convert::Infallible>(body) });
    let mut parts = multer::Multipart::new(whole, boundary);
    let mut pairs = Vec::new();
    while let Some(field) = parts.next_field().await.map_err(broken)? {
        let Some(name) = field.name().map(str::to_owned) else {
            continue;
        };
        pairs.push((name, Value::Text(field.text().await.map_err(broken)?)));
        if pairs.len() > MOST {
            break;
        }
    }
    Ok(pairs)
}

/// Takes blanks from both ends, as Laravel does to all input, inside lists too.
fn trimmed(value: Value) -> Value {
    let trim = |text: String| match text.trim_matches([' ', '\t', '\r', '\n']) {
        all if all.len() == text.len() => text,
        rest => rest.to_owned(),
    };
    match value {
        Value::Text(text) => Value::Text(trim(text)),
        Value::List(parts) => Value::List(parts.into_iter().map(trim).collect()),
        Value::Number(_) | Value::Null | Value::Other => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(door: Door, content_type: &str, body: &'static str) -> Result<Params, Refusal> {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        }
        read(door, &headers, Bytes::from_static(body.as_bytes())).await
    }

    #[tokio::test]
    async fn the_last_of_equal_names_wins_at_the_origin_door_and_is_refused_at_the_standard_door() {
        for (content_type, body) in [
            ("application/json", r#"{"a":"1","\u0061":"2"}"#),
            ("application/x-www-form-urlencoded", "a=1&%61=2"),
        ] {
            assert_eq!(ask(Door::Origin, content_type, body).await.unwrap().text("a"), Ok(Some("2")));
            assert_eq!(ask(Door::Standard, content_type, body).await.unwrap_err().code, Code::InvalidRequest);
        }
    }

    #[tokio::test]
    async fn a_repeated_resource_is_left_to_the_grant() {
        let params =
            ask(Door::Standard, "application/x-www-form-urlencoded", "resource=a&resource=b").await.unwrap();
        assert!(params.has_repeated_resource());
    }

    #[tokio::test]
    async fn only_the_origin_door_trims() {
        let body = r#"{"client_id":" c "}"#;
        assert_eq!(
            ask(Door::Origin, "application/json", body).await.unwrap().text("client_id"),
            Ok(Some("c"))
        );
        assert_eq!(
            ask(Door::Standard, "application/json", body).await.unwrap().text("client_id"),
            Ok(Some(" c "))
        );
    }

    #[tokio::test]
    async fn bodies_of_no_known_kind_hold_no_parameters_or_are_refused() {
        for content_type in ["", "text/plain", "multipart/form-data"] {
            assert!(ask(Door::Origin, content_type, "a=1").await.unwrap().find("a").is_none());
            assert!(ask(Door::Standard, content_type, "a=1").await.is_err());
        }
    }

    #[tokio::test]
    async fn json_that_is_no_object_is_refused_at_both_doors() {
        for body in
            ["[]", "\"a\"", "null", "{", "{}x", "\u{feff}{}", r#"{"a":"\ud800"}"#, "{\"a\":\"\u{1}\"}"]
        {
            for door in [Door::Origin, Door::Standard] {
                let refusal = ask(door, "application/json", body).await.unwrap_err();
                assert_eq!((refusal.code, refusal.parameter), (Code::InvalidRequest, None), "{body}");
            }
        }
    }
}
