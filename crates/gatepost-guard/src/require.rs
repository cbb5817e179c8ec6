//! This file is where a route says which scopes it needs (RFC 6750 section 3.1).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body_util::Either;
use tower_layer::Layer;
use tower_service::Service;

use crate::caller::Caller;
use crate::layer::{Realm, RefusalOr};
use crate::refusal::{DEFAULT_REALM, Refusal};

/// All of these scopes are needed; with none, any valid token passes.
pub fn all<I: IntoIterator<Item: Into<String>>>(scopes: I) -> RequireScopes {
    RequireScopes::new(scopes, Rule::All)
}

/// One of these scopes is needed; with none, no token passes.
pub fn any<I: IntoIterator<Item: Into<String>>>(scopes: I) -> RequireScopes {
    RequireScopes::new(scopes, Rule::Any)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    All,
    Any,
}

/// A layer for one route or several, inside the [`crate::Guard`]. Without a guard around it everything is refused.
#[derive(Debug, Clone)]
pub struct RequireScopes {
    scopes: Arc<[String]>,
    rule: Rule,
    required: Arc<str>,
}

impl RequireScopes {
    fn new<I: IntoIterator<Item: Into<String>>>(scopes: I, rule: Rule) -> Self {
        let scopes: Vec<String> = scopes.into_iter().map(Into::into).collect();
        let required = scopes.join(" ").into();
        Self { scopes: scopes.into(), rule, required }
    }

    /// Whether this caller may pass.
    pub fn check(&self, caller: &Caller) -> Result<(), Refusal> {
        let passes = match self.rule {
            Rule::All => self.scopes.iter().all(|scope| caller.has_scope(scope)),
            Rule::Any => self.scopes.iter().any(|scope| caller.has_scope(scope)),
        };
        if passes { Ok(()) } else { Err(Refusal::Scope { required: Arc::clone(&self.required) }) }
    }

    fn check_request<B>(&self, request: &Request<B>) -> Result<(), Refusal> {
        let Some(caller) = request.extensions().get::<Caller>() else {
            tracing::error!("a route requires scopes, but no guard layer is around it");
            return Err(Refusal::NoCredentials);
        };
        self.check(caller).inspect_err(|refusal| tracing::debug!(code = refusal.code(), "call refused"))
    }
}

impl<S> Layer<S> for RequireScopes {
    type Service = RequireService<S>;

    fn layer(&self, inner: S) -> RequireService<S> {
        RequireService { require: self.clone(), inner }
    }
}

/// A service that needs scopes.
#[derive(Debug, Clone)]
pub struct RequireService<S> {
    require: RequireScopes,
    inner: S,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RequireService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    ResBody: Send + 'static,
{
    type Response = Response<RefusalOr<ResBody>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        if let Err(refusal) = self.require.check_request(&request) {
            let realm = request.extensions().get::<Realm>().map_or(DEFAULT_REALM, |realm| &realm.0);
            let refused = refusal.response(realm).map(Either::Left);
            return Box::pin(std::future::ready(Ok(refused)));
        }
        let answer = self.inner.call(request);
        Box::pin(async move { Ok(answer.await?.map(Either::Right)) })
    }
}
