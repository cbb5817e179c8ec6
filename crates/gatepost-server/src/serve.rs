//! This file is where the server starts and ends: addresses bound, routes behind their layers, everything drained.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gatepost_operations::config::Config;
use gatepost_operations::failure::{Failure, Kind};
use gatepost_operations::gate::Gate;

use crate::admin;
use crate::connections::files;
use crate::connections::listen::{BindError, Listener, Served};
use crate::connections::tls::{TlsError, TlsReloader};
use crate::http::bounds::Bounds;
use crate::layers::{Edge, RequestIds};
use crate::router::{self, Routes};
use crate::state::App;

/// Both addresses, bound; nobody is served yet.
pub struct Listeners {
    public: Listener,
    admin: Listener,
    tls: Option<Arc<TlsReloader>>,
}

/// A server that answers; [`Serving::stop`] ends it well.
pub struct Serving {
    app: App,
    public: Served,
    admin: Served,
    public_url: String,
    admin_url: String,
    tls: Option<Arc<TlsReloader>>,
    drain: Duration,
    grace: Duration,
}

/// Binds both addresses and reads certificate and key, so that what is wrong with them shows before anything starts.
pub async fn bind(config: &Config) -> Result<Listeners, Failure> {
    let tls =
        config.tls.files.clone().map(|files| TlsReloader::load(files, config.tls.min_version)).transpose()?;
    Ok(Listeners {
        public: Listener::bind(config.server.listen).map_err(|error| refused(&error, "server.listen"))?,
        admin: Listener::bind(config.server.admin_listen)
            .map_err(|error| refused(&error, "server.admin_listen"))?,
        tls: tls.map(Arc::new),
    })
}

/// Serves everyone from now on.
pub async fn serve(listeners: Listeners, gate: Arc<Gate>) -> Result<Serving, Failure> {
    let bounds = Arc::new(fitted(&gate.config));
    let of_admin = Arc::new(bounds.of_admin());
    let metrics = Arc::clone(&gate.metrics);
    let ids = request_ids(&gate);
    let app = App::new(Arc::clone(&gate));
    let edge = |routes: Routes, bounds| {
        Edge::new(routes, Arc::clone(bounds), Arc::clone(&metrics), Arc::clone(&ids))
    };
    let Listeners { public, admin, tls } = listeners;

    if let Some(warning) = tls.as_ref().and_then(|tls| tls.warning(gate.clock.now())) {
        tracing::warn!("{warning}");
    }
    let scheme = if tls.is_some() { "https" } else { "http" };
    Ok(Serving {
        public_url: format!("{scheme}://{}", public.local_addr()),
        admin_url: format!("http://{}", admin.local_addr()),
        public: public.serve(edge(router::public(app.clone()), &bounds), tls.clone(), &bounds, &metrics),
        admin: admin.serve(edge(admin::routes(app.clone()).into(), &of_admin), None, &of_admin, &metrics),
        app,
        tls,
        drain: gate.config.server.drain,
        grace: gate.config.server.shutdown_grace,
    })
}

/// The bounds of the configuration, as far as the system allows them.
fn fitted(config: &Config) -> Bounds {
    let mut bounds = Bounds::new(config);
    let files = files::raise_limit();
    if files.is_some_and(|files| bounds.fit(files)) {
        tracing::warn!(
            files,
            connections = bounds.connections,
            "fewer connections than server.max_connections are served: files are short; raise the hard limit (LimitNOFILE, ulimit -Hn)"
        );
    }
    bounds
}

/// Ids are UUIDs of version 7; without chance they would still be told apart by their time.
fn request_ids(gate: &Arc<Gate>) -> RequestIds {
    let gate = Arc::clone(gate);
    Arc::new(move || {
        let random = gate.entropy.for_id::<10>().unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(gate.clock.now().millis(), &random).into_uuid();
        Arc::from(&*id.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()))
    })
}

impl Listeners {
    /// The public address, with the port that was taken.
    pub fn public_addr(&self) -> SocketAddr {
        self.public.local_addr()
    }
}

impl Serving {
    /// Where partners reach the server.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Where operators reach the server.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// Reads certificate and key again; what is wrong with the new ones leaves the old ones in use.
    pub fn reload(&self) -> Result<(), Failure> {
        match &self.tls {
            Some(tls) => Ok(tls.reload(self.app.gate.clock.now())?),
            None => Ok(()),
        }
    }

    /// Says "not ready" for the drain time, then accepts no more and lets what has begun finish within the grace.
    pub async fn stop(self) {
        self.app.stop();
        tokio::time::sleep(self.drain).await;
        let (public, admin) = tokio::join!(self.public.close(self.grace), self.admin.close(self.grace));
        let cut = public.cut.saturating_add(admin.cut);
        if cut > 0 {
            tracing::warn!(cut, "connections were cut because the grace was over");
        }
    }
}

/// An address that can't be had, and the setting that names it.
fn refused(error: &BindError, setting: &str) -> Failure {
    let another = format!("stop that program, or choose another address with `{setting}`");
    let (kind, code, why, fix) = match error {
        BindError::Taken(_) => {
            (Kind::Conflict, "listen.taken", "another program listens there", another.as_str())
        }
        BindError::NotHere(_) => (
            Kind::Configuration,
            "listen.not_here",
            "this machine does not have that address",
            "give an address that it has, or 0.0.0.0 for all",
        ),
        BindError::NotAllowed(_) => (
            Kind::Configuration,
            "listen.not_allowed",
            "ports below 1024 need a privilege",
            "choose a port from 1024 up, or grant CAP_NET_BIND_SERVICE",
        ),
        BindError::Other { .. } => (
            Kind::Unavailable,
            "listen.failed",
            "the system refused",
            "see the system's message, then try again",
        ),
    };
    Failure::new(kind, code, error.to_string(), why, fix)
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        let why = "certificate and key could not be taken into use";
        Self::new(
            Kind::Configuration,
            "tls.unusable",
            error.to_string(),
            why,
            "mend the files that tls.cert and tls.key name",
        )
    }
}
