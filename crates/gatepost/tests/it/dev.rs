//! This file is where `gatepost dev` is tried as a newcomer would: a token from each door, and the API that it opens.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use crate::http::{Answer, ask, ask_token};
use crate::program::{Done, Home, PATIENCE, Running, Started, address, done, program, signal, until};

/// So soon a guard that follows the feed refuses what was revoked.
const SOON: Duration = Duration::from_secs(5);

fn dev(folder: &Path) -> Running {
    Running::start(program(folder).args(["dev", "--json"]))
}

fn call(api: SocketAddr, line: &str, token: &str, body: &str) -> Answer {
    let bearer = format!("Authorization: Bearer {token}");
    ask(api, line, &[&bearer, "Content-Type: application/json"], body)
}

fn path(url: &str) -> String {
    format!("/{}", url.splitn(4, '/').nth(3).unwrap())
}

#[test]
fn the_ready_line_holds_all_that_a_client_needs() {
    let folder = tempfile::tempdir().unwrap();
    let running = dev(folder.path());
    let members: Vec<_> = running.ready.as_object().unwrap().keys().map(String::as_str).collect();
    let wanted =
        ["issuer", "token_url", "standard_token_url", "api_url", "admin_url", "client_id", "client_secret"];
    assert_eq!(members[..7], wanted);
    assert_eq!(members[7..], ["scopes", "pid"]);
    assert_eq!(running.ready["scopes"], json!(["bookings:create", "bookings:delete"]));
}

#[test]
fn a_token_from_either_door_opens_the_bookings_api_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let running = dev(folder.path());
    let (server, api) = (running.address("issuer"), running.address("api_url"));

    for (number, door) in ["token_url", "standard_token_url"].into_iter().enumerate() {
        let answer = ask_token(
            server,
            &path(running.text(door)),
            running.text("client_id"),
            running.text("client_secret"),
        );
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();

        let booking =
            json!({"reference": format!("ACME-{number}"), "starts": "2030-01-31T09:00:00Z"}).to_string();
        let created = call(api, "POST /bookings", &token, &booking);
        assert_eq!(created.status, 201, "{created:?}");
        let id = created.json()["id"].as_str().unwrap().to_owned();
        let listed = call(api, "GET /bookings", &token, "");
        assert_eq!(listed.json()["bookings"][0]["id"], id.as_str());
        assert_eq!(call(api, &format!("DELETE /bookings/{id}"), &token, "").status, 204);
    }

    let without = ask(api, "GET /bookings", &[], "");
    assert_eq!(without.status, 401);
    assert!(without.head.contains("www-authenticate: bearer"), "{without:?}");
    assert_eq!(call(api, "GET /bookings", "not.a.token", "").status, 401);
}

/// A token of the demonstration's client, which opens the bookings API.
fn opening_token(running: &Running) -> String {
    let (client, secret) = (running.text("client_id"), running.text("client_secret"));
    let answer = ask_token(running.address("issuer"), "/oauth2/token", client, secret);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(bookings(running, &token), 200);
    token
}

fn bookings(running: &Running, token: &str) -> u16 {
    call(running.address("api_url"), "GET /bookings", token, "").status
}

/// What a command says that works on the state of the demonstration in this folder.
fn beside(folder: &Path, words: &[&str], input: &str) -> Done {
    let data: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(data.len(), 1, "{data:?}");
    let said = done(program(folder).args(words).arg("--data").arg(&data[0]), input);
    assert_eq!(said.code, Some(0), "{said:?}");
    said
}

#[test]
fn what_is_revoked_or_suspended_no_longer_opens_the_bookings_api() {
    let folder = tempfile::tempdir().unwrap();
    let running = dev(folder.path());
    let (revoked, other) = (opening_token(&running), opening_token(&running));

    beside(folder.path(), &["token", "revoke"], &revoked);
    until(SOON, "the revoked token is refused", || bookings(&running, &revoked) == 401);
    assert_eq!(bookings(&running, &other), 200, "the other token still opens it");

    beside(folder.path(), &["client", "suspend", running.text("client_id")], "");
    until(SOON, "the suspended client's token is refused", || bookings(&running, &other) == 401);
}

#[test]
fn the_bookings_api_knows_a_promoted_key_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let running = dev(folder.path());
    let before = opening_token(&running);
    let document = || ask(running.address("issuer"), "GET /.well-known/jwks/bookings.json", &[], "").body;
    let signed = document();

    beside(folder.path(), &["key", "rotate", "--api", "bookings"], "");
    beside(folder.path(), &["key", "promote", "--api", "bookings", "--now"], "");
    until(SOON, "the server signs with the promoted key", || document() != signed);
    opening_token(&running);
    assert_eq!(bookings(&running, &before), 200, "the key before it still verifies");
}

#[test]
fn nothing_is_left_when_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let running = dev(folder.path());
    let made = || std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(made(), 1);
    let done = running.stop();
    assert_eq!((done.code, made()), (Some(0), 0), "{done:?}");
}

#[test]
fn a_terminal_that_is_closed_ends_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let running = dev(folder.path());
    running.signal("HUP");
    let done = running.ended();
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!((done.code, left), (Some(0), 0), "{done:?}");
}

/// That signal comes while the keys are made.
fn leaves_nothing_by(name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    command.args(["dev", "--json"]).env("GATEPOST_KEYS__RSA_BITS", "4096").stderr(Stdio::piped());
    let mut running = Started(command.stdout(Stdio::null()).spawn().unwrap());
    let mut first = String::new();
    BufReader::new(running.0.stderr.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("Making signing keys"), "{first}");

    signal(name, &running.0.id().to_string());
    until(PATIENCE, "it has ended", || running.0.try_wait().unwrap().is_some());
    assert_eq!(running.0.wait().unwrap().code(), Some(0), "{name}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{name}");
}

#[test]
fn a_stop_while_the_keys_are_made_leaves_nothing_either() {
    leaves_nothing_by("TERM");
}

#[test]
fn nor_does_a_terminal_that_is_closed_meanwhile() {
    leaves_nothing_by("HUP");
}

#[test]
fn a_person_is_told_where_operators_ask_and_where_the_state_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    let mut running =
        Started(command.arg("dev").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let lines = BufReader::new(running.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let page: Vec<String> = lines.take_while(|line| !line.starts_with("Ctrl-C stops.")).collect();
    let told = |name: &str| {
        let line = page.iter().find_map(|line| line.trim().strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()).unwrap_or_else(|| panic!("{name}: {page:#?}"))
    };

    let metrics = ask(address(&json!(told("For operators"))), "GET /metrics", &[], "");
    assert_eq!(metrics.status, 200, "{metrics:?}");
    let listed = done(program(folder.path()).args(["client", "list", "--data", told("Data folder")]), "");
    assert!(listed.stdout.contains("Acme booking system"), "{listed:?}");
    signal("TERM", &running.0.id().to_string());
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}

#[test]
fn real_settings_of_issuer_and_database_are_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    command.env("GATEPOST_ISSUER", "https://auth.example.com");
    command.env("GATEPOST_DATABASE__URL", "postgres://gatepost@db.example/gatepost");
    let running = Running::start(command.args(["dev", "--json"]));
    assert!(running.text("issuer").starts_with("http://127.0.0.1:"));
}

#[test]
fn dev_is_for_this_computer_and_keeps_no_state_of_ones_own() {
    let home = Home::empty();
    assert_eq!(home.refusal(&["dev", "--data", "mine"]).0, 2);
    let public = |variable: &str, address: &str| {
        let mut command = home.command(&["dev", "--json"]);
        done(
            command
                .env(variable, address)
                .env("GATEPOST_SERVER__BEHIND_PROXY", "true")
                .env("GATEPOST_ISSUER", "https://a.example"),
            "",
        )
    };
    assert_eq!(public("GATEPOST_SERVER__LISTEN", "0.0.0.0:0").refusal().0, 3);
    assert_eq!(public("GATEPOST_SERVER__ADMIN_LISTEN", "0.0.0.0:0").refusal().0, 3);
    assert_eq!(public("GATEPOST_DEV__API_LISTEN", "0.0.0.0:0").refusal().0, 3);
}

#[test]
fn an_address_that_others_reach_is_refused_for_what_it_is_not_for_lack_of_a_certificate_or_a_name() {
    let folder = tempfile::tempdir().unwrap();
    for flag in ["--listen", "--admin-listen"] {
        let (code, error) =
            done(program(folder.path()).args(["dev", "--json", flag, "0.0.0.0:0"]), "").refusal();
        assert_eq!((code, error["code"].as_str()), (3, Some("dev.public")), "{flag}: {error}");
    }
}
