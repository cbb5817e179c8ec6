//! This file is where commands are held to what the command line promises: members, lists, exit codes.

use serde_json::{Value, json};

use crate::program::{Done, Home};

fn members(document: &Value) -> Vec<&str> {
    document.as_object().unwrap().keys().map(String::as_str).collect()
}

#[track_caller]
fn has(document: &Value, wanted: &[&str]) {
    let there = members(document);
    let missing: Vec<_> = wanted.iter().filter(|name| !there.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?} missing in {document}");
}

fn code(done: &Done) -> i32 {
    done.code.unwrap()
}

#[test]
fn a_partner_is_created_listed_renamed_suspended_and_deleted() {
    let home = Home::ready();
    let made = home.json(&["partner", "create", "Acme Ltd"]);
    has(&made, &["partner_id", "slug", "name", "status"]);
    assert_eq!((&made["slug"], &made["status"]), (&json!("acme-ltd"), &json!("active")));

    let id = made["partner_id"].as_str().unwrap();
    assert_eq!(home.json(&["partner", "show", "acme-ltd"]), made);
    assert_eq!(home.json(&["partner", "show", id]), made);
    assert_eq!(home.json(&["partner", "list"]), json!([made]));

    assert_eq!(home.json(&["partner", "update", "acme-ltd", "--name", "Acme GmbH"])["name"], "Acme GmbH");
    assert_eq!(home.json(&["partner", "suspend", "acme-ltd"])["status"], "suspended");
    assert_eq!(home.json(&["partner", "resume", id])["status"], "active");
    assert_eq!(home.json(&["partner", "delete", "acme-ltd"])["deleted"], true);
    assert_eq!(home.refusal(&["partner", "show", "acme-ltd"]).0, 6);
}

#[test]
fn a_partner_keeps_the_id_that_it_had_elsewhere() {
    let home = Home::ready();
    let id = "6f2a0c5e-92f4-4a4e-9d0f-3a8f2f0f7b11";
    assert_eq!(home.json(&["partner", "create", "Acme", "--id", id])["partner_id"], id);
    assert_eq!(home.refusal(&["partner", "create", "Other", "--id", id]).0, 7);
    assert_eq!(home.refusal(&["partner", "create", "Other", "--id", "12"]).0, 2);
}

#[test]
fn a_client_is_created_with_its_secret_and_shown_without_it() {
    let (home, mut made) = Home::with_client();
    let wanted = ["client_id", "partner_id", "user_id", "name", "is_test", "apis", "scopes", "status"];
    has(&made, &wanted);
    let secret = made.as_object_mut().unwrap().remove("client_secret").unwrap();
    assert!(secret.as_str().unwrap().starts_with("gp_live_"));
    assert_eq!(made["apis"], json!(["default"]));

    let id = made["client_id"].as_str().unwrap();
    assert_eq!(home.json(&["client", "show", id]), made);
    assert_eq!(home.json(&["client", "list"]), json!([made]));
    assert_eq!(home.json(&["client", "list", "--partner", "acme-ltd"]), json!([made]));
    assert_eq!(home.refusal(&["client", "list", "--partner", "nobody"]).0, 6);
    assert_eq!(home.refusal(&["partner", "delete", "acme-ltd"]).0, 7, "it has a client");
}

#[test]
fn a_test_client_has_a_test_secret_and_its_own_life() {
    let (home, _) = Home::with_client();
    let user = "0b5c7b53-7a44-4fd8-8a26-4c0f33e3e2b1";
    let base = ["client", "create", "--partner", "acme-ltd", "--name", "Trial", "--test", "--user-id", user];
    let more = ["--lifetime", "15m", "--allow", "203.0.113.0/24", "--auth-method", "client_secret_post"];
    let made = home.json(&[&base[..], &more, &["--scope", "films:read", "--no-default-scope"]].concat());

    assert!(made["client_secret"].as_str().unwrap().starts_with("gp_test_"));
    assert_eq!((&made["is_test"], &made["user_id"]), (&json!(true), &json!(user)));
    assert_eq!((&made["lifetime"], &made["allow"]), (&json!(900), &json!(["203.0.113.0/24"])));
    assert_eq!((&made["auth_method"], &made["default_scopes"]), (&json!("client_secret_post"), &json!([])));
}

#[test]
fn updating_a_client_replaces_lists_and_leaves_the_rest() {
    let (home, made) = Home::with_client();
    let id = made["client_id"].as_str().unwrap();
    let update = |more: &[&str]| home.json(&[&["client", "update", id], more].concat());

    let changed = update(&["--scope", "films:read", "--lifetime", "2h"]);
    assert_eq!((&changed["scopes"], &changed["lifetime"]), (&json!(["films:read"]), &json!(7_200)));
    assert_eq!(changed["name"], made["name"]);
    assert_eq!(update(&["--no-default-scope"])["default_scopes"], json!([]));
    assert_eq!(update(&["--all-default-scopes"])["default_scopes"], json!(["films:read"]));
    assert_eq!(update(&["--allow", "198.51.100.7"])["allow"], json!(["198.51.100.7/32"]));
    assert_eq!(update(&["--allow-any"])["allow"], json!([]));

    assert_eq!(home.refusal(&["client", "update", id]).0, 2, "nothing to change");
    assert_eq!(home.refusal(&["client", "update", id, "--scope", "unknown:scope"]).0, 2);
    assert_eq!(home.json(&["client", "suspend", id])["status"], "suspended");
    assert_eq!(home.json(&["client", "resume", id])["status"], "active");
    assert_eq!(home.json(&["client", "delete", id])["deleted"], true);
    assert_eq!(home.refusal(&["client", "show", id]).0, 6);
}

#[test]
fn secrets_are_added_listed_and_ended_but_the_last_only_by_force() {
    let (home, made) = Home::with_client();
    let id = made["client_id"].as_str().unwrap();
    let added = home.json(&["secret", "add", id, "--label", "second", "--expires", "30d"]);
    has(&added, &["secret_id", "label", "state", "created", "expires", "last_used", "client_secret"]);
    assert_eq!((&added["label"], &added["state"]), (&json!("second"), &json!("active")));

    let listed = home.json(&["secret", "list", id]);
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|secret| secret.get("client_secret").is_none()), "{listed:?}");

    let (first, second) =
        (listed[0]["secret_id"].as_str().unwrap(), listed[1]["secret_id"].as_str().unwrap());
    assert_eq!(home.json(&["secret", "end", id, first])["state"], "ended");
    assert_eq!(home.refusal(&["secret", "end", id, second]).0, 7);
    assert_eq!(home.json(&["secret", "end", id, second, "--force"])["state"], "ended");
    assert_eq!(home.refusal(&["secret", "end", id, "0b5c7b53-7a44-4fd8-8a26-4c0f33e3e2b1"]).0, 6);
}

#[test]
fn a_client_has_at_most_five_live_secrets() {
    let (home, made) = Home::with_client();
    let id = made["client_id"].as_str().unwrap();
    for _ in 0..4 {
        home.json(&["secret", "add", id]);
    }
    assert_eq!(home.refusal(&["secret", "add", id]).0, 7);
    assert_eq!(home.refusal(&["secret", "add", id, "--expires", "2020-01-01T00:00:00Z"]).0, 2);
    assert_eq!(home.refusal(&["secret", "add", id, "--expires", "soon"]).0, 2);
}

#[test]
fn an_api_is_rfc9068_unless_it_is_made_passport() {
    let home = Home::ready();
    let made = home.json(&["api", "create", "orders", "--audience", "https://orders.example"]);
    has(&made, &["api_id", "name", "audience", "profile", "alg"]);
    assert_eq!((&made["profile"], &made["alg"]), (&json!("rfc9068"), &json!("ES256")));

    let create = ["api", "create", "films", "--audience", "https://films.example", "--profile", "passport"];
    let passport =
        home.json(&[&create[..], &["--timestamps", "seconds", "--kid", "on", "--sub", "client_id"]].concat());
    assert_eq!(passport["alg"], "RS256");
    let options =
        json!({"timestamps": "seconds", "kid": true, "sub": "client_id", "allow_integer_sub": false});
    assert_eq!(passport["passport"], options);

    let names: Vec<_> =
        home.json(&["api", "list"]).as_array().unwrap().iter().map(|api| api["name"].clone()).collect();
    assert_eq!(names, ["default", "films", "orders"]);
    assert_eq!(home.json(&["api", "update", "films", "--kid", "off"])["passport"]["kid"], false);
    assert_eq!(home.json(&["api", "delete", "orders"])["deleted"], true);
    assert_eq!(home.refusal(&["api", "show", "orders"]).0, 6);
}

#[test]
fn an_api_that_can_not_be_is_refused() {
    let home = Home::ready();
    let refusal = |more: &[&str]| home.refusal(&[&["api", "create"], more].concat()).0;

    assert_eq!(refusal(&["default", "--audience", "https://other.example"]), 7);
    assert_eq!(refusal(&["Upper", "--audience", "https://a.example"]), 2);
    assert_eq!(refusal(&["a", "--audience", "not an address"]), 2);
    assert_eq!(refusal(&["a", "--audience", "https://a.example", "--timestamps", "seconds"]), 2);
    assert_eq!(refusal(&["a", "--audience", "https://a.example", "--profile", "jwt"]), 2);
    assert_eq!(
        refusal(&["a", "--audience", "https://a.example", "--profile", "passport", "--alg", "ES256"]),
        2
    );
}

#[test]
fn scopes_belong_to_apis() {
    let home = Home::ready();
    let create = ["scope", "create", "--api", "default", "films:read", "--description", "Read films"];
    let made = home.json(&create);
    assert_eq!(made, json!({"api": "default", "name": "films:read", "description": "Read films"}));
    assert_eq!(home.refusal(&create).0, 7);
    assert_eq!(home.json(&["scope", "list"]), json!([made]));
    assert_eq!(home.json(&["scope", "list", "--api", "default"]), json!([made]));
    assert_eq!(home.refusal(&["scope", "create", "--api", "default", "two words"]).0, 2);
    assert_eq!(home.refusal(&["scope", "create", "--api", "none", "a"]).0, 6);
    assert_eq!(home.json(&["scope", "delete", "--api", "default", "films:read"])["deleted"], true);
    assert_eq!(home.json(&["scope", "list"]), json!([]));
}

#[test]
fn keys_are_listed_and_their_public_halves_exported() {
    let home = Home::ready();
    let keys = home.json(&["key", "list"]);
    assert_eq!(keys.as_array().unwrap().len(), 1, "without --api: the API default");
    has(&keys[0], &["kid", "api", "alg", "state", "signs_from"]);
    assert_eq!((&keys[0]["api"], &keys[0]["state"]), (&json!("default"), &json!("signing")));
    assert_eq!(home.json(&["key", "list", "--all"]).as_array().unwrap().len(), 2);

    let pem = home.run(&["key", "export-public"]).stdout;
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n"), "{pem}");
    let jwk: Value =
        serde_json::from_str(&home.run(&["key", "export-public", "--format", "jwk"]).stdout).unwrap();
    assert_eq!(jwk["kid"], keys[0]["kid"]);
    let both = home.json(&["key", "export-public", "--api", "default"]);
    assert_eq!((both["pem"].as_str().unwrap(), &both["jwk"]), (pem.as_str(), &jwk));
    assert_eq!(home.refusal(&["key", "export-public", "--api", "none"]).0, 6);
}

#[test]
fn settings_are_shown_checked_and_explained() {
    let home = Home::empty();
    let shown = home.json(&["config", "show"]);
    let of = |key: &str| shown.as_array().unwrap().iter().find(|one| one["key"] == key).unwrap().clone();
    assert_eq!(of("server.listen")["source"], "GATEPOST_SERVER__LISTEN");

    assert_eq!(home.json(&["config", "explain", "server.listen"]), of("server.listen"));
    let (code, error) = home.refusal(&["config", "explain", "server.lisen"]);
    assert_eq!((code, error["fix"].as_str()), (6, Some("did you mean `server.listen`?")));

    let checked = home.json(&["config", "check"]);
    assert_eq!(checked["ok"], true);
}

#[test]
fn a_password_in_a_setting_is_never_shown() {
    let home = Home::empty();
    let done = home.run(&["config", "show", "--database", "postgres://gatepost:hunter2@db.example/gatepost"]);
    assert_eq!(code(&done), 0);
    assert!(done.stdout.contains("db.example") && !done.stdout.contains("hunter2"), "{done:?}");
}

#[test]
fn init_tells_what_it_wrote_and_leaves_a_used_state_alone() {
    let home = Home::empty();
    let made = home.json(&["init", "--yes", "--issuer", "https://auth.example.com"]);
    has(&made, &["data", "master_key", "database", "kid", "issuer", "files"]);
    assert_eq!(made["issuer"], "https://auth.example.com");
    let modes: Vec<_> = made["files"].as_array().unwrap().iter().map(|file| file["mode"].clone()).collect();
    assert_eq!(modes, ["0700", "0600", "0600"]);

    let before = std::fs::read(home.data().join("master.key")).unwrap();
    let (code, error) = home.refusal(&["init", "--yes"]);
    assert_eq!((code, error["code"].as_str()), (7, Some("setup.in_use")));
    assert_eq!(std::fs::read(home.data().join("master.key")).unwrap(), before);
}

#[test]
fn status_and_version_are_documents_too() {
    let home = Home::ready();
    let status = home.json(&["status"]);
    assert_eq!((&status["apis"], &status["server"]), (&json!(1), &Value::Null));
    assert_eq!(home.json(&["version"])["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn only_the_secret_goes_to_standard_output() {
    let (home, made) = Home::with_client();
    let done = home.run(&["secret", "add", made["client_id"].as_str().unwrap()]);
    let secret = done.stdout.strip_suffix('\n').unwrap();

    assert!(secret.starts_with("gp_live_") && !secret.contains(char::is_whitespace), "{done:?}");
    assert!(done.stderr.contains("Added secret") && !done.stderr.contains(secret), "{done:?}");
    let quiet = home.run(&["-q", "secret", "add", made["client_id"].as_str().unwrap()]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
}

#[test]
fn lists_without_a_terminal_are_bare_rows() {
    let home = Home::ready();
    assert_eq!(home.run(&["partner", "list"]).stdout, "");
    home.json(&["partner", "create", "Acme Ltd"]);
    home.json(&["partner", "create", "B"]);

    let done = home.run(&["partner", "list"]);
    let rows: Vec<_> = done.stdout.lines().map(|row| row.split("  ").next().unwrap()).collect();
    assert_eq!(rows, ["acme-ltd", "b"]);
}

#[test]
fn a_command_that_can_not_be_is_a_usage_failure_for_people_and_programs() {
    let home = Home::empty();
    for words in [&["partner", "crate", "x"][..], &["client", "create"], &["nonsense"], &["token", "issue"]] {
        assert_eq!(home.refusal(words).0, 2, "{words:?}");
        let done = home.run(words);
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{words:?}");
        assert!(done.stderr.contains("error: "), "{done:?}");
    }
    assert!(home.run(&["partner", "crate", "x"]).stderr.contains("'create'"));
}

#[test]
fn a_failure_says_what_why_and_fix_on_standard_error() {
    let home = Home::ready();
    let done = home.run(&["partner", "show", "nobody"]);
    let lines: Vec<_> = done.stderr.lines().map(|line| line.split(": ").next().unwrap()).collect();

    assert_eq!((done.code, lines), (Some(6), vec!["error", "  why", "  fix"]));
    assert_eq!(done.stdout, "");
}

#[test]
fn a_snippet_for_an_api_that_is_not_there_says_so_and_is_printed() {
    let home = Home::ready();
    for (api, warns) in [("default", false), ("nowhere", true)] {
        let done = home.run(&["guard", "snippet", "nginx", "--api", api, "--url", "http://127.0.0.1:8460"]);
        assert_eq!((done.code, done.stdout.contains(api)), (Some(0), true), "{done:?}");
        assert_eq!(done.stderr.contains("there is no API `nowhere` here"), warns, "{done:?}");
    }
    let done =
        Home::empty().run(&["guard", "snippet", "nginx", "--api", "nowhere", "--url", "http://127.0.0.1:1"]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "a proxy's machine has no state");
}
