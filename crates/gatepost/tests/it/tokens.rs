//! This file is where tokens are got, looked into and verified at the command line.

use serde_json::{Value, json};

use crate::program::Home;

/// A token of this client, by its first secret.
fn issue(home: &Home, client: &Value, more: &[&str]) -> Value {
    let words =
        [&["token", "issue", "--json", "--client", client["client_id"].as_str().unwrap()], more].concat();
    home.run_with(&words, client["client_secret"].as_str().unwrap()).document()
}

fn verify(home: &Home, token: &str) -> (Option<i32>, Value) {
    let done = home.run_with(&["token", "verify", "--json"], token);
    (done.code, serde_json::from_str(&done.stdout).unwrap())
}

#[test]
fn a_token_is_the_standard_doors_answer_and_verifies() {
    let (home, client) = Home::with_client();
    let answer = issue(&home, &client, &[]);
    let members: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members,
        ["token_type", "expires_in", "access_token", "scope"],
        "no scope was asked for, two were granted"
    );
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(3_600)));

    let (code, valid) = verify(&home, answer["access_token"].as_str().unwrap());
    assert_eq!((code, &valid["valid"], &valid["api"]), (Some(0), &json!(true), &json!("default")));
    assert_eq!(valid["client_id"], client["client_id"]);
    assert_eq!(valid["claims"]["scopes"], json!(["films:read", "films:write"]));
}

#[test]
fn a_token_for_a_resource_has_the_profile_of_its_api() {
    let (home, _) = Home::with_client();
    home.json(&["api", "create", "orders", "--audience", "https://orders.example"]);
    home.json(&["scope", "create", "--api", "orders", "orders:read"]);
    let create =
        ["client", "create", "--partner", "acme-ltd", "--name", "Two", "--api", "default", "--api", "orders"];
    let client = home.json(&[&create[..], &["--scope", "orders:read"]].concat());

    let answer = issue(&home, &client, &["--resource", "https://orders.example", "--scope", "orders:read"]);
    let token = answer["access_token"].as_str().unwrap();
    let (code, valid) = verify(&home, token);
    assert_eq!(
        (code, &valid["api"], &valid["claims"]["aud"]),
        (Some(0), &json!("orders"), &json!("https://orders.example"))
    );
    let other = home.run_with(&["token", "verify", "--json", "--api", "default"], token);
    assert_eq!(other.refusal().0, 8, "it is not for that API");
}

#[test]
fn a_token_that_was_changed_is_refused_with_exit_code_8() {
    let (home, client) = Home::with_client();
    let answer = issue(&home, &client, &["--scope", "films:read"]);
    let token = answer["access_token"].as_str().unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let changed = format!("{signed}.{}", signature.chars().rev().collect::<String>());

    for forged in [changed.as_str(), signed, "nonsense"] {
        let done = home.run_with(&["token", "verify", "--json"], forged);
        assert_eq!(done.refusal().0, 8, "{forged}");
    }
    let done = home.run_with(&["token", "verify", "--json"], "");
    assert_eq!(done.refusal().0, 2, "no token is no check");
}

#[test]
fn an_expired_token_says_so() {
    let (home, _) = Home::with_client();
    let create = ["client", "create", "--partner", "acme-ltd", "--name", "Short", "--lifetime", "1s"];
    let client = home.json(&create);
    let token = issue(&home, &client, &[]);
    let token = token["access_token"].as_str().unwrap();

    crate::program::until(crate::program::PATIENCE, "refused as expired", || {
        let mut command = home.command(&["token", "verify", "--json"]);
        let done = crate::program::done(command.env("GATEPOST_TOKENS__LEEWAY", "0s"), token);
        done.code == Some(8) && done.refusal().1["code"] == "expired"
    });
}

#[test]
fn what_a_token_says_is_printed_and_marked_as_not_verified() {
    let (home, client) = Home::with_client();
    let answer = issue(&home, &client, &[]);
    let token = answer["access_token"].as_str().unwrap();

    let inside = home.run_with(&["token", "inspect", "--json"], &format!("Bearer {token}\n")).document();
    assert_eq!((&inside["verified"], &inside["header"]["alg"]), (&json!(false), &json!("RS256")));
    assert_eq!(inside["claims"]["aud"], client["client_id"]);
    assert!(inside["dates"]["exp"].as_str().unwrap().ends_with('Z'));
    let told = home.run_with(&["token", "inspect"], token);
    assert!(told.stdout.contains("(in 59 min") && told.stderr.contains("Not verified"), "{told:?}");
    assert_eq!(home.run_with(&["token", "inspect", "--json"], "nonsense").refusal().0, 2);
}

#[test]
fn a_client_that_may_not_gets_no_token_and_the_operator_the_reason() {
    let (home, client) = Home::with_client();
    let id = client["client_id"].as_str().unwrap();
    let secret = client["client_secret"].as_str().unwrap();
    let refusal = |more: &[&str], input: &str| {
        let words = [&["token", "issue", "--json", "--client", id], more].concat();
        let (code, error) = home.run_with(&words, input).refusal();
        (code, error["why"].as_str().unwrap().to_owned())
    };

    assert_eq!(refusal(&[], "gp_live_wrong").0, 5);
    assert_eq!(refusal(&["--scope", "films:delete"], secret).0, 5);
    assert_eq!(refusal(&["--resource", "https://other.example"], secret).0, 5);
    home.json(&["client", "suspend", id]);
    assert_eq!(refusal(&[], secret), (5, "the client is suspended".to_owned()));
    let unknown = home.run_with(&["token", "issue", "--json", "--client", "nobody"], secret);
    assert_eq!(unknown.refusal().0, 6);
}

#[test]
fn secret_and_token_are_read_from_files_too() {
    let (home, client) = Home::with_client();
    std::fs::write(home.path("secret"), format!("{}\n", client["client_secret"].as_str().unwrap())).unwrap();
    let id = client["client_id"].as_str().unwrap();
    let issued = home.run(&["token", "issue", "--client", id, "--secret-file", "secret"]);
    assert_eq!(issued.code, Some(0), "{issued:?}");
    std::fs::write(home.path("token"), issued.stdout).unwrap();

    assert_eq!(home.json(&["token", "verify", "--token-file", "token"])["valid"], true);
    assert_eq!(home.refusal(&["token", "verify", "--token-file", "nowhere"]).0, 2);
}
