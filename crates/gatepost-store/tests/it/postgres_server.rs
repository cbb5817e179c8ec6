//! This file is where a real PostgreSQL server is started for the tests of a crate, once, and stopped when they end.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

/// Starts a server on a socket in a folder of its own, says the folder, and lives until its standard input ends:
/// so the server stops with the tests, however they end.
const SERVER: &str = r#"
set -eu
for bin in "$(pg_config --bindir 2>/dev/null || true)" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/bin; do
    if [ -x "$bin/initdb" ]; then break; fi
done
[ -x "$bin/initdb" ] || { echo "no initdb found: install the PostgreSQL server" >&2; exit 1; }
cd /
dir=$(mktemp -d /tmp/gatepost-pg.XXXXXX)
trap '"$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
"$bin/initdb" -D "$dir/data" -U gatepost -A trust -E UTF8 --no-sync >/dev/null
settings="-c listen_addresses='' -c unix_socket_directories='$dir' -c max_connections=200"
settings="$settings -c fsync=off -c log_statement=all -c log_line_prefix='%d '"
"$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -o "$settings" start >/dev/null
chmod 755 "$dir"
echo "$dir"
read -r _ || true
"#;

struct Server {
    folder: String,
    /// Holds the pipe that keeps the server alive.
    _keeper: Child,
}

static SERVER_OF_THESE_TESTS: LazyLock<Server> = LazyLock::new(|| {
    // PostgreSQL refuses to run as root.
    let root = Command::new("id").arg("-u").output().unwrap().stdout.starts_with(b"0\n");
    let mut command = match root {
        true => {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh", "-c", SERVER]);
            command
        }
        false => {
            let mut command = Command::new("sh");
            command.args(["-c", SERVER]);
            command
        }
    };
    let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut folder = String::new();
    BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut folder).unwrap();
    let folder = folder.trim().to_owned();
    assert!(!folder.is_empty(), "PostgreSQL did not start; its reason is above");
    Server { folder, _keeper: keeper }
});

/// The address of a database of that name.
pub(crate) fn address(database: &str) -> String {
    format!("postgres:///{database}?host={}&user=gatepost", SERVER_OF_THESE_TESTS.folder)
}

/// What the server has written down of what it did.
pub(crate) fn log() -> String {
    std::fs::read_to_string(format!("{}/log", SERVER_OF_THESE_TESTS.folder)).unwrap()
}
