//! This file is where secrets are rolled, ended, checked and made for APIs by the real program.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::ask_token;
use crate::program::{Done, Home, Running, done, until};

const A_SECOND: Duration = Duration::from_secs(1);

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// What a command with these words says to a client that shows this secret.
fn issue(home: &Home, client: &str, secret: &str) -> Done {
    home.run_with(&["token", "issue", "--json", "--client", client], secret)
}

fn ids(home: &Home, client: &str) -> Vec<String> {
    let list = home.json(&["secret", "list", client]);
    list.as_array().unwrap().iter().map(|one| text(&one["secret_id"]).to_owned()).collect()
}

#[test]
fn a_roll_hands_over_a_secret_and_gives_the_others_an_end() {
    let (home, client) = Home::with_client();
    let id = text(&client["client_id"]);
    let rolled = home.json(&["secret", "roll", id]);
    let members: Vec<_> = rolled.as_object().unwrap().keys().map(String::as_str).collect();
    for member in ["secret_id", "label", "state", "created", "expires", "last_used", "client_secret"] {
        assert!(members.contains(&member), "{member}: {members:?}");
    }

    let list = home.json(&["secret", "list", id]);
    assert!(list[0]["expires"].is_string() && list[1]["expires"].is_null(), "{list}");
    for secret in [&client["client_secret"], &rolled["client_secret"]] {
        assert_eq!(issue(&home, id, text(secret)).code, Some(0));
    }
}

#[test]
fn a_roll_without_overlap_ends_the_others_at_once() {
    let (home, client) = Home::with_client();
    let id = text(&client["client_id"]);
    let rolled = home.run(&["secret", "roll", id, "--overlap", "0"]);
    assert!(rolled.stdout.starts_with("gp_live_") && rolled.stdout.lines().count() == 1, "{rolled:?}");

    assert_eq!(issue(&home, id, text(&client["client_secret"])).code, Some(5));
    assert_eq!(issue(&home, id, &rolled.stdout).code, Some(0));
    assert_eq!(home.refusal(&["secret", "roll", id, "--overlap", "soon"]).0, 2);
    assert_eq!(home.refusal(&["secret", "roll", "nobody"]).0, 6);
}

#[test]
fn a_secret_that_was_used_lately_is_ended_only_when_that_is_confirmed() {
    let (home, client) = Home::with_client();
    let id = text(&client["client_id"]);
    assert_eq!(issue(&home, id, text(&client["client_secret"])).code, Some(0));
    home.json(&["secret", "add", id]);
    let used = ids(&home, id)[0].clone();

    let (code, error) = home.refusal(&["secret", "end", id, &used]);
    assert_eq!((code, text(&error["code"])), (7, "secret.used_lately"));
    assert!(text(&error["why"]).contains("from 127.0.0.1, once in all"), "{error}");
    assert_eq!(home.json(&["secret", "list", id])[0]["state"], "active");

    assert_eq!(home.json(&["secret", "end", id, &used, "--yes"])["state"], "ended");
    assert_eq!(issue(&home, id, text(&client["client_secret"])).code, Some(5));
    assert_eq!(home.refusal(&["secret", "end", id, &used, "--yes"]).0, 7);
}

#[test]
fn a_roll_that_ends_a_secret_in_use_at_once_is_asked_about() {
    let (home, client) = Home::with_client();
    let id = text(&client["client_id"]);
    home.json(&["secret", "add", id]);
    assert_eq!(issue(&home, id, text(&client["client_secret"])).code, Some(0));
    let used = ids(&home, id)[0].clone();

    let (code, error) = home.refusal(&["secret", "roll", id, "--overlap", "0s"]);
    assert_eq!((code, text(&error["code"])), (7, "secret.used_lately"));
    assert!(text(&error["what"]).contains(&used), "{error}");
    assert!(text(&error["why"]).contains("from 127.0.0.1, once in all"), "{error}");
    assert!(text(&error["fix"]).contains("--overlap"), "{error}");
    assert_eq!(ids(&home, id).len(), 2, "nothing was changed");

    home.json(&["secret", "roll", id, "--overlap", "0s", "--not-before", "1h"]);
    home.json(&["secret", "roll", id, "--overlap", "0s", "--yes"]);
    assert_eq!(issue(&home, id, text(&client["client_secret"])).code, Some(5));
}

#[test]
fn a_secret_is_not_called_unused_before_a_running_server_has_said_so() {
    let (home, client) = Home::with_client();
    let id = text(&client["client_id"]);
    home.json(&["secret", "add", id]);
    let [used, unused] = ids(&home, id).try_into().unwrap();
    let server = Running::serve(&home);
    let answer = ask_token(server.address("public_url"), "/oauth2/token", id, text(&client["client_secret"]));
    assert_eq!(answer.status, 200, "{answer:?}");

    assert_eq!(text(&home.refusal(&["secret", "end", id, &used]).1["code"]), "secret.used_lately");
    assert_eq!(home.json(&["secret", "end", id, &unused])["state"], "ended");
    let used = &home.json(&["secret", "list", id])[0];
    assert!(used["last_used"].is_string() && used["uses"] == 1, "{used}");
    server.stop();
}

#[test]
fn the_last_secret_ends_by_force_alone() {
    let (home, client) = Home::with_client();
    let id = text(&client["client_id"]);
    let last = ids(&home, id)[0].clone();

    let (code, error) = home.refusal(&["secret", "end", id, &last, "--yes"]);
    assert_eq!((code, text(&error["code"])), (7, "secret.last"));
    assert_eq!(home.json(&["secret", "end", id, &last, "--force"])["state"], "ended");
}

#[test]
fn tokens_can_be_ended_with_the_secret() {
    let (home, client) = Home::with_client();
    let id = text(&client["client_id"]);
    let token = issue(&home, id, text(&client["client_secret"])).document()["access_token"].clone();
    let verify = || home.run_with(&["token", "verify", "--json"], text(&token));
    home.json(&["secret", "roll", id]);
    assert_eq!(verify().code, Some(0));

    home.json(&["secret", "end", id, &ids(&home, id)[0], "--kill-tokens", "--yes"]);
    let (code, error) = verify().refusal();
    assert_eq!((code, text(&error["code"])), (8, "revoked"));
}

#[test]
fn a_text_is_checked_for_being_a_whole_secret_without_any_state() {
    let (_home, client) = Home::with_client();
    let secret = text(&client["client_secret"]).to_owned();
    let other = if secret.ends_with('0') { "1" } else { "0" };
    let mistyped = format!("{}{other}", &secret[..secret.len() - 1]);
    let nowhere = Home::empty();
    let lint = |input: &str| nowhere.run_with(&["secret", "lint", "--json"], input);

    let whole = lint(&format!("{secret}\n")).document();
    assert_eq!(whole, json!({"whole": true, "kind": "live", "belongs_to": "a client"}));
    for (input, code) in [(mistyped.as_str(), "secret.mistyped"), (&secret[1..], "secret.foreign")] {
        let refused = lint(input);
        let (exit, error) = refused.refusal();
        assert_eq!((exit, text(&error["code"])), (8, code));
        assert!(!format!("{refused:?}").contains(&input[8..20]), "the text is not shown: {refused:?}");
    }
    assert_eq!(lint("").refusal().0, 2);

    std::fs::write(nowhere.path("secret"), secret).unwrap();
    assert_eq!(nowhere.json(&["secret", "lint", "--secret-file", "secret"])["whole"], true);
    assert!(!nowhere.data().exists());
}

#[test]
fn scanners_get_the_rule_that_the_documents_name() {
    let home = Home::empty();
    let regex = home.run(&["secret", "pattern"]).stdout;
    let page = include_str!("../../../../docs/operate/secrets.md");
    assert!(page.contains(&format!("`{}`", regex.trim_end())), "{regex}");

    let gitleaks = home.run(&["secret", "pattern", "--format", "gitleaks"]).stdout;
    assert!(gitleaks.starts_with("[[rules]]\n"), "{gitleaks}");
    let trufflehog = home.json(&["secret", "pattern", "--format", "trufflehog"]);
    assert!(text(&trufflehog["rule"]).starts_with("detectors:\n"), "{trufflehog}");
}

#[test]
fn an_api_has_secrets_of_its_own() {
    let home = Home::ready();
    let added = home.json(&["api", "secret", "add", "default", "--label", "guards"]);
    assert!(text(&added["api_secret"]).starts_with("gp_api_"));
    assert!(added["client_secret"].is_null());
    let id = text(&added["secret_id"]);
    assert_eq!(home.json(&["api", "secret", "list", "default"])[0]["label"], "guards");

    assert_eq!(text(&home.refusal(&["api", "secret", "end", "default", id]).1["code"]), "secret.last");
    assert_eq!(home.json(&["api", "secret", "end", "default", id, "--force"])["state"], "ended");
    assert_eq!(home.refusal(&["api", "secret", "end", "default", id, "--force"]).0, 6);
    assert_eq!(home.refusal(&["api", "secret", "add", "nothing"]).0, 6);
}

#[test]
fn an_api_has_a_route_table() {
    let home = Home::ready();
    home.json(&["scope", "create", "--api", "default", "films:read"]);
    let add = ["api", "route", "add", "default", "get", "/films/{id}", "--scope", "films:read"];
    let route = json!({"api": "default", "method": "GET", "path": "/films/{id}", "scopes": ["films:read"]});
    assert_eq!(home.json(&add), route);
    assert_eq!(home.json(&["api", "route", "list", "default"]), json!([route]));

    assert_eq!(home.refusal(&["api", "route", "add", "default", "GET", "films"]).0, 2);
    assert_eq!(home.refusal(&["api", "route", "add", "default", "GET", "/x", "--scope", "no:such"]).0, 2);
    assert_eq!(home.json(&["api", "route", "remove", "default", "GET", "/films/{id}"])["deleted"], true);
    assert_eq!(home.json(&["api", "route", "list", "default"]), json!([]));
}

#[test]
fn a_client_has_public_keys() {
    let (home, client) = Home::with_client();
    let id = text(&client["client_id"]);
    home.json(&["api", "create", "orders", "--audience", "https://orders.example"]);
    let key = home.run(&["key", "export-public", "--api", "orders", "--format", "jwk"]).stdout;
    std::fs::write(home.path("key.jwk"), key).unwrap();
    let pem = home.run(&["key", "export-public"]).stdout;
    std::fs::write(home.path("key.pem"), pem).unwrap();

    let added = home.json(&["client", "key", "add", id, "--jwk-file", "key.jwk"]);
    assert_eq!((&added["kind"], &added["alg"]), (&json!("jwk"), &json!("ES256")));
    assert_eq!(home.refusal(&["client", "key", "add", id, "--jwk-file", "key.jwk"]).0, 7);
    let rsa = home.json(&["client", "key", "add", id, "--pem-file", "key.pem", "--alg", "PS256"]);
    assert_eq!(rsa["alg"], "PS256");
    assert_eq!(home.json(&["client", "key", "list", id]), json!([added, rsa]));

    assert_eq!(home.refusal(&["client", "key", "add", id]).0, 2);
    assert_eq!(home.refusal(&["client", "key", "add", id, "--pem-file", "a", "--jwk-file", "b"]).0, 2);
    let key = text(&added["key_id"]);
    assert_eq!(home.json(&["client", "key", "remove", id, key])["deleted"], true);
    assert_eq!(home.refusal(&["client", "key", "remove", id, key]).0, 6);
}

/// The present secret and the one before it, which callers use as they like.
struct Held {
    client: String,
    secrets: Mutex<[String; 2]>,
    over: AtomicBool,
    served: AtomicUsize,
}

impl Held {
    fn ask_until_over(&self, server: &Running) {
        while !self.over.load(Ordering::SeqCst) {
            let secrets = self.secrets.lock().unwrap().clone();
            for secret in &secrets {
                let answer = ask_token(server.address("public_url"), "/oauth2/token", &self.client, secret);
                assert_eq!(answer.status, 200, "a present or previous secret was refused: {answer:?}");
                self.served.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

#[test]
fn a_hundred_rolls_under_load_refuse_no_present_or_previous_secret() {
    const ROLLS: usize = 100;
    let (home, client) = Home::with_client();
    let run = |words: &[&str]| {
        let mut command = home.command(&[words, &["--json"]].concat());
        done(command.env("GATEPOST_CLIENTS__MAX_SECRETS", "100"), "").document()
    };
    let mut serve = home.command(&["serve", "--json"]);
    // What is refused here is refused more often than a guesser would be answered.
    serve.env("GATEPOST_LIMITS__FAILED_PER_CLIENT", "0").env("GATEPOST_LIMITS__FAILED_PER_ADDRESS", "0");
    let server = Running::start(serve.env("GATEPOST_CACHE__REFRESH", "20ms"));
    let id = text(&client["client_id"]).to_owned();
    let first = text(&client["client_secret"]).to_owned();
    let status = |secret: &str| ask_token(server.address("public_url"), "/oauth2/token", &id, secret).status;
    let held = Held {
        client: id.clone(),
        secrets: Mutex::new([first.clone(), first.clone()]),
        over: AtomicBool::new(false),
        served: AtomicUsize::new(0),
    };

    std::thread::scope(|threads| {
        threads.spawn(|| held.ask_until_over(&server));
        // The callers end with the test, however it ends.
        let _over = Over(&held.over);
        for round in 0..ROLLS {
            let rolled = run(&["secret", "roll", &id, "--overlap", "1h"]);
            let new = text(&rolled["client_secret"]).to_owned();
            until(A_SECOND, "the new secret is accepted", || status(&new) == 200);
            let mut secrets = held.secrets.lock().unwrap();
            *secrets = [new, secrets[0].clone()];
            drop(secrets);
            if round == 50 {
                let oldest = &ids(&home, &id)[..10];
                oldest.iter().for_each(|old| drop(run(&["secret", "end", &id, old, "--yes"])));
                until(A_SECOND, "an ended secret is refused", || status(&first) == 401);
            }
        }
    });
    assert!(held.served.load(Ordering::SeqCst) >= 2 * ROLLS, "{:?}", held.served);
    assert_eq!(server.stop().code, Some(0));
}

/// Tells the callers that it is over, when it goes.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
