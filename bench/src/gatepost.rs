//! This file is where the program under test is set up by its own command line and run as a child process.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tempfile::TempDir;

use crate::failure::{Failure, Outcome};
use crate::processor::Placement;
use crate::subject::Subject;

/// How many connections the server under test takes from one address, for all that is asked comes from one.
pub(crate) const CONNECTIONS_OF_ONE_ADDRESS: usize = 10_000;

/// The one scope that the measured clients have.
const SCOPE: &str = "bench:read";

/// A state folder of its own.
#[derive(Debug)]
pub(crate) struct Installation {
    program: PathBuf,
    partner: String,
    // Last, so that it outlives what reads it.
    folder: Folder,
}

/// Where the state lies.
#[derive(Debug)]
enum Folder {
    /// Made for this run and removed with it.
    Passing(TempDir),
    /// Named by whoever started the run, and there for the next one.
    Kept(PathBuf),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Passing(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}

/// What a client needs to ask for a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Credentials {
    pub api: String,
    pub client_id: String,
    pub client_secret: String,
}

impl Installation {
    pub(crate) fn new(program: &Path) -> Outcome<Self> {
        let folder = tempfile::Builder::new().prefix("gatepost-bench-").tempdir();
        let folder = folder.map_err(|why| {
            Failure::new("no temporary folder", why).mended_by("name a writable folder in TMPDIR")
        })?;
        Self::made(program, Folder::Passing(folder))
    }

    /// One whose folder stays; a missing one is made.
    pub(crate) fn kept(program: &Path, folder: &Path) -> Outcome<Self> {
        if folder.join("data").exists() {
            return Ok(Self {
                program: found(program)?,
                partner: String::new(),
                folder: Folder::Kept(folder.to_owned()),
            });
        }
        std::fs::create_dir_all(folder).map_err(|why| Failure::new("the folder to keep", why))?;
        Self::made(program, Folder::Kept(folder.to_owned()))
    }

    fn made(program: &Path, folder: Folder) -> Outcome<Self> {
        let mut installation = Self { program: found(program)?, partner: String::new(), folder };
        installation.command(&["init", "--yes"], &[])?;
        installation.partner = member(&installation.command(&["partner", "create", "Bench"], &[])?, "slug")?;
        Ok(installation)
    }

    /// An API that signs like this, with a client of its own.
    pub(crate) fn client_of(&self, subject: Subject) -> Outcome<Credentials> {
        self.client_for(subject, "bench")
    }

    /// The same for one measurement, which has an API of its own.
    pub(crate) fn client_for(&self, subject: Subject, measurement: &str) -> Outcome<Credentials> {
        let api = format!("{measurement}-{}", subject.name());
        let audience = format!("https://{api}.example");
        let mut create = vec!["api", "create", &api, "--audience", &audience];
        create.extend(subject.api_options());
        self.command(&create, subject.api_settings())?;
        self.command(&["scope", "create", "--api", &api, SCOPE], &[])?;
        self.client("load", &api)
    }

    /// A client of the API that every store has from the start.
    pub(crate) fn client_of_default(&self, name: &str) -> Outcome<Credentials> {
        self.client(name, "default")
    }

    /// Lets the client's API sign by a key of four primes; a program that was built without them refuses.
    pub(crate) fn rotate_to_four_primes(&self, client: &Credentials) -> Outcome<()> {
        self.command(&["key", "rotate", "--api", &client.api, "--primes", "4"], &[])?;
        self.command(&["key", "promote", "--api", &client.api, "--now"], &[]).map(|_| ())
    }

    fn client(&self, name: &str, api: &str) -> Outcome<Credentials> {
        let mut create = vec!["client", "create", "--partner", &self.partner, "--name", name, "--api", api];
        if api != "default" {
            create.extend(["--scope", SCOPE]);
        }
        let made = self.command(&create, &[])?;
        Ok(Credentials {
            api: api.to_owned(),
            client_id: member(&made, "client_id")?,
            client_secret: member(&made, "client_secret")?,
        })
    }

    /// Starts the server as shipped, but for [`CONNECTIONS_OF_ONE_ADDRESS`] and without a drain, and waits for its ready line.
    pub(crate) fn serve(&self, placement: Placement) -> Outcome<Server> {
        let mut child = self.start(placement, "127.0.0.1:0", Stdio::piped())?;
        let Some(stdout) = child.stdout.take() else {
            return Err(Failure::new("gatepost serve", "its standard output was not piped"));
        };
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let stdin = child.stdin.take();
        let mut server = Server { child, stdin, stdout: None, address: nowhere, admin: nowhere };
        let (mut stdout, mut line) = (BufReader::new(stdout), String::new());
        stdout.read_line(&mut line).map_err(|why| Failure::new("gatepost serve", why))?;
        server.stdout = Some(stdout);
        let ready: Value = serde_json::from_str(&line).map_err(|why| {
            Failure::new("gatepost serve --json printed no ready line; run it by hand to see why", why)
        })?;
        server.address = address_of(&member(&ready, "public_url")?)?;
        server.admin = address_of(&member(&ready, "admin_url")?)?;
        Ok(server)
    }

    /// Starts the server and returns at once; for the clock of the start itself.
    pub(crate) fn exec(&self, address: SocketAddr) -> Outcome<Server> {
        let mut child = self.start(Placement::Shared, &address.to_string(), Stdio::null())?;
        let (stdin, nowhere) = (child.stdin.take(), SocketAddr::from(([127, 0, 0, 1], 0)));
        Ok(Server { child, stdin, stdout: None, address, admin: nowhere })
    }

    // The log goes where nobody reads it, and is written all the same.
    fn start(&self, placement: Placement, listen: &str, stdout: Stdio) -> Outcome<Child> {
        let mut command = placement.command(&self.program);
        clear_settings(&mut command);
        command.env("GATEPOST_SERVER__LISTEN", listen).env("GATEPOST_SERVER__ADMIN_LISTEN", "127.0.0.1:0");
        let connections = CONNECTIONS_OF_ONE_ADDRESS.to_string();
        command.env("GATEPOST_SERVER__MAX_CONNECTIONS_PER_PEER", connections);
        // No balancer is to look elsewhere first, and a harness that is killed is to leave nothing running.
        command.env("GATEPOST_SERVER__DRAIN", "0s");
        // A harness that is killed can't end it; the end of the pipe does.
        command.args(["serve", "--json", "--end-with-stdin", "--data"]).arg(self.folder.path().join("data"));
        command.stdin(Stdio::piped()).stdout(stdout).stderr(Stdio::null());
        command.spawn().map_err(|why| Failure::new("gatepost serve did not start", why))
    }

    /// One command with `--json`; its document.
    fn command(&self, words: &[&str], settings: &[(&str, &str)]) -> Outcome<Value> {
        let mut command = Command::new(&self.program);
        clear_settings(&mut command);
        command.args(words).arg("--json").arg("--data").arg(self.folder.path().join("data"));
        command.envs(settings.iter().copied()).stdin(Stdio::null());
        let what = format!("gatepost {}", words.join(" "));
        let done = command.output().map_err(|why| Failure::new(&what, why))?;
        if !done.status.success() {
            let said = [done.stdout, done.stderr].concat();
            return Err(Failure::new(&what, String::from_utf8_lossy(&said)));
        }
        serde_json::from_slice(&done.stdout).map_err(|why| Failure::new(&what, why))
    }

    /// Adds the public key in this file to a client.
    pub(crate) fn add_key(&self, client: &str, jwk_file: &Path) -> Outcome<()> {
        let Some(file) = jwk_file.to_str() else {
            return Err(Failure::new("the temporary folder", "its name is no text"));
        };
        self.command(&["client", "key", "add", client, "--jwk-file", file], &[]).map(|_| ())
    }

    /// What the store takes on the disk, all its files together.
    pub(crate) fn stored_bytes(&self) -> Outcome<u64> {
        let failed = |why| Failure::new("the store's folder", why);
        let mut bytes = 0;
        for entry in std::fs::read_dir(self.folder.path().join("data")).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_string_lossy().starts_with("gatepost.db") {
                bytes += entry.metadata().map_err(failed)?.len();
            }
        }
        Ok(bytes)
    }

    /// Its state.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder of this run, for the key of the raw signing.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn found(program: &Path) -> Outcome<PathBuf> {
    program.canonicalize().map_err(|why| {
        let what = format!("{} (build it: cargo build --release -p gatepost)", program.display());
        Failure::new(&what, why)
    })
}

/// The caller's own settings of Gatepost must not reach the server under test.
fn clear_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GATEPOST_")) {
        command.env_remove(name);
    }
}

fn member(document: &Value, name: &str) -> Outcome<String> {
    let text = document.get(name).and_then(Value::as_str).map(str::to_owned);
    text.ok_or_else(|| Failure::new("a document of the command line", format!("it has no member {name}")))
}

fn address_of(url: &str) -> Outcome<SocketAddr> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let authority = rest.split('/').next().unwrap_or(rest);
    authority.parse().map_err(|why| Failure::new(&format!("{url} is no address of plain HTTP"), why))
}

/// A running server; ended when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    // Held open until it has ended, for it ends with its standard input: waiting for the child would close it.
    #[expect(dead_code, reason = "it is held, not written")]
    stdin: Option<ChildStdin>,
    // Held open, so that the server's standard output never breaks under it.
    stdout: Option<BufReader<ChildStdout>>,
    pub address: SocketAddr,
    /// Where operators ask; port 0 where that was not waited for.
    pub admin: SocketAddr,
}

impl Server {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> Outcome<()> {
        let failed = |why| Failure::new("gatepost serve did not end", why);
        let sent = Command::new("kill").args(["-s", "TERM", &self.pid().to_string()]).status();
        sent.map_err(|why| failed(why.to_string()))?;
        let status = self.child.wait().map_err(|why| failed(why.to_string()))?;
        if status.success() { Ok(()) } else { Err(failed(status.to_string())) }
    }

    /// Why it is gone, when it is.
    pub(crate) fn ended(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its state is thrown away with it; a failure means that it has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_public_url() {
        assert_eq!(address_of("http://127.0.0.1:8460").expect("good").port(), 8460);
        assert_eq!(address_of("http://127.0.0.1:8460/x").expect("good").port(), 8460);
        assert!(address_of("https://gate.example").is_err());
    }

    #[test]
    fn a_missing_program_is_told_with_the_way_to_build_it() {
        let failure = Installation::new(Path::new("target/nowhere/gatepost")).expect_err("there is none");
        assert!(failure.to_string().contains("cargo build --release -p gatepost"));
    }
}
