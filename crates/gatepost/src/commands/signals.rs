//! This file is where the operating system's signals become words: stop, reload.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::ending::{Exit, Trouble};

/// The signals that a server listens to; from [`Signals::listen`] on none of them ends the process by itself.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// SIGTERM or SIGINT: end well.
    Stop,
    /// SIGHUP: read certificate and key again.
    Reload,
}

impl Signals {
    /// Listens from now on.
    pub(super) fn listen() -> Result<Self, Trouble> {
        let one = |kind| signal(kind).map_err(|error| Trouble::internal("signals", error.to_string()));
        Ok(Self {
            terminate: one(SignalKind::terminate())?,
            interrupt: one(SignalKind::interrupt())?,
            hangup: one(SignalKind::hangup())?,
        })
    }

    /// The next thing that is asked for. Of a reload and a stop that wait together the reload came first, or does no
    /// harm.
    pub(super) async fn next(&mut self) -> Told {
        tokio::select! {
            biased;
            _ = self.hangup.recv() => Told::Reload,
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
        }
    }

    /// Waits until a stop is asked for.
    pub(super) async fn stop(&mut self) {
        while self.next().await != Told::Stop {}
    }

    /// Runs `work` unless a stop is asked for first.
    pub(super) async fn unless_stopped<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.stop() => None,
        }
    }

    /// Runs `work` unless anything at all is asked for first.
    pub(super) async fn unless_signalled<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            _ = self.next() => None,
        }
    }

    /// Lets `ending` take its time; a second stop ends at once.
    pub(super) async fn end(&mut self, ending: impl Future<Output = ()>) -> Result<(), Trouble> {
        let ended = self.unless_stopped(ending).await;
        ended.ok_or_else(|| Trouble {
            exit: Exit::Failed,
            code: "server.cut",
            what: "the server ended at once".to_owned(),
            why: "a second signal came before the requests under way were answered".to_owned(),
            fix: "send one signal and wait; server.shutdown_grace bounds the time".to_owned(),
        })
    }
}
