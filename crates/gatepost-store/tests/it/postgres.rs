//! This file is where a real PostgreSQL server is started for the tests, once, and stopped when they end.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::AssertSqlSafe;

use crate::engines::raw_postgres;

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

fn address(database: &str) -> String {
    format!("postgres:///{database}?host={}&user=gatepost", SERVER_OF_THESE_TESTS.folder)
}

/// The address of a new database. It sorts as people do, not by bytes: our lists must not depend on it.
pub(crate) async fn database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut connection = raw_postgres(&address("postgres")).await;
    let create = format!("CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'");
    sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
    address(&name)
}

/// The statements that the server has executed for the database at `address`, in order.
pub(crate) fn statements(address: &str) -> Vec<String> {
    let name = address.trim_start_matches("postgres:///").split('?').next().unwrap();
    let log = std::fs::read_to_string(format!("{}/log", SERVER_OF_THESE_TESTS.folder)).unwrap();
    let ours = log.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(" LOG:  "));
    ours.filter(|line| line.starts_with("execute ") || line.starts_with("statement: "))
        .map(str::to_owned)
        .collect()
}
