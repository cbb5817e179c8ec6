//! This file is where it is taken down which route axum found, for the log line of what fails later.

use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::MatchedPath;
use http::Request;
use tower::{Layer, Service};

/// Takes down which route was found; what fails later is logged with it.
#[derive(Clone, Copy)]
pub(crate) struct NoteRoute;

/// A service whose requests are taken down.
#[derive(Clone)]
pub(crate) struct Noted<S>(S);

impl<S> Layer<S> for NoteRoute {
    type Service = Noted<S>;

    fn layer(&self, inner: S) -> Noted<S> {
        Noted(inner)
    }
}

impl<S: Service<Request<Body>>> Service<Request<Body>> for Noted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        let extensions = request.extensions();
        if let (Some(route), Some(found)) = (extensions.get::<FoundRoute>(), extensions.get::<MatchedPath>())
        {
            let _ = route.0.set(found.clone());
        }
        self.0.call(request)
    }
}

/// Where the route that was found is taken down; filled once there is one.
#[derive(Debug, Clone, Default)]
pub(crate) struct FoundRoute(Arc<OnceLock<MatchedPath>>);

impl FoundRoute {
    /// The route, as the router writes it; nothing where none was found.
    pub(crate) fn route(&self) -> Option<&str> {
        self.0.get().map(MatchedPath::as_str)
    }
}
