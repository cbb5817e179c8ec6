//! This file is where the operating system's signals become words: stop, reload. So does the end of standard input, where
//! it is a pipe or a socket of a program that started this one.

use std::os::fd::AsFd as _;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::ending::{Exit, Trouble};

/// Standard input, where its end can be waited for.
type Input = Box<dyn AsyncRead + Send + Unpin>;

/// The signals that a server listens to; from [`Signals::listen`] on none of them ends the process by itself.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// Ends with whoever started this process; none when that does not matter, or no more.
    stdin: Option<Input>,
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
            stdin: None,
        })
    }

    /// Listens from now on, and takes the end of standard input for a stop.
    pub(super) fn listen_and_watch_stdin() -> Result<Self, Trouble> {
        let stdin = watched().map_err(|error| Trouble {
            exit: Exit::Usage,
            code: "server.stdin",
            what: "the end of standard input can't be waited for".to_owned(),
            why: format!("it is neither a pipe nor a stream socket: {error}"),
            fix: "give it a pipe or a stream socket and keep that open, or leave --end-with-stdin away"
                .to_owned(),
        })?;
        Ok(Self { stdin: Some(stdin), ..Self::listen()? })
    }

    /// The next thing that is asked for. Of a reload and a stop that wait together the reload came first, or does no
    /// harm.
    pub(super) async fn next(&mut self) -> Told {
        tokio::select! {
            biased;
            _ = self.hangup.recv() => Told::Reload,
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            () = ended(&mut self.stdin) => Told::Stop,
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

    /// Lets `ending` take its time; one more signal that asks for a stop ends at once. The end of standard input is none:
    /// who started this process may well signal it and then close the pipe.
    pub(super) async fn end(&mut self, ending: impl Future<Output = ()>) -> Result<(), Trouble> {
        self.stdin = None;
        let ended = self.unless_stopped(ending).await;
        ended.ok_or_else(|| Trouble {
            exit: Exit::Failed,
            code: "server.cut",
            what: "the server ended at once".to_owned(),
            why: "one more signal came before the requests under way were answered".to_owned(),
            fix: "send one signal and wait; server.shutdown_grace bounds the time".to_owned(),
        })
    }
}

/// Programs give their children pipes, and some, such as Node, a socket of a pair.
fn watched() -> std::io::Result<Input> {
    let owned = || std::io::stdin().as_fd().try_clone_to_owned();
    if let Ok(pipe) = pipe::Receiver::from_owned_fd(owned()?) {
        return Ok(Box::new(pipe));
    }
    let socket = std::os::unix::net::UnixStream::from(owned()?);
    // What is no such socket has no peer.
    socket.peer_addr()?;
    socket.set_nonblocking(true)?;
    Ok(Box::new(UnixStream::from_std(socket)?))
}

/// Waits until the input has ended, which is told once; what is written there means nothing.
async fn ended(stdin: &mut Option<Input>) {
    let Some(input) = stdin else {
        return std::future::pending().await;
    };
    let mut nothing = [0; 64];
    while input.read(&mut nothing).await.is_ok_and(|length| length > 0) {}
    *stdin = None;
}
