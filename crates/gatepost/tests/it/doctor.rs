//! This file is where the real program looks for what is wrong, and says how to mend it.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::program::{Done, Home, Running, done};

fn chmod(path: &std::path::Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The checks of that outcome, by name, and the whole report.
fn of_outcome(report: &Value, outcome: &str) -> Vec<Value> {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().filter(|check| check["outcome"] == outcome).cloned().collect()
}

/// The one check that fails, of a doctor that says no.
#[track_caller]
fn the_failure(done: &Done) -> Value {
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(done.code, Some(8), "{done:?}");
    assert_eq!((&report["ok"], &report["error"]["exit"]), (&false.into(), &8.into()));
    let failed = of_outcome(&report, "fail");
    assert_eq!(failed.len(), 1, "{report}");
    for member in ["what", "why", "fix"] {
        assert!(failed[0][member].as_str().is_some_and(|text| !text.is_empty()), "{report}");
    }
    failed[0].clone()
}

#[test]
fn a_new_state_is_well_and_every_part_of_it_was_looked_at() {
    let (home, _) = Home::with_client();
    let report = home.json(&["doctor"]);
    assert_eq!(report["ok"], true);
    assert!(report["error"].is_null());
    let checks = report["checks"].as_array().unwrap();
    let names: Vec<_> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    for name in ["config", "data", "lock", "store", "master_key", "clock", "keys", "secrets", "server"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    assert_eq!(of_outcome(&report, "ok").len(), checks.len(), "{report}");

    let told = home.run(&["doctor"]);
    assert!(told.stdout.contains("ok    store       SQLite 3."), "{told:?}");
    assert!(told.stderr.contains("All is well."), "{told:?}");
}

#[test]
fn each_thing_that_is_wrong_is_named_with_its_mend() {
    let doctor = |home: &Home| home.run(&["doctor", "--json"]);
    let empty = Home::empty();
    let failure = the_failure(&doctor(&empty));
    assert_eq!(failure["name"], "store");
    assert!(failure["fix"].as_str().unwrap().contains("gatepost init"), "{failure}");

    let home = Home::ready();
    chmod(&home.data().join("gatepost.db"), 0o644);
    let failure = the_failure(&doctor(&home));
    assert_eq!(failure["name"], "data");
    assert!(failure["fix"].as_str().unwrap().starts_with("chmod 600 "), "{failure}");
    chmod(&home.data().join("gatepost.db"), 0o600);

    chmod(&home.data(), 0o777);
    assert_eq!(the_failure(&doctor(&home))["name"], "data");
    chmod(&home.data(), 0o700);

    std::fs::rename(home.data().join("master.key"), home.path("elsewhere")).unwrap();
    assert_eq!(the_failure(&doctor(&home))["name"], "master_key");
    std::fs::rename(home.path("elsewhere"), home.data().join("master.key")).unwrap();
    assert_eq!(doctor(&home).code, Some(0));
}

#[test]
fn settings_that_can_t_be_used_are_a_check_that_fails() {
    let home = Home::ready();
    let with = |name: &str, value: &str| done(home.command(&["doctor", "--json"]).env(name, value), "");
    let failure = the_failure(&with("GATEPOST_SERVER__LISTN", "127.0.0.1:1"));
    assert_eq!(failure["name"], "config");
    assert!(failure["fix"].as_str().unwrap().contains("SERVER__LISTEN"), "{failure}");

    let mut command = home.command(&["doctor", "--json"]);
    let failure = the_failure(&done(
        command.env("GATEPOST_TLS__CERT", "/nowhere/cert.pem").env("GATEPOST_TLS__KEY", "/nowhere/key.pem"),
        "",
    ));
    assert_eq!(failure["name"], "tls");

    let odd = with("GATEPOST_KEYS__PUBLISH_AHEAD", "5m").document();
    assert_eq!(of_outcome(&odd, "warn").len(), 1, "a warning is no failure: {odd}");
}

#[test]
fn a_running_server_is_asked_who_it_is() {
    let home = Home::ready();
    let server = Running::serve(&home);
    let told = home.run(&["doctor"]);
    let issuer = server.text("public_url");
    assert!(told.stdout.contains(&format!("answers as {issuer}")), "{told:?}");

    let mut command = home.command(&["doctor", "--json"]);
    let other = done(command.env("GATEPOST_ISSUER", "https://auth.example.com"), "");
    assert_eq!(the_failure(&other)["name"], "server");

    server.signal("KILL");
    server.ended();
    let report = home.json(&["doctor"]);
    assert_eq!(report["ok"], true, "what a killed server leaves is free: {report}");
}

#[test]
fn a_damaged_store_is_said_with_its_mend() {
    let (home, _) = Home::with_client();
    for number in 0..30 {
        home.json(&["partner", "create", &format!("Partner {number} {}", "x".repeat(80))]);
    }
    let database = home.data().join("gatepost.db");
    let mut bytes = std::fs::read(&database).unwrap();
    let last = bytes.len() - 4_096;
    bytes[last..last + 64].fill(0xff);
    std::fs::write(&database, bytes).unwrap();

    let done = home.run(&["doctor", "--json"]);
    assert_eq!(done.code, Some(8), "{done:?}");
    assert!(done.stdout.contains("damaged") && done.stdout.contains("backup"), "{done:?}");
}
