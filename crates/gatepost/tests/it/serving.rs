//! This file is where the real server is held to its promises: ready, current, and ended well.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{Answer, answer, ask, ask_token, connect, request};
use crate::program::{Home, PATIENCE, Running, Started, address, signal, until};

const A_SECOND: Duration = Duration::from_secs(1);

fn status_of(server: &Running, client: &Value) -> u16 {
    let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    ask_token(server.address("public_url"), "/oauth2/token", id, secret).status
}

#[test]
fn the_ready_line_says_where_the_server_is_and_both_doors_answer_there() {
    let (home, client) = Home::with_client();
    let server = Running::serve(&home);
    let members: Vec<_> = server.ready.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["public_url", "admin_url", "pid"]);

    let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    for door in ["/api/oauth/token", "/oauth2/token"] {
        let answer = ask_token(server.address("public_url"), door, id, secret);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.json()["access_token"].is_string());
    }
    assert_eq!(ask(server.address("admin_url"), "GET /readyz", &[], "").status, 200);
    let status = home.json(&["status"]);
    assert_eq!(status["server"]["public_url"], server.ready["public_url"]);
    assert_eq!(
        status["issuer"], server.ready["public_url"],
        "commands name the issuer that the server names"
    );
}

#[test]
fn a_server_on_an_empty_folder_sets_it_up() {
    let home = Home::empty();
    let server = Running::serve(&home);
    assert_eq!(home.json(&["api", "list"])[0]["name"], "default");
    assert_eq!(server.stop().code, Some(0));
}

/// A server that watches its standard input, and its public address.
fn watching(home: &Home, input: Stdio) -> (Started, SocketAddr) {
    let mut command = home.command(&["serve", "--json", "--end-with-stdin"]);
    command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Started(command.spawn().unwrap());
    let (mut line, stdout) = (String::new(), running.0.stdout.take().unwrap());
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let public = address(&serde_json::from_str::<Value>(&line).unwrap()["public_url"]);
    (running, public)
}

#[test]
fn a_server_that_watches_its_input_ends_well_when_that_ends_and_not_before() {
    let home = Home::ready();
    let (mut running, public) = watching(&home, Stdio::piped());
    let mut input = running.0.stdin.take().unwrap();
    input.write_all(b"what is written there means nothing\n").unwrap();
    assert_eq!(ask(public, "GET /livez", &[], "").status, 200);
    drop(input);
    until(PATIENCE, "it has ended", || running.0.try_wait().unwrap().is_some());
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_socket_is_watched_like_a_pipe_for_some_programs_give_their_children_one() {
    let home = Home::ready();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let (mut running, public) = watching(&home, OwnedFd::from(theirs).into());
    ours.write_all(b"what is written there means nothing\n").unwrap();
    assert_eq!(ask(public, "GET /livez", &[], "").status, 200);
    drop(ours);
    until(PATIENCE, "it has ended", || running.0.try_wait().unwrap().is_some());
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}

#[test]
fn an_input_that_ends_after_a_signal_is_no_second_one() {
    let (home, client) = Home::with_client();
    let (mut running, public) = watching(&home, Stdio::piped());
    let (input, log) = (running.0.stdin.take().unwrap(), running.0.stderr.take().unwrap());
    let begun = Begun::on(public, &client);
    signal("TERM", &running.0.id().to_string());
    let mut log = BufReader::new(log).lines().map(Result::unwrap);
    assert!(log.any(|line| line.contains("stopping: answering what has begun")));

    drop(input);
    assert_eq!(begun.answered().status, 200);
    assert!(log.any(|line| line.contains("\"stopped\"")), "it ended well, not at once");
    until(PATIENCE, "it has ended", || running.0.try_wait().unwrap().is_some());
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}

#[test]
fn an_input_that_can_not_be_watched_is_said_at_once() {
    let home = Home::ready();
    let mut command = home.command(&["serve", "--json", "--end-with-stdin"]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &document["error"]["code"]), (Some(2), &json!("server.stdin")));
    assert!(document["error"]["fix"].as_str().unwrap().contains("a pipe or a stream socket"), "{document}");
}

#[test]
fn a_running_server_takes_up_what_commands_change_within_a_second() {
    let (home, client) = Home::with_client();
    let id = client["client_id"].as_str().unwrap();
    let server = Running::serve(&home);
    assert_eq!(status_of(&server, &client), 200);

    home.json(&["client", "suspend", id]);
    until(A_SECOND, "the suspended client is refused", || status_of(&server, &client) == 401);
    home.json(&["client", "resume", id]);
    until(A_SECOND, "the resumed client is served", || status_of(&server, &client) == 200);

    let create = ["client", "create", "--partner", "acme-ltd", "--name", "New", "--scope", "films:read"];
    let new = home.json(&create);
    until(A_SECOND, "the new client is served", || status_of(&server, &new) == 200);

    let first = home.json(&["secret", "list", id])[0]["secret_id"].as_str().unwrap().to_owned();
    home.json(&["secret", "end", id, &first, "--force"]);
    until(A_SECOND, "the ended secret is refused", || status_of(&server, &client) == 401);
    home.json(&["partner", "suspend", "acme-ltd"]);
    until(A_SECOND, "the suspended partner's client is refused", || status_of(&server, &new) == 401);
}

#[test]
fn a_running_server_takes_up_a_new_api_with_its_key() {
    let (home, _) = Home::with_client();
    let server = Running::serve(&home);
    home.json(&["api", "create", "orders", "--audience", "https://orders.example"]);
    let kid = home.json(&["key", "list", "--api", "orders"])[0]["kid"].clone();
    until(A_SECOND, "the key of the new API is published", || {
        let keys = ask(server.address("public_url"), "GET /.well-known/jwks/orders.json", &[], "");
        keys.status == 200 && keys.json()["keys"][0]["kid"] == kid
    });
}

/// A token request whose handler waits for the rest of its body.
struct Begun {
    stream: TcpStream,
    rest: String,
}

impl Begun {
    fn on(address: SocketAddr, client: &Value) -> Self {
        let body = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            client["client_id"].as_str().unwrap(),
            client["client_secret"].as_str().unwrap()
        );
        let form = "Content-Type: application/x-www-form-urlencoded";
        let text = request(address, "POST /oauth2/token", &[form, "Expect: 100-continue"], &body);
        let (first, rest) = text.split_at(text.len() - 10);

        let mut stream = connect(address);
        stream.write_all(first.as_bytes()).unwrap();
        // The server asks for the body once its handler reads it: from then on the request has begun.
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
        Self { stream, rest: rest.to_owned() }
    }

    fn answered(mut self) -> Answer {
        self.stream.write_all(self.rest.as_bytes()).unwrap();
        answer(&mut self.stream)
    }
}

#[test]
fn a_request_that_has_begun_is_answered_before_the_server_ends() {
    let (home, client) = Home::with_client();
    let server = Running::serve(&home);
    let begun = Begun::on(server.address("public_url"), &client);
    server.signal("TERM");
    let answer = begun.answered();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(server.ended().code, Some(0));
}

#[test]
fn a_hangup_does_not_end_the_server_and_an_interrupt_does() {
    let home = Home::ready();
    let server = Running::serve(&home);
    server.signal("HUP");
    assert_eq!(ask(server.address("public_url"), "GET /livez", &[], "").status, 200);
    server.signal("INT");
    let done = server.ended();
    assert_eq!(done.code, Some(0));
    assert!(done.stderr.contains("TLS is off"), "the hangup was heard: {}", done.stderr);
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let home = Home::ready();
    let server = Running::start(home.command(&["serve", "--json"]).env("GATEPOST_SERVER__DRAIN", "60s"));
    server.signal("TERM");
    let stopping = || ask(server.address("public_url"), "GET /readyz", &[], "").status == 503;
    until(PATIENCE, "the server says that it is not ready", stopping);
    server.signal("TERM");
    assert_eq!(server.ended().code, Some(1));
}

#[test]
fn a_folder_or_port_that_is_taken_is_a_conflict_that_names_its_holder() {
    let home = Home::ready();
    let server = Running::serve(&home);
    let (code, error) = home.refusal(&["serve"]);
    assert_eq!((code, error["code"].as_str()), (7, Some("data.taken")));
    assert!(error["why"].as_str().unwrap().contains(&server.ready["pid"].to_string()), "{error}");

    let other = Home::ready();
    let taken = server.address("public_url").to_string();
    let (code, error) = other.refusal(&["serve", "--listen", &taken]);
    assert_eq!((code, error["code"].as_str()), (7, Some("listen.taken")));
    let names = |error: &Value, setting| error["fix"].as_str().unwrap().contains(setting);
    assert!(names(&error, "`server.listen`") && !names(&error, "admin_listen"), "{error}");
    let (_, error) = other.refusal(&["serve", "--admin-listen", &taken]);
    assert!(names(&error, "`server.admin_listen`") && !names(&error, "server.listen"), "{error}");
}

#[test]
fn the_log_holds_neither_secrets_nor_tokens() {
    let (home, client) = Home::with_client();
    let server = Running::serve(&home);
    let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    let token = ask_token(server.address("public_url"), "/oauth2/token", id, secret).json();
    let token = token["access_token"].as_str().unwrap().to_owned();
    let wrong = ask_token(server.address("public_url"), "/api/oauth/token", id, "gp_live_not-the-secret");
    assert_eq!(wrong.status, 401);

    let log = server.stop().stderr;
    assert!(log.contains(id), "{log}");
    for hidden in [secret, "gp_live_", token.rsplit('.').next().unwrap()] {
        assert!(!log.contains(hidden), "{log}");
    }
    let each_is_json = |line: &str| serde_json::from_str::<Value>(line).is_ok();
    assert!(log.lines().all(each_is_json), "a log that no terminal shows is JSON: {log}");
}

#[test]
fn a_server_whose_standard_output_nobody_reads_serves_on() {
    let home = Home::ready();
    let mut command = home.command(&["serve", "--json"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::null()).spawn().unwrap();

    let mut found = json!(null);
    until(PATIENCE, "the server has made itself known", || {
        found = home.json(&["status"])["server"]["public_url"].clone();
        found.is_string()
    });
    let answer: Answer = ask(address(&found), "GET /livez", &[], "");
    signal("TERM", &child.id().to_string());
    assert_eq!((answer.status, child.wait().unwrap().code()), (200, Some(0)));
}

#[test]
fn a_running_server_reads_clients_ahead() {
    let home = Home::ready();
    home.json(&["partner", "create", "Acme Ltd"]);
    home.json(&["scope", "create", "--api", "default", "films:read"]);
    let server = Running::serve(&home);
    // A client that asks before it was read ahead is read; one of several comes later than that.
    until(PATIENCE, "a new client finds itself read already", || {
        let create = ["client", "create", "--partner", "acme-ltd", "--name", "New", "--scope", "films:read"];
        let new = home.json(&create);
        let before = reads(&server);
        until(A_SECOND * 5, "the new client is served", || status_of(&server, &new) == 200);
        reads(&server) == before
    });
}

/// How many clients the server has read because somebody asked for them.
fn reads(server: &Running) -> String {
    let page = ask(server.address("admin_url"), "GET /metrics", &[], "").body;
    let line = page.lines().find(|line| line.contains("client_cache_lookups") && line.contains("miss"));
    line.unwrap().to_owned()
}
