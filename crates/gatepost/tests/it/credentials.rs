//! This file is where it is tried what proves an API or a client, and what is told before it is taken away.

use serde_json::{Value, json};

use crate::http::{ask, base64};
use crate::program::{Done, Home, Running};

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// What a command with these words says to a client that shows this secret.
fn issue(home: &Home, client: &str, secret: &str) -> Done {
    home.run_with(&["token", "issue", "--json", "--client", client], secret)
}

#[test]
fn a_secret_of_an_api_that_is_in_use_is_not_ended_without_a_yes() {
    let home = Home::ready();
    let [used, _] = [(), ()].map(|()| home.json(&["api", "secret", "add", "default"]));
    let api = home.json(&["api", "show", "default"]);
    let pair = format!("{}:{}", text(&api["api_id"]), text(&used["api_secret"]));
    let authorization = format!("Authorization: Basic {}", base64(pair.as_bytes()));
    let server = Running::serve(&home);
    let form = "Content-Type: application/x-www-form-urlencoded";
    let question =
        ask(server.address("public_url"), "POST /oauth2/introspect", &[&authorization, form], "token=x");
    assert_eq!(question.status, 200);

    let end = ["api", "secret", "end", "default", text(&used["secret_id"])];
    let (code, error) = home.refusal(&end);
    assert_eq!((code, text(&error["code"])), (7, "secret.used_lately"));
    let list = home.json(&["api", "secret", "list", "default"]);
    let listed = list.as_array().unwrap().iter().find(|one| one["secret_id"] == used["secret_id"]).unwrap();
    assert_eq!((&listed["uses"], &listed["last_address"]), (&json!(1), &json!("127.0.0.1")));
    assert!(listed["last_used"].is_string(), "{listed}");
    assert_eq!(home.json(&[&end[..], &["--yes"]].concat())["state"], "ended");
}

#[test]
fn a_client_that_proves_itself_by_keys_has_no_secret() {
    let home = Home::ready();
    home.json(&["partner", "create", "Acme Ltd"]);
    let create =
        ["client", "create", "--partner", "acme-ltd", "--name", "Export", "--auth-method", "private_key_jwt"];
    let done = home.run(&[&create[..], &["--json"]].concat());
    let client = done.document();
    let id = text(&client["client_id"]);
    assert!(client.get("client_secret").is_none(), "{client}");
    assert!(done.stderr.contains(&format!("gatepost client key add {id}")), "{done:?}");
    assert_eq!(home.json(&["secret", "list", id]), json!([]));
    for words in [["secret", "add", id], ["secret", "roll", id]] {
        let (code, error) = home.refusal(&words);
        assert_eq!((code, text(&error["code"])), (7, "secret.keys_only"));
    }
    home.json(&["client", "update", id, "--auth-method", "any"]);
    assert!(home.json(&["secret", "add", id])["client_secret"].is_string());
}

#[test]
fn a_client_that_is_pinned_to_keys_keeps_its_secrets_and_may_end_them() {
    let (home, client) = Home::with_client();
    let (id, secret) = (text(&client["client_id"]), text(&client["client_secret"]));
    let pinned = home.run(&["client", "update", id, "--auth-method", "private_key_jwt"]);
    assert!(pinned.stderr.contains("1 live secrets are refused"), "{pinned:?}");
    assert!(pinned.stderr.contains("can't authenticate"), "{pinned:?}");
    assert_ne!(issue(&home, id, secret).code, Some(0));

    home.json(&["client", "update", id, "--auth-method", "any"]);
    assert_eq!(issue(&home, id, secret).code, Some(0), "it was kept");
    home.json(&["client", "update", id, "--auth-method", "private_key_jwt"]);
    assert_eq!(
        home.json(&["secret", "end", id, text(&home.json(&["secret", "list", id])[0]["secret_id"]), "--yes"])
            ["state"],
        "ended"
    );
}
