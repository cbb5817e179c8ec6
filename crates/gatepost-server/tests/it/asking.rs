//! This file is where a test puts a request together.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_server::http::facts::Peer;
use http::Request;
use serde_json::{Map, Value};

/// The path of the origin door.
pub(crate) const ORIGIN: &str = "/api/oauth/token";
/// The path of the standard door.
pub(crate) const STANDARD_DOOR: &str = "/oauth2/token";
/// Both doors.
pub(crate) const DOORS: [&str; 2] = [ORIGIN, STANDARD_DOOR];

/// A request to be.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) peer: IpAddr,
}

impl Ask {
    /// A request of that method.
    pub(crate) fn new(method: &str, path: &str) -> Self {
        let (method, path, peer) = (method.to_owned(), path.to_owned(), IpAddr::from([203, 0, 113, 9]));
        Self { method, path, headers: Vec::new(), body: Vec::new(), peer }
    }

    /// A GET.
    pub(crate) fn read(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A POST.
    pub(crate) fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    /// One more header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// HTTP Basic, as sent: nothing is percent-encoded.
    pub(crate) fn basic(self, id: &str, secret: &str) -> Self {
        self.header("authorization", &basic(id, secret))
    }

    /// A body with its content type; none when empty.
    pub(crate) fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let ask = if content_type.is_empty() { self } else { self.header("content-type", content_type) };
        Self { body: body.into(), ..ask }
    }

    /// A form, as it stands on the wire.
    pub(crate) fn form(self, body: &str) -> Self {
        self.body("application/x-www-form-urlencoded", body)
    }

    /// A JSON object.
    pub(crate) fn json(self, members: &Value) -> Self {
        self.body("application/json", members.to_string())
    }

    /// Where it comes from.
    pub(crate) fn at_address(self, peer: [u8; 4]) -> Self {
        Self { peer: IpAddr::from(peer), ..self }
    }

    /// The request as the server takes it.
    pub(crate) fn into_request(self) -> Request<Body> {
        let mut request = Request::builder().method(self.method.as_str()).uri(self.path);
        for (name, value) in self.headers {
            request = request.header(name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let request = request.extension(Peer(SocketAddr::new(self.peer, 50_000)));
        request.body(Body::from(self.body)).unwrap()
    }
}

/// The value of a Basic header.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// The origin page's three parameters.
pub(crate) fn credentials(id: &str, secret: &str) -> Value {
    serde_json::json!({ "grant_type": "client_credentials", "client_id": id, "client_secret": secret })
}

/// The same members with more, or with others in their place.
pub(crate) fn and(base: Value, more: Value) -> Value {
    let (Value::Object(mut all), Value::Object(more)) = (base, more) else { panic!("two objects") };
    all.extend(more);
    Value::Object(all)
}

/// The members without one.
pub(crate) fn without(base: Value, name: &str) -> Value {
    let Value::Object(all) = base else { panic!("an object") };
    Value::Object(all.into_iter().filter(|(known, _)| known != name).collect::<Map<_, _>>())
}

/// Members as a form.
pub(crate) fn form_of(members: &Value) -> String {
    let pairs = members.as_object().unwrap().iter().map(|(name, value)| (name, value.as_str().unwrap()));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
