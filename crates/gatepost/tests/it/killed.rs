//! This file is where servers are killed with kill -9, and must remember afterwards what they had answered.

use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Barrier;

use gatepost_operations::clock::{Clock as _, SystemClock};
use gatepost_operations::jose::{Algorithm, RsaBits, SigningKey, sign};
use serde_json::{Value, json};

use crate::http::{answer, ask, ask_token, connect, request};
use crate::postgres_server;
use crate::program::{Done, Home, Running, done};

const ISSUER: &str = "https://auth.example";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded";
const AT_ONCE: usize = 64;

/// Servers over one state, each with a folder of its own, and a client that signs.
struct Cluster {
    homes: Vec<Home>,
    database: Option<String>,
    client: Value,
    key: SigningKey,
}

impl Cluster {
    fn on_sqlite() -> Self {
        Self::of(vec![Home::empty()], None)
    }

    /// Two nodes share a database and the master key.
    fn on_postgres() -> Self {
        Self::of(vec![Home::empty(), Home::empty()], Some(postgres_server::address("postgres")))
    }

    fn of(homes: Vec<Home>, database: Option<String>) -> Self {
        let key = SigningKey::generate(Algorithm::Es256, RsaBits::B2048).unwrap();
        let mut cluster = Self { homes, database, client: Value::Null, key };
        cluster.run(&["init", "--yes"]);
        for other in &cluster.homes[1..] {
            std::fs::create_dir(other.data()).unwrap();
            std::fs::set_permissions(other.data(), std::fs::Permissions::from_mode(0o700)).unwrap();
            std::fs::copy(cluster.homes[0].data().join("master.key"), other.data().join("master.key"))
                .unwrap();
        }
        cluster.run(&["partner", "create", "Acme Ltd"]);
        let create = ["client", "create", "--partner", "acme-ltd", "--name", "Export"];
        cluster.client = cluster.run(&create).document();
        let file = cluster.homes[0].path("client.jwk");
        std::fs::write(&file, serde_json::to_string(&cluster.key.public().to_jwk()).unwrap()).unwrap();
        let id = cluster.text("client_id").to_owned();
        cluster.run(&["client", "key", "add", &id, "--jwk-file", file.to_str().unwrap()]);
        cluster
    }

    fn run(&self, words: &[&str]) -> Done {
        let done = done(self.command(&self.homes[0], words).arg("--json"), "");
        assert_eq!(done.code, Some(0), "{done:?}");
        done
    }

    fn command(&self, home: &Home, words: &[&str]) -> std::process::Command {
        let mut command = home.command(words);
        command.env("GATEPOST_ISSUER", ISSUER);
        // Sixty refusals in a second are the point here, not a guess at a secret.
        command
            .env("GATEPOST_LIMITS__FAILED_PER_CLIENT", "0")
            .env("GATEPOST_LIMITS__FAILED_PER_ADDRESS", "0");
        if let Some(database) = &self.database {
            command.env("GATEPOST_DATABASE__URL", database);
        }
        command
    }

    fn serve(&self) -> Vec<Running> {
        let serve = |home| Running::start(&mut self.command(home, &["serve", "--json"]));
        self.homes.iter().map(serve).collect()
    }

    fn text(&self, member: &str) -> &str {
        self.client[member].as_str().unwrap()
    }

    /// A request for a token with an assertion of that id.
    fn assertion(&self, jti: &str) -> String {
        let (id, now) = (self.text("client_id"), SystemClock.now().seconds());
        let claims = json!({ "iss": id, "sub": id, "aud": ISSUER, "iat": now, "exp": now + 240, "jti": jti });
        let header = json!({ "alg": "ES256", "typ": "JWT" });
        let assertion = sign::compact(&self.key, &header.to_string(), &claims.to_string()).unwrap();
        let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        format!("grant_type=client_credentials&client_assertion_type={kind}&client_assertion={assertion}")
    }

    fn token(&self, server: &Running) -> String {
        let (id, secret) = (self.text("client_id"), self.text("client_secret"));
        let answer = ask_token(server.address("public_url"), "/oauth2/token", id, secret);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    fn revoke(&self, server: &Running, token: &str) -> u16 {
        let (id, secret) = (self.text("client_id"), self.text("client_secret"));
        let body = format!("client_id={id}&client_secret={secret}&token={token}");
        ask(server.address("public_url"), "POST /oauth2/revoke", &[FORM], &body).status
    }
}

fn kill(servers: Vec<Running>) {
    for server in servers {
        server.signal("KILL");
        assert_eq!(server.ended().code, None, "it was killed");
    }
}

/// What a proxy would be answered for a call with this token.
fn passes(server: &Running, token: &str) -> u16 {
    let bearer = format!("Authorization: Bearer {token}");
    ask(server.address("public_url"), "GET /forward-auth?api=default", &[&bearer], "").status
}

/// Sends one request 64 times at once, in turn to each server; the statuses.
fn all_at_once(servers: &[Running], body: &str) -> Vec<u16> {
    let addresses: Vec<SocketAddr> = servers.iter().map(|server| server.address("public_url")).collect();
    let ready = Barrier::new(AT_ONCE);
    let send = |address: SocketAddr| {
        let mut stream = connect(address);
        let request = request(address, "POST /oauth2/token", &[FORM], body);
        ready.wait();
        stream.write_all(request.as_bytes()).unwrap();
        answer(&mut stream).status
    };
    let send = &send;
    std::thread::scope(|threads| {
        let sending: Vec<_> = (0..AT_ONCE)
            .map(|number| addresses[number % addresses.len()])
            .map(|address| threads.spawn(move || send(address)))
            .collect();
        sending.into_iter().map(|sent| sent.join().unwrap()).collect()
    })
}

fn count(statuses: &[u16], status: u16) -> usize {
    statuses.iter().filter(|found| **found == status).count()
}

/// Of 64 uses before the kill and 64 after it one succeeds, again and again.
fn assertions_count_once(cluster: &Cluster) {
    let mut servers = cluster.serve();
    for round in 0..3 {
        let body = cluster.assertion(&format!("round {round}"));
        let before = all_at_once(&servers, &body);
        assert_eq!((count(&before, 200), count(&before, 401)), (1, AT_ONCE - 1), "round {round}: {before:?}");

        kill(servers);
        servers = cluster.serve();
        let after = all_at_once(&servers, &body);
        assert_eq!(count(&after, 401), AT_ONCE, "round {round}, after kill -9: {after:?}");
    }
}

#[test]
fn of_64_uses_of_an_assertion_one_succeeds_and_none_after_a_kill() {
    assertions_count_once(&Cluster::on_sqlite());
}

#[test]
fn of_64_uses_of_an_assertion_at_two_nodes_on_one_postgresql_one_succeeds_and_none_after_a_kill() {
    assertions_count_once(&Cluster::on_postgres());
}

#[test]
fn no_revocation_that_was_acknowledged_is_lost_by_a_kill_right_after_it() {
    const ROUNDS: usize = 10;
    const OF_A_ROUND: usize = 20;
    let cluster = Cluster::on_sqlite();
    let mut revoked = Vec::new();
    for _ in 0..ROUNDS {
        let mut servers = cluster.serve();
        let server = servers.pop().unwrap();
        let tokens: Vec<String> = (0..OF_A_ROUND).map(|_| cluster.token(&server)).collect();
        assert!(tokens.iter().chain([&cluster.token(&server)]).all(|token| passes(&server, token) == 200));
        for token in &tokens {
            assert_eq!(cluster.revoke(&server, token), 200);
        }
        kill(vec![server]);
        revoked.extend(tokens);
    }
    let servers = cluster.serve();
    let lost = revoked.iter().filter(|token| passes(&servers[0], token) != 401).count();
    assert_eq!((revoked.len(), lost), (ROUNDS * OF_A_ROUND, 0));
}
