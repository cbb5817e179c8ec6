//! This file is where the guard stands around a service: it refuses, or tells the service who calls.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Either, Full};
use tower_layer::Layer;
use tower_service::Service;

use crate::guard::Guard;

/// A body that is the service's, or a refusal's.
pub(crate) type RefusalOr<B> = Either<Full<Bytes>, B>;

type Answering<B, E> = Pin<Box<dyn Future<Output = Result<Response<RefusalOr<B>>, E>> + Send>>;

/// The realm of the guard that let a request pass, for the refusals of inner layers.
#[derive(Clone)]
pub(crate) struct Realm(pub(crate) Arc<str>);

/// A service behind a guard.
#[derive(Debug, Clone)]
pub struct GuardService<S> {
    guard: Guard,
    inner: S,
}

impl<S> Layer<S> for Guard {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> GuardService<S> {
        GuardService { guard: self.clone(), inner }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for GuardService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Future: Send,
    ReqBody: Send + 'static,
{
    type Response = Response<RefusalOr<ResBody>>;
    type Error = S::Error;
    type Future = Answering<ResBody, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        // The clone isn't ready; the one that was polled is, and must be the one that is called.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let guard = self.guard.clone();
        Box::pin(async move {
            let caller = match guard.authenticate(request.headers()).await {
                Ok(caller) => caller,
                Err(refusal) => return Ok(refusal.response(guard.realm()).map(Either::Left)),
            };
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(Realm(guard.shared_realm()));
            Ok(inner.call(request).await?.map(Either::Right))
        })
    }
}
