//! This folder is where `gatepost dev` is: a server on a temporary folder, demo data, and an API that its tokens open.
//!
//! Nothing of it reaches further than this computer, and nothing outlives it: real settings of issuer, database and TLS
//! are not used here, so that trying it can't touch what is real.

mod demo;
mod folder;
mod told;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bookings_api::Bookings;
use gatepost_operations::config::{Config, IssuerSetting, LogFormat};
use gatepost_operations::failure::{Failure, Kind};
use gatepost_operations::telemetry::logs::{self, LogGuard};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::serving::Server;
use super::signals::Signals;
use super::{runtime, settings};
use crate::args::{Dev, Globals};
use crate::ending::{Exit, Trouble};
use crate::output::Output;
use folder::Folder;

/// Nobody waits for a balancer to look elsewhere.
const GRACE: Duration = Duration::from_secs(2);

/// Runs the demonstration until a signal ends it.
pub(super) fn run(globals: &Globals, flags: Dev, output: Output) -> Result<(), Trouble> {
    if globals.data.is_some() || globals.database.is_some() {
        let why = "dev keeps everything in a temporary folder and removes it at the end";
        let fix = "leave --data and --database away, or use `gatepost init` and `gatepost serve`";
        return Err(Trouble::usage("dev.data", "dev takes no state of yours", why, fix));
    }
    let place = folder::place()?;
    let config = config(globals, flags, &place)?;

    let log = logs::start(&config.log, std::io::stderr());
    let log = log.map_err(|error| Trouble::internal("log", error.to_string()))?;
    runtime::on_workers(config.server.workers, Box::pin(try_it(config, place, &log, output)))
}

/// The settings of the demonstration: addresses and key sizes as configured, the rest its own.
fn config(globals: &Globals, flags: Dev, folder: &Path) -> Result<Config, Trouble> {
    let Dev { listen, admin_listen, api_listen } = flags;
    let globals = Globals { data: Some(folder.to_owned()), ..globals.clone() };
    let mut config = settings::load(
        &globals,
        [
            // The file of the folder.
            ("database.url", Some("sqlite:".to_owned())),
            ("server.listen", listen),
            ("server.admin_listen", admin_listen),
            ("dev.api_listen", api_listen),
            // Neither is used: they keep what a public address needs from being asked for before it is refused.
            ("issuer", Some("https://dev.invalid".to_owned())),
            ("server.behind_proxy", Some("true".to_owned())),
        ],
    )?;
    let addresses = [config.server.listen, config.server.admin_listen];
    if let Some(address) = addresses.into_iter().find(|address| !address.ip().is_loopback()) {
        return Err(public(address));
    }

    config.server.behind_proxy = false;
    config.issuer = IssuerSetting::PublicAddress { tls: false };
    config.tls.files = None;
    config.server.drain = Duration::ZERO;
    config.server.shutdown_grace = GRACE;
    if config.log.format == LogFormat::Auto {
        config.log.format = LogFormat::Text;
    }
    Ok(config)
}

fn public(address: SocketAddr) -> Trouble {
    Trouble {
        exit: Exit::Configuration,
        code: "dev.public",
        what: format!("dev does not listen on {address}"),
        why: "it is plain HTTP with demo data, for this computer alone".to_owned(),
        fix: "give an address on 127.0.0.1 or [::1], or use `gatepost serve`".to_owned(),
    }
}

/// What runs: the server, and the API behind the guard.
struct Running {
    server: Server,
    bookings: JoinHandle<()>,
    end_bookings: oneshot::Sender<()>,
}

async fn try_it(config: Config, place: PathBuf, log: &LogGuard, output: Output) -> Result<(), Trouble> {
    // Before the folder is there: a signal that nobody heard would leave it behind.
    let mut signals = Signals::listen()?;
    let folder = Folder::create(place)?;
    output.note("Making signing keys and demo data; RSA keys of 4096 bits take some seconds.");
    // Whatever comes: there is no certificate to read again, and a terminal that is closed says SIGHUP.
    let Some(started) = signals.unless_signalled(Box::pin(start(config, folder.path(), log))).await else {
        return Ok(());
    };
    let (running, demo) = started?;
    told::tell(&demo, folder.path(), output)?;

    signals.next().await;
    signals.end(running.stop()).await
}

async fn start(config: Config, folder: &Path, log: &LogGuard) -> Result<(Running, demo::Demo), Trouble> {
    let address = config.dev.api_listen;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let what = format!("the bookings API can't listen on {address}");
        Failure::new(
            Kind::Conflict,
            "listen.taken",
            what,
            error.to_string(),
            "choose another with --api-listen",
        )
    })?;
    let api_url = listener.local_addr().map(|bound| format!("http://{bound}"));
    let api_url = api_url.map_err(|error| Trouble::internal("dev.address", error.to_string()))?;

    let server = Server::start(config, log).await?;
    let demo = demo::make(&server, api_url).await?;
    let (end_bookings, ended) = oneshot::channel();
    let bookings = serve_bookings(listener, &demo, folder, ended).await?;
    Ok((Running { server, bookings, end_bookings }, demo))
}

async fn serve_bookings(
    listener: TcpListener,
    demo: &demo::Demo,
    folder: &Path,
    ended: oneshot::Receiver<()>,
) -> Result<JoinHandle<()>, Trouble> {
    let store = Bookings::open(folder.join("bookings.db")).await;
    let store = store.map_err(|error| Trouble::internal("dev.bookings", error.to_string()))?;
    let credential = (demo.api_id.as_str(), demo.api_secret.expose());
    let guard = bookings_api::passport_guard(&demo.issuer, demo::API, credential);
    let guard = guard.map_err(|error| Trouble::internal("dev.guard", error.to_string()))?;
    Ok(tokio::spawn(async move {
        let stop = async {
            let _ = ended.await;
        };
        if let Err(error) = bookings_api::serve(listener, guard, store, stop).await {
            tracing::error!(%error, "the bookings API ended");
        }
    }))
}

impl Running {
    async fn stop(self) {
        let _ = self.end_bookings.send(());
        self.server.stop().await;
        // A caller that keeps its connection open does not keep the program.
        let _ = tokio::time::timeout(GRACE, self.bookings).await;
    }
}
