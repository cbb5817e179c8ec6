//! This file is where things go wrong: lost keys, broken files, full disks, closed pipes, and processes killed at any moment.

use std::fs::OpenOptions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::{Home, PATIENCE, Running, signal, until};

#[test]
fn a_missing_wrong_or_open_master_key_is_a_configuration_failure() {
    let (home, other) = (Home::ready(), Home::ready());
    let file = home.data().join("master.key");

    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let (code, error) = home.refusal(&["partner", "list"]);
    assert_eq!(code, 3);
    assert!(error["fix"].as_str().unwrap().starts_with("chmod 600 "), "{error}");

    std::fs::copy(other.data().join("master.key"), &file).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    for words in [&["partner", "list"][..], &["serve"], &["status"]] {
        let (code, error) = home.refusal(words);
        assert_eq!((code, error["code"].as_str()), (3, Some("master_key.wrong")), "{words:?}");
    }

    std::fs::remove_file(&file).unwrap();
    for words in [&["partner", "list"][..], &["serve"]] {
        let (code, error) = home.refusal(words);
        assert_eq!((code, error["code"].as_str()), (3, Some("master_key.unusable")), "{words:?}");
    }
    assert!(!file.exists(), "a lost key is not silently replaced");
}

#[test]
fn an_unknown_setting_is_refused_with_a_suggestion() {
    let home = Home::ready();
    std::fs::write(home.path("gatepost.toml"), "[server]\nlisen = \"127.0.0.1:0\"\n").unwrap();
    for words in [&["serve"][..], &["config", "check"], &["partner", "list"]] {
        let (code, error) = home.refusal(&[words, &["--config", "gatepost.toml"]].concat());
        assert_eq!((code, error["code"].as_str()), (3, Some("config.unknown_setting")), "{words:?}");
        assert!(error["fix"].as_str().unwrap().contains("server.listen"), "{error}");
    }
}

#[test]
fn a_public_address_without_tls_is_refused() {
    let home = Home::ready();
    let (code, error) =
        home.refusal(&["serve", "--listen", "0.0.0.0:0", "--issuer", "https://auth.example.com"]);
    assert_eq!((code, error["code"].as_str()), (3, Some("config.plain_http_in_public")));
}

#[test]
fn a_store_that_is_not_there_or_can_not_be_read_is_unreachable() {
    let home = Home::empty();
    let (code, error) = home.refusal(&["partner", "list"]);
    assert_eq!((code, error["code"].as_str()), (4, Some("store.missing")));

    let ready = Home::ready();
    for rest in ["gatepost.db-wal", "gatepost.db-shm"] {
        let _ = std::fs::remove_file(ready.data().join(rest));
    }
    std::fs::write(ready.data().join("gatepost.db"), "this is no database, whatever its name says").unwrap();
    for words in [&["partner", "list"][..], &["serve"], &["status"]] {
        let (code, error) = ready.refusal(words);
        assert_eq!(code, 4, "{words:?}: {error}");
    }
}

#[test]
fn a_closed_standard_output_is_no_panic() {
    let home = Home::ready();
    home.json(&["partner", "create", "Acme"]);
    let closed = |words: &[&str]| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let done =
            home.command(words).stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };

    assert_eq!(closed(&["partner", "list"]), (Some(0), String::new()));
    assert_eq!(closed(&["--help"]).0, Some(0));
    let (code, said) = closed(&["client", "create", "--partner", "acme", "--name", "n"]);
    assert_eq!(code, Some(1), "a secret that nobody got is a failure: {said}");
    assert!(said.contains("gatepost secret end") && !said.contains("gp_live_"), "{said}");
}

#[test]
fn a_full_disk_behind_standard_output_is_told() {
    let home = Home::ready();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let done = home.command(&["api", "list"]).stdin(Stdio::null()).stdout(full).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("could not be written"));
}

/// Creates partners one after the other and writes down each that was acknowledged.
const STREAM: &str =
    r#"i=0; while :; do i=$((i+1)); "$0" partner create "Partner $1 $i" --json >> "$2" 2>/dev/null; done"#;

#[test]
fn whatever_was_acknowledged_is_there_after_a_kill_at_any_moment() {
    let home = Home::ready();
    let acknowledged = home.path("acknowledged");
    for round in 1..=3 {
        let server = Running::serve(&home);
        let mut stream = Command::new("sh");
        stream.args(["-c", STREAM, env!("CARGO_BIN_EXE_gatepost"), &round.to_string()]).arg(&acknowledged);
        stream.env("GATEPOST_DATA", home.data()).process_group(0);
        let mut stream =
            stream.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();

        let so_many = || {
            slugs(&acknowledged).iter().filter(|slug| slug.starts_with(&format!("partner-{round}-"))).count()
        };
        until(PATIENCE, "some partners are acknowledged", || so_many() >= 4);
        signal("KILL", &format!("-{}", stream.id()));
        server.signal("KILL");
        stream.wait().unwrap();
        assert_eq!(server.ended().code, None, "it was killed");
    }

    let server = Running::serve(&home);
    let there: Vec<_> = home.json(&["partner", "list"]).as_array().unwrap().iter().map(slug).collect();
    let lost: Vec<_> = slugs(&acknowledged).into_iter().filter(|slug| !there.contains(slug)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert_eq!(home.json(&["partner", "create", "After"])["slug"], "after");
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn a_first_start_that_is_killed_at_any_moment_can_be_made_again() {
    let home = Home::empty();
    for sign_of_life in
        ["data", "data/gatepost.lock", "data/master.key", "data/gatepost.db", "data/gatepost.db-wal"]
    {
        let mut server = home.command(&["serve", "--json"]);
        let mut server =
            server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        until(PATIENCE, sign_of_life, || home.path(sign_of_life).exists());
        server.kill().unwrap();
        server.wait().unwrap();
    }

    let server = Running::serve(&home);
    assert_eq!(home.json(&["key", "list", "--all"]).as_array().unwrap().len(), 2, "set up once, and whole");
    assert_eq!(server.stop().code, Some(0));
}

/// The slugs of the documents that were written whole.
fn slugs(file: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let whole = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    whole.filter(|document| document["slug"].is_string()).map(|document| slug(&document)).collect()
}

fn slug(partner: &Value) -> String {
    partner["slug"].as_str().unwrap().to_owned()
}
