//! This file is where a server is started, announced and stopped, the same way for `serve` and `dev`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gatepost_operations::background::Background;
use gatepost_operations::clock::SystemClock;
use gatepost_operations::config::Config;
use gatepost_operations::failure::{Failure, Kind};
use gatepost_operations::gate::Gate;
use gatepost_operations::running::{self, Hold, Running};
use gatepost_operations::telemetry::logs::LogGuard;
use gatepost_operations::{data_folder, master_key, setup};
use gatepost_server::Serving;

use super::settings;
use super::signals::{Signals, Told};
use crate::ending::Trouble;

/// Whoever looks who serves a folder locks it for a moment; so often, and so far apart, the lock is tried again.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(5);

/// A server that answers.
pub(super) struct Server {
    /// What its operations work with.
    pub(super) gate: Arc<Gate>,
    serving: Serving,
    background: Background,
    // The folder is this server's as long as it is held.
    hold: Option<Hold>,
}

impl Server {
    /// Takes the folder, binds, opens or sets up the state, and answers.
    pub(super) async fn start(config: Config, log: &LogGuard) -> Result<Self, Trouble> {
        let hold = if settings::is_one_process(&config) { Some(take(&config.data).await?) } else { None };
        let listeners = gatepost_server::bind(&config).await?;
        let issuer = settings::issuer_at(&config, listeners.public_addr())?;
        if !master_key::path(&config.data).exists() {
            tracing::info!("there is no state yet: making the first signing keys, which takes some seconds");
        }

        let gate = Arc::new(setup::open_or_init(config, issuer, Arc::new(SystemClock)).await?);
        gate.metrics.watch_log(log.counts());
        let background = Background::start(&gate);
        let serving = gatepost_server::serve(listeners, Arc::clone(&gate)).await?;

        let mut server = Self { gate, serving, background, hold };
        let running = server.running();
        if let Some(hold) = &mut server.hold {
            hold.announce(&running)?;
        }
        Ok(server)
    }

    /// Who this server is and where it is reached.
    pub(super) fn running(&self) -> Running {
        Running {
            pid: std::process::id(),
            public_url: self.serving.public_url().to_owned(),
            admin_url: self.serving.admin_url().to_owned(),
        }
    }

    /// Serves until a stop is asked for; a reload that fails leaves everything as it was.
    pub(super) async fn until_stopped(&self, signals: &mut Signals) {
        while signals.next().await == Told::Reload {
            if self.gate.config.tls.files.is_none() {
                tracing::info!("there is no certificate to read again: TLS is off");
                continue;
            }
            match self.serving.reload() {
                Ok(()) => tracing::info!("certificate and key were read again"),
                Err(failure) => {
                    tracing::error!(why = %failure, fix = failure.fix, "the old certificate stays in use");
                }
            }
        }
    }

    /// Answers what has begun, writes down what was counted, then ends.
    pub(super) async fn stop(self) {
        tracing::info!("stopping: answering what has begun");
        self.serving.stop().await;
        if let Err(failure) = self.background.end().await {
            tracing::warn!(why = %failure, "the last counts could not be written down");
        }
        self.gate.close().await;
        drop(self.hold);
        tracing::info!("stopped");
    }
}

/// Takes the folder for this process, making it where there is none.
async fn take(data: &Path) -> Result<Hold, Failure> {
    data_folder::create(data)?;
    for _ in 1..ATTEMPTS {
        match running::take(data) {
            Err(failure) if failure.kind == Kind::Conflict && running::look(data).is_none() => {
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return outcome,
        }
    }
    running::take(data)
}
