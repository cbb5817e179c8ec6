//! This file is where other people's token servers are installed and run, each from its folder in bench/peers.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use bytes::Bytes;
use serde::Deserialize;

use crate::connection::Ask;
use crate::failure::{Failure, Outcome};

/// A server that does the same work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    NodeOidcProvider,
    Authlib,
}

/// A peer that listens; ended, with all that it started, when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    // Held open, so that its standard output never breaks under it.
    _stdout: BufReader<ChildStdout>,
    pub address: SocketAddr,
    pub ask: Ask,
    pub keys: Ask,
}

/// The one line that a peer prints when it listens.
#[derive(Deserialize)]
struct Ready {
    address: SocketAddr,
    token: String,
    keys: String,
    client_id: String,
    client_secret: String,
}

impl Peer {
    pub(crate) const ALL: [Self; 2] = [Self::NodeOidcProvider, Self::Authlib];

    /// The name in the report and of its folder.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NodeOidcProvider => "node-oidc-provider",
            Self::Authlib => "authlib",
        }
    }

    /// Installs what it needs into `target`, from the pinned list in `sources`, and starts it with a key of that size.
    pub(crate) fn start(self, sources: &Path, target: &Path, bits: u16) -> Outcome<Running> {
        let source = sources.join(self.name());
        let place = target.join(self.name());
        let mut command = match self {
            Self::NodeOidcProvider => node(&source, &place)?,
            Self::Authlib => python(&source, &place)?,
        };
        command
            .env("BITS", bits.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.process_group(0).spawn().map_err(|why| Failure::new(self.name(), why))?;
        let Some(stdout) = child.stdout.take() else {
            return Err(Failure::new(self.name(), "its standard output was not piped"));
        };
        let (mut stdout, mut line) = (BufReader::new(stdout), String::new());
        stdout.read_line(&mut line).map_err(|why| Failure::new(self.name(), why))?;
        let ready: Ready = serde_json::from_str(&line)
            .map_err(|why| Failure::new(&format!("{} printed no ready line", self.name()), why))?;
        Ok(Running::of(child, stdout, ready))
    }
}

impl Running {
    fn of(child: Child, stdout: BufReader<ChildStdout>, ready: Ready) -> Self {
        let Ready { address, token, keys, client_id, client_secret } = ready;
        let body = format!(
            "grant_type=client_credentials&client_id={client_id}&client_secret={client_secret}&scope=bench%3Aread"
        );
        let ask = Ask::Form(token, Bytes::from(body));
        Self { child, _stdout: stdout, address, ask, keys: Ask::Get(keys) }
    }

    /// Its process and those that it started.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let own = self.child.id();
        let children = fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        std::iter::once(own).chain(children.split_whitespace().filter_map(|pid| pid.parse().ok())).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The whole group: its workers must not stay behind. A failure means that it has already ended.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

fn node(source: &Path, place: &Path) -> Outcome<Command> {
    copy(source, place, &["package.json", "package-lock.json", ".npmrc", "server.js"])?;
    install(
        "npm",
        Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(place),
    )?;
    let mut command = Command::new("node");
    command.arg("server.js").current_dir(place);
    Ok(command)
}

fn python(source: &Path, place: &Path) -> Outcome<Command> {
    copy(source, place, &["requirements.txt", "app.py"])?;
    let environment = place.join("environment");
    install("python3", Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let program = absolute(&environment.join("bin/python"))?;
    let list = ["-m", "pip", "install", "--quiet", "--no-input", "-r", "requirements.txt"];
    install("pip", Command::new(&program).args(list).current_dir(place))?;
    let mut command = Command::new(program);
    command.arg("app.py").current_dir(place);
    Ok(command)
}

fn copy(source: &Path, place: &Path, files: &[&str]) -> Outcome<()> {
    fs::create_dir_all(place).map_err(|why| Failure::new(&place.display().to_string(), why))?;
    for file in files {
        fs::copy(source.join(file), place.join(file))
            .map_err(|why| Failure::new(&source.join(file).display().to_string(), why))?;
    }
    Ok(())
}

fn install(tool: &str, command: &mut Command) -> Outcome<()> {
    let done = command.stdin(Stdio::null()).output().map_err(|why| Failure::new(tool, why))?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    Err(Failure::new(&format!("{tool} could not install a peer"), said))
}

fn absolute(path: &Path) -> Outcome<PathBuf> {
    std::path::absolute(path).map_err(|why| Failure::new(&path.display().to_string(), why))
}
