//! This file is where the server is run until a signal ends it.

use gatepost_operations::config::{Config, Loaded};
use gatepost_operations::telemetry::logs::{self, LogGuard};
use serde::Serialize;

use super::serving::Server;
use super::signals::Signals;
use super::{runtime, settings};
use crate::args::{Globals, Serve};
use crate::ending::Trouble;
use crate::output::Output;

/// What is said in one line when the server answers.
#[derive(Serialize)]
struct Ready {
    public_url: String,
    admin_url: String,
    pid: u32,
}

/// Runs the server.
pub(super) fn run(globals: &Globals, flags: Serve, output: Output) -> Result<(), Trouble> {
    let Serve { issuer, listen, admin_listen, end_with_stdin } = flags;
    let said = [("issuer", issuer), ("server.listen", listen), ("server.admin_listen", admin_listen)];
    let Loaded { config, warnings } = settings::layers(globals, said)?;

    let log = logs::start(&config.log, std::io::stderr());
    let log = log.map_err(|error| Trouble::internal("log", error.to_string()))?;
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    runtime::on_workers(config.server.workers, Box::pin(serve(config, &log, output, end_with_stdin)))
}

async fn serve(config: Config, log: &LogGuard, output: Output, end_with_stdin: bool) -> Result<(), Trouble> {
    let mut signals = if end_with_stdin { Signals::listen_and_watch_stdin() } else { Signals::listen() }?;
    let Some(started) = signals.unless_stopped(Box::pin(Server::start(config, log))).await else {
        return Ok(());
    };
    let server = started?;
    announce(&server, output);

    server.until_stopped(&mut signals).await;
    signals.end(server.stop()).await
}

/// Says that the server answers; it goes on where nobody listens.
fn announce(server: &Server, output: Output) {
    let running = server.running();
    tracing::info!(public = running.public_url, admin = running.admin_url, "serving");
    let ready = Ready { public_url: running.public_url, admin_url: running.admin_url, pid: running.pid };
    let said = if output.is_json() {
        output.line(&ready)
    } else {
        let Ready { public_url, admin_url, pid } = ready;
        output.text(&format!("Gatepost serves {public_url}   (operators {admin_url}, process {pid})\n"))
    };
    if let Err(trouble) = said {
        tracing::warn!(why = trouble.why, "the ready line could not be written");
    }
}
