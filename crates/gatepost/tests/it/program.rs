//! This file is where the real program is run: a state folder of its own for each test, commands, servers, signals.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything takes on a busy machine; only a hang takes it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A folder for one test: the state in `data`, anything else beside it.
pub(crate) struct Home(TempDir);

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    /// No state yet.
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A state as `init` leaves it.
    pub(crate) fn ready() -> Self {
        let home = Self::empty();
        home.json(&["init", "--yes"]);
        home
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// The program with these words: this folder, free ports, keys that are made quickly, nothing of the caller's.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = program(self.0.path());
        command.env("GATEPOST_DATA", self.data()).args(words);
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Done {
        done(&mut self.command(words), "")
    }

    /// Runs a command that reads this from standard input.
    pub(crate) fn run_with(&self, words: &[&str], input: &str) -> Done {
        done(&mut self.command(words), input)
    }

    /// The document of a command that must succeed.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        self.run(&[words, &["--json"]].concat()).document()
    }

    /// Exit code and `error` of a command that must fail.
    pub(crate) fn refusal(&self, words: &[&str]) -> (i32, Value) {
        self.run(&[words, &["--json"]].concat()).refusal()
    }

    /// An API-less start for most tests: a partner, two scopes of the API `default`, a client with both.
    pub(crate) fn with_client() -> (Self, Value) {
        let home = Self::ready();
        home.json(&["partner", "create", "Acme Ltd"]);
        for scope in ["films:read", "films:write"] {
            home.json(&["scope", "create", "--api", "default", scope]);
        }
        let create = ["client", "create", "--partner", "acme-ltd", "--name", "Billing export"];
        let client = home.json(&[&create[..], &["--scope", "films:read", "--scope", "films:write"]].concat());
        (home, client)
    }
}

impl Done {
    #[track_caller]
    pub(crate) fn document(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn refusal(&self) -> (i32, Value) {
        let document: Value =
            serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        let error = document["error"].clone();
        for member in ["code", "what", "why", "fix"] {
            assert!(error[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {self:?}");
        }
        let code = self.code.unwrap();
        assert_eq!(error["exit"], code);
        (code, error)
    }
}

pub(crate) fn program(temporary: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GATEPOST_")) {
        command.env_remove(name);
    }
    command
        .env("GATEPOST_SERVER__LISTEN", "127.0.0.1:0")
        .env("GATEPOST_SERVER__ADMIN_LISTEN", "127.0.0.1:0")
        .env("GATEPOST_DEV__API_LISTEN", "127.0.0.1:0")
        .env("GATEPOST_SERVER__DRAIN", "0s")
        .env("GATEPOST_KEYS__RSA_BITS", "2048")
        .env("TMPDIR", temporary)
        .current_dir(temporary);
    command
}

pub(crate) fn done(command: &mut Command, input: &str) -> Done {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that reads nothing may have ended by now.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Done {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A process, killed when a test forgets it.
pub(crate) struct Started(pub(crate) Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server or demonstration, killed when a test forgets it.
pub(crate) struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Its ready line.
    pub(crate) ready: Value,
}

impl Running {
    /// Starts `serve --json` on the folder's state and waits for its ready line.
    ///
    /// Who fails may fail often: tests ask until something is refused.
    pub(crate) fn serve(home: &Home) -> Self {
        let mut command = home.command(&["serve", "--json"]);
        command
            .env("GATEPOST_LIMITS__FAILED_PER_CLIENT", "0")
            .env("GATEPOST_LIMITS__FAILED_PER_ADDRESS", "0");
        Self::start(&mut command)
    }

    /// Starts a command that says in one line when it is ready.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| {
            let mut said = String::new();
            let _ = child.stderr.take().unwrap().read_to_string(&mut said);
            panic!("no ready line: {error}: {line:?}\n{said}")
        });
        Self { child, stdout, ready }
    }

    /// The address in this member of the ready line.
    pub(crate) fn address(&self, member: &str) -> SocketAddr {
        address(&self.ready[member])
    }

    pub(crate) fn text(&self, member: &str) -> &str {
        self.ready[member].as_str().unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(name, &self.child.id().to_string());
    }

    /// What it left behind, once it has ended.
    pub(crate) fn ended(mut self) -> Done {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        // The child ends when both are closed; its log is short enough not to fill a pipe meanwhile.
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        Done { code: self.child.wait().unwrap().code(), stdout, stderr }
    }

    /// Asks it to end, and gives what it left behind.
    pub(crate) fn stop(self) -> Done {
        self.signal("TERM");
        self.ended()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process, or with a minus before the number to its group.
pub(crate) fn signal(name: &str, process: &str) {
    let sent = Command::new("sh").args(["-c", "kill -s \"$0\" -- \"$1\"", name, process]).status().unwrap();
    assert!(sent.success(), "kill -{name} {process}");
}

pub(crate) fn address(url: &Value) -> SocketAddr {
    let url = url.as_str().unwrap();
    url.strip_prefix("http://").unwrap().split('/').next().unwrap().parse().unwrap()
}

/// Waits until the condition holds; asks again at once, for asking takes its time.
#[track_caller]
pub(crate) fn until(patience: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !holds() {
        assert!(Instant::now() < deadline, "after {patience:?} still not: {what}");
        std::thread::yield_now();
    }
}
