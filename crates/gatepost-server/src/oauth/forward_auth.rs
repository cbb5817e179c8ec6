//! This file is where a proxy asks whether a request may pass: 200, 401 or 403, and never anything else.
//!
//! The query is the proxy's configuration; method and path of the request are in headers that the proxy sets. What can
//! be read in two ways is denied. Everything comes from memory: keys, verified tokens, revocations, route tables.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONNECTION, HeaderValue};
use axum::http::{HeaderMap, HeaderName};
use axum::response::Response;
use gatepost_guard::{Caller, Guard, Refusal, require};
use gatepost_operations::core::apis::routes::{self, PlainPath, Route};
use gatepost_operations::core::scope::Scope;
use gatepost_operations::news;

use crate::http::facts::LogFacts;
use crate::http::failure;
use crate::state::App;

/// Of a good answer, with those that every answer has: room for them is made once.
const MOST_HEADERS: usize = 8;

const METHODS: [HeaderName; 2] =
    [HeaderName::from_static("x-forwarded-method"), HeaderName::from_static("x-original-method")];
const URIS: [HeaderName; 2] =
    [HeaderName::from_static("x-forwarded-uri"), HeaderName::from_static("x-original-uri")];

const X_PARTNER_ID: HeaderName = HeaderName::from_static("x-partner-id");
const X_CLIENT_ID: HeaderName = HeaderName::from_static("x-client-id");
const X_SCOPES: HeaderName = HeaderName::from_static("x-scopes");
const X_IS_TEST: HeaderName = HeaderName::from_static("x-is-test");

/// Any method at `/forward-auth`.
pub(crate) async fn answer(app: &App, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match judge(app, parts.uri.query().unwrap_or_default(), &parts.headers).await {
        Ok(caller) => passed(&caller).unwrap_or_else(|| denied("a claim does not fit into a header")),
        Err(Verdict::Denied(why)) => denied(why),
        Err(Verdict::Refused(refusal, realm)) => refused(&refusal, &realm),
    }
}

/// Why a request may not pass.
enum Verdict {
    /// Whoever sends it: the question itself is no good, or nothing here can be said.
    Denied(&'static str),
    /// Because of its token.
    Refused(Refusal, String),
}

async fn judge(app: &App, query: &str, headers: &HeaderMap) -> Result<Caller, Verdict> {
    let needs = Needs::read(query)?;
    let asked = Asked::read(headers)?;
    let judges = app.verifiers.current().await;
    let judge = judges.named(&needs.api).ok_or(Verdict::Denied("no such API, or it has no keys"))?;
    if !news::is_within_grace(&app.gate) {
        return Err(Verdict::Denied("the store has been away for too long"));
    }

    let guard = judge.guard();
    let caller = guard.authenticate(headers).await.map_err(of(guard))?;
    needs.check(&caller).map_err(of(guard))?;
    let ring = app.gate.ring();
    let table = ring.access(judge.id()).map_or(&[][..], |access| &access.routes);
    asked.check(table, &caller, guard)?;
    Ok(caller)
}

fn of(guard: &Guard) -> impl Fn(Refusal) -> Verdict + '_ {
    |refusal| Verdict::Refused(refusal, guard.realm().to_owned())
}

/// What the proxy's configuration asks for.
#[derive(Default)]
struct Needs {
    api: String,
    all: Vec<String>,
    any: Vec<String>,
    live: bool,
}

impl Needs {
    /// A name that is not known, missing or twice there is a mistake of the configuration, which must not let pass.
    fn read(query: &str) -> Result<Self, Verdict> {
        let mut needs = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "api" if needs.api.is_empty() => needs.api = value.into_owned(),
                "scope" => needs.all.push(scope(&value)?),
                "any" => needs.any.push(scope(&value)?),
                "live" if value == "1" && !needs.live => needs.live = true,
                _ => {
                    return Err(Verdict::Denied("the query has a name or value that is not known, or twice"));
                }
            }
        }
        if needs.api.is_empty() { Err(Verdict::Denied("the query names no API")) } else { Ok(needs) }
    }

    fn check(&self, caller: &Caller) -> Result<(), Refusal> {
        if self.live && caller.is_test {
            return Err(Refusal::TestToken);
        }
        require::all(&self.all).check(caller)?;
        if self.any.is_empty() { Ok(()) } else { require::any(&self.any).check(caller) }
    }
}

fn scope(text: &str) -> Result<String, Verdict> {
    let malformed = |_| Verdict::Denied("the query has a malformed scope");
    Scope::parse(text).map(|scope| scope.as_str().to_owned()).map_err(malformed)
}

/// What the request that the proxy holds asks for, as far as the proxy says.
struct Asked<'a> {
    method: Option<&'a str>,
    path: Option<PlainPath<'a>>,
}

impl<'a> Asked<'a> {
    fn read(headers: &'a HeaderMap) -> Result<Self, Verdict> {
        // A hop before us may have been told to drop what we rely on.
        let dropped = |name: &HeaderName| is_hop_by_hop(headers, name);
        if headers.contains_key(CONNECTION)
            && METHODS.iter().chain(&URIS).chain([&AUTHORIZATION]).any(dropped)
        {
            return Err(Verdict::Denied("Connection names a header that counts here"));
        }
        let method = only(headers, &METHODS)?;
        if method.is_some_and(|method| !is_method(method)) {
            return Err(Verdict::Denied("the method is none"));
        }
        let path = only(headers, &URIS)?.map(PlainPath::of).transpose();
        let path = path.map_err(|_| Verdict::Denied("the path can be read in more than one way"))?;
        Ok(Self { method, path })
    }

    /// With a table, the most exact line that matches counts; a request of which no line speaks may not pass.
    fn check(&self, table: &[Route], caller: &Caller, guard: &Guard) -> Result<(), Verdict> {
        if table.is_empty() {
            return Ok(());
        }
        let path = self.path.as_ref().ok_or(Verdict::Denied("there is a route table, but no path"))?;
        // Without a method only lines for any method speak of it.
        let needed = routes::needed(table, self.method.unwrap_or_default(), path);
        let needed = needed.ok_or(Verdict::Denied("no line of the route table matches"))?;
        let scopes = needed.iter().map(|scope| scope.as_str().to_owned());
        require::all(scopes).check(caller).map_err(of(guard))
    }
}

/// The one value of a header with two spellings, each of which may be there once; if both are, they must agree.
fn only<'a>(headers: &'a HeaderMap, spellings: &[HeaderName; 2]) -> Result<Option<&'a str>, Verdict> {
    let mut found = None;
    for spelling in spellings {
        let mut values = headers.get_all(spelling).iter();
        let Some(value) = values.next() else { continue };
        let text = value.to_str().map_err(|_| Verdict::Denied("a forwarded header is not ASCII"))?;
        if values.next().is_some() || found.is_some_and(|other| other != text) {
            return Err(Verdict::Denied("the forwarded headers say more than one thing"));
        }
        found = Some(text);
    }
    Ok(found)
}

/// Methods are compared by case (RFC 9110 section 9.1), and all that there are are in capitals.
fn is_method(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
}

fn is_hop_by_hop(headers: &HeaderMap, name: &HeaderName) -> bool {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|text| text.split(',')).any(|named| named.trim().eq_ignore_ascii_case(name.as_str()))
}

/// Every header is set, also to nothing, so that what the caller sent under these names can't stay.
fn passed(caller: &Caller) -> Option<Response> {
    let text = |text: &str| HeaderValue::from_str(text).ok();
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.reserve(MOST_HEADERS);
    headers.insert(X_PARTNER_ID, text(caller.partner_id.as_deref().unwrap_or_default())?);
    headers.insert(X_CLIENT_ID, text(&caller.client_id)?);
    headers.insert(X_SCOPES, text(&caller.scopes.join(" "))?);
    headers.insert(X_IS_TEST, HeaderValue::from_static(if caller.is_test { "true" } else { "false" }));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let facts = LogFacts {
        client_id: Some(caller.client_id.clone()),
        jti: Some(caller.jti.clone()),
        ..LogFacts::default()
    };
    response.extensions_mut().insert(facts);
    Some(response)
}

fn refused(refusal: &Refusal, realm: &str) -> Response {
    let mut response = failure::call_refused(refusal, realm);
    response.extensions_mut().insert(facts(refusal.code(), &refusal.to_string()));
    response
}

fn denied(why: &'static str) -> Response {
    let mut response = failure::denied();
    response.extensions_mut().insert(facts("denied", why));
    response
}

fn facts(refusal: &'static str, reason: &str) -> LogFacts {
    LogFacts { refusal: Some(refusal), reason: Some(reason.to_owned()), ..LogFacts::default() }
}
