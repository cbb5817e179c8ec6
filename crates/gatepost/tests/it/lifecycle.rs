//! This file is where the real program moves keys on in their lives and revokes tokens, alone and under load.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{Answer, ask, ask_token, base64};
use crate::program::{Home, Running, until};

const A_SECOND: Duration = Duration::from_secs(1);

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn token_of(home: &Home, client: &Value) -> String {
    let words = ["token", "issue", "--json", "--client", text(&client["client_id"])];
    let issued = home.run_with(&words, text(&client["client_secret"])).document();
    text(&issued["access_token"]).to_owned()
}

/// Exit code and word of `token verify`.
fn verdict(home: &Home, token: &str) -> (i32, String) {
    let done = home.run_with(&["token", "verify", "--json"], token);
    if done.code == Some(0) {
        return (0, "valid".to_owned());
    }
    let (code, error) = done.refusal();
    (code, text(&error["code"]).to_owned())
}

fn states(home: &Home, api: &str) -> Vec<String> {
    let list = home.json(&["key", "list", "--api", api]);
    list.as_array().unwrap().iter().map(|key| text(&key["state"]).to_owned()).collect()
}

/// A client of the API `orders`, whose tokens name their key.
fn with_orders() -> (Home, Value) {
    let home = Home::ready();
    home.json(&["api", "create", "orders", "--audience", "https://orders.example"]);
    home.json(&["partner", "create", "Acme Ltd"]);
    let client =
        home.json(&["client", "create", "--partner", "acme-ltd", "--name", "Export", "--api", "orders"]);
    (home, client)
}

#[test]
fn a_rehearsal_says_what_would_happen_and_changes_nothing() {
    let home = Home::ready();
    let plan = home.json(&["key", "rotate", "--dry-run"]);
    assert_eq!((&plan["api"], &plan["next"]), (&json!("default"), &Value::Null));
    assert_eq!(plan["swaps_by_itself"], false, "tokens of the API name no key");
    for member in ["signing", "published", "signs_from", "verifies_until"] {
        assert!(plan[member].is_string(), "{plan}");
    }
    assert_eq!(states(&home, "default"), ["signing"]);
}

#[test]
fn a_key_is_published_signs_verifies_and_retires() {
    let (home, client) = with_orders();
    let old = token_of(&home, &client);
    let plan = home.json(&["key", "rotate", "--api", "orders"]);
    assert_eq!(states(&home, "orders"), ["signing", "published"]);
    let (code, error) = home.refusal(&["key", "rotate", "--api", "orders"]);
    assert_eq!((code, text(&error["code"])), (7, "key.already_published"));
    let (code, error) = home.refusal(&["key", "promote", "--api", "orders"]);
    assert_eq!((code, text(&error["code"])), (7, "key.too_early"));

    let promoted = home.json(&["key", "promote", "--api", "orders", "--now"]);
    assert_eq!((&promoted["kid"], &promoted["state"]), (&plan["next"], &json!("signing")));
    assert_eq!(states(&home, "orders"), ["verifying", "signing"]);
    let new = token_of(&home, &client);
    assert_eq!([verdict(&home, &old).0, verdict(&home, &new).0], [0, 0]);

    let kid = text(&plan["signing"]);
    assert_eq!(home.refusal(&["key", "retire", kid]).0, 7);
    assert_eq!(home.json(&["key", "retire", kid, "--now"])["state"], "retired");
    assert_eq!(verdict(&home, &old), (8, "kid_unknown".to_owned()));
    assert_eq!(verdict(&home, &new).0, 0);
    assert_eq!(home.refusal(&["key", "promote", "--api", "orders"]).0, 6);
}

#[test]
fn a_revoked_key_takes_its_tokens_with_it_and_the_damage_is_named_before() {
    let (home, client) = with_orders();
    let old = token_of(&home, &client);
    let kid = text(&home.json(&["key", "list", "--api", "orders"])[0]["kid"]).to_owned();

    let done = home.run(&["key", "revoke", &kid[..12], "--json"]);
    let revoked = done.document();
    assert!(done.stderr.contains("ends up to 1 live token of 1 client."), "{done:?}");
    let radius = ["kid", "api", "live_tokens_at_most", "clients"].map(|member| revoked[member].clone());
    assert_eq!(radius, [json!(kid), json!("orders"), json!(1), json!(1)]);
    assert_eq!((&revoked["state"], &revoked["alg"]), (&json!("revoked"), &json!("ES256")));
    assert!(revoked["signs_from"].is_string(), "{revoked}");

    assert_eq!(states(&home, "orders"), ["revoked", "signing"]);
    assert_eq!(verdict(&home, &old).0, 8);
    assert_eq!(verdict(&home, &token_of(&home, &client)).0, 0);
    let listed = home.json(&["key", "list", "--all"]);
    let service = listed.as_array().unwrap().iter().find(|key| key["api"] == "service").unwrap();
    for (kid, code) in [(kid.as_str(), "key.revoked"), (text(&service["kid"]), "key.service")] {
        let refused = home.run(&["key", "revoke", kid, "--json"]);
        assert_eq!((refused.refusal().0, text(&refused.refusal().1["code"])), (7, code));
        assert!(!refused.stderr.contains("Revoking"), "no damage is announced: {refused:?}");
    }
    assert_eq!(home.refusal(&["key", "revoke", "no-such-key"]).0, 6);
}

#[test]
fn a_key_from_elsewhere_is_published_and_belongs_to_one_api() {
    let home = Home::ready();
    let pem = include_str!("../../../gatepost-guard/tests/data/rsa.pem");
    let imported = home.run_with(&["key", "import", "--json"], pem).document();
    assert_eq!(imported["state"], "published");
    assert_eq!(home.json(&["key", "promote", "--now"])["kid"], imported["kid"]);

    let create = ["api", "create", "other", "--audience", "https://other.example", "--profile", "passport"];
    home.json(&create);
    std::fs::write(home.path("key.pem"), pem).unwrap();
    for (api, code) in [("other", "key.held_elsewhere"), ("default", "key.held")] {
        let (exit, error) = home.refusal(&["key", "import", "--api", api, "--pem-file", "key.pem"]);
        assert_eq!((exit, text(&error["code"])), (7, code));
        assert!(text(&error["what"]).contains(text(&imported["kid"])), "{error}");
        assert!(text(&error["fix"]).contains(&format!("gatepost key rotate --api {api}")), "{error}");
    }
    let nonsense = home.run_with(&["key", "import", "--api", "other", "--json"], "-----BEGIN NONSENSE-----");
    assert_eq!(nonsense.refusal().0, 2);
}

#[test]
fn keys_move_to_a_new_wrapping_key_and_do_without_the_old_one() {
    let (home, client) = Home::with_client();
    assert_eq!(home.json(&["key", "rewrap"])["rewrapped"], 0);
    let file = home.data().join("master.key");
    let old = std::fs::read_to_string(&file).unwrap();
    let wrapping = &old[old.find("[[wrapping]]").unwrap()..old.find("[[pepper]]").unwrap()];
    assert_eq!(home.json(&["key", "rewrap", "--new"])["rewrapped"], 2, "the API's and the server's own");

    assert_eq!(home.json(&["key", "rewrap"])["rewrapped"], 0);
    let new = std::fs::read_to_string(&file).unwrap();
    assert!(new.contains(wrapping), "the old one stays until somebody takes it out");
    std::fs::write(&file, new.replace(wrapping, "")).unwrap();
    assert_eq!(verdict(&home, &token_of(&home, &client)).0, 0);
    std::fs::write(&file, old).unwrap();
    assert_eq!(home.refusal(&["key", "list"]).0, 3, "the old one alone opens nothing any more");
}

#[test]
fn a_running_server_opens_what_is_sealed_under_a_new_wrapping_key() {
    let home = Home::ready();
    home.json(&["api", "create", "orders", "--audience", "https://orders.example"]);
    let server = Running::serve(&home);
    assert_eq!(home.json(&["key", "rewrap", "--new"])["rewrapped"], 3);
    let next = text(&home.json(&["key", "rotate", "--api", "orders"])["next"]).to_owned();
    until(A_SECOND, "the key is in the key set", || key_set(&server).contains(&next));
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn a_running_server_obeys_the_schedule_of_an_api_within_a_second() {
    let home = Home::ready();
    home.json(&[
        "api",
        "create",
        "orders",
        "--audience",
        "https://orders.example",
        "--rotate-every",
        "never",
    ]);
    let server = Running::serve(&home);
    assert_eq!(home.json(&["api", "show", "orders"])["rotate_every"], "never");
    assert!(home.json(&["key", "list", "--api", "orders"])[0]["next_turn"].is_null());
    assert_eq!(home.refusal(&["api", "update", "orders", "--rotate-every", "1h"]).0, 2, "keys.publish_ahead");

    assert_eq!(home.json(&["api", "update", "orders", "--rotate-every", "24h"])["rotate_every"], "1d");
    until(A_SECOND, "the next key is published", || key_set(&server).len() == 2);
    let keys = home.json(&["key", "list", "--api", "orders"]);
    assert_eq!(keys[0]["next_turn"], keys[1]["signs_from"]);
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn a_revoked_token_is_refused_and_others_are_not() {
    let (home, client) = Home::with_client();
    let [first, second] = [token_of(&home, &client), token_of(&home, &client)];
    let revoke = |input: &str| home.run_with(&["token", "revoke", "--json"], input);

    let revoked = revoke(&first).document();
    assert_eq!((&revoked["revoked"], &revoked["api"]), (&json!("token"), &json!("default")));
    assert!(revoked["jti"].is_string() && revoked["client_id"] == client["client_id"], "{revoked}");
    assert_eq!(verdict(&home, &first), (8, "revoked".to_owned()));
    assert_eq!(verdict(&home, &second).0, 0);
    assert_eq!(revoke(&first).code, Some(0), "to revoke twice does no harm");
    assert_eq!(revoke("nonsense").refusal().0, 8);
}

#[test]
fn all_tokens_of_a_client_or_partner_are_ended_and_new_ones_are_not() {
    let (home, client) = Home::with_client();
    let id = text(&client["client_id"]);
    for target in [["--client", id], ["--partner", "acme-ltd"]] {
        let before = token_of(&home, &client);
        home.json(&["token", "revoke", target[0], target[1]]);
        assert_eq!(verdict(&home, &before), (8, "revoked".to_owned()));
        assert_eq!(verdict(&home, &token_of(&home, &client)).0, 0);
    }
    assert_eq!(home.refusal(&["token", "revoke", "--client", "nobody"]).0, 6);
    assert_eq!(home.refusal(&["token", "revoke", "--client", id, "--partner", "acme-ltd"]).0, 2);
}

#[test]
fn suspending_ends_live_tokens_and_resuming_revives_none() {
    let (home, client) = Home::with_client();
    let id = text(&client["client_id"]);
    let token = token_of(&home, &client);
    home.json(&["client", "suspend", id]);
    assert_eq!(verdict(&home, &token), (8, "revoked".to_owned()));
    home.json(&["client", "resume", id]);
    assert_eq!(verdict(&home, &token), (8, "revoked".to_owned()));
}

/// What the running server says of a token to the API that it is for.
struct Introspection<'a> {
    server: &'a Running,
    authorization: String,
}

impl<'a> Introspection<'a> {
    fn of(home: &Home, server: &'a Running, api: &str) -> Self {
        let secret = home.json(&["api", "secret", "add", api]);
        let id = home.json(&["api", "show", api]);
        let pair = format!("{}:{}", text(&id["api_id"]), text(&secret["api_secret"]));
        Self { server, authorization: format!("Authorization: Basic {}", base64(pair.as_bytes())) }
    }

    fn ask(&self, token: &str) -> Answer {
        let form = "Content-Type: application/x-www-form-urlencoded";
        let body = format!("token={token}");
        ask(self.server.address("public_url"), "POST /oauth2/introspect", &[&self.authorization, form], &body)
    }

    fn is_active(&self, token: &str) -> bool {
        let answer = self.ask(token);
        answer.status == 200 && answer.json()["active"] == true
    }
}

#[test]
fn a_running_server_refuses_what_is_revoked_within_a_second_and_after_a_restart() {
    let (home, client) = Home::with_client();
    let server = Running::serve(&home);
    let introspection = Introspection::of(&home, &server, "default");
    let [revoked, suspended] = [token_of(&home, &client), token_of(&home, &client)];
    until(A_SECOND, "the token is active for the API", || introspection.is_active(&revoked));

    assert_eq!(home.run_with(&["token", "revoke"], &revoked).code, Some(0));
    until(A_SECOND, "the revoked token is not active", || !introspection.is_active(&revoked));
    assert!(introspection.is_active(&suspended));
    home.json(&["client", "suspend", text(&client["client_id"])]);
    until(A_SECOND, "the suspended client's token is not active", || !introspection.is_active(&suspended));

    assert_eq!(server.stop().code, Some(0));
    home.json(&["client", "resume", text(&client["client_id"])]);
    let server = Running::serve(&home);
    let introspection = Introspection::of(&home, &server, "default");
    let new = token_of(&home, &client);
    until(A_SECOND, "a new token is active", || introspection.is_active(&new));
    assert!(!introspection.is_active(&revoked) && !introspection.is_active(&suspended));
}

#[test]
fn what_clients_did_is_counted_by_the_hour_whoever_asked() {
    let (home, client) = Home::with_client();
    let (id, secret) = (text(&client["client_id"]), text(&client["client_secret"]));
    token_of(&home, &client);
    let server = Running::serve(&home);
    for _ in 0..3 {
        assert_eq!(ask_token(server.address("public_url"), "/oauth2/token", id, secret).status, 200);
    }
    assert_eq!(server.stop().code, Some(0));

    // The hour may have changed on the way.
    let hours = home.json(&["usage", "show", id, "--hours", "2"]);
    let issued: u64 = hours.as_array().unwrap().iter().map(|hour| hour["issued"].as_u64().unwrap()).sum();
    assert_eq!(issued, 4, "what was counted last is written down at the end: {hours}");
    let top = home.json(&["usage", "top", "--hours", "2", "--limit", "1"]);
    assert_eq!((&top[0]["client_id"], &top[0]["issued"]), (&json!(id), &json!(4)));
    assert_eq!(home.refusal(&["usage", "show", "nobody"]).0, 6);
    assert_eq!(home.refusal(&["usage", "top", "--hours", "0"]).0, 2);
}

#[test]
fn whoever_leaves_last_leaves_no_journal_of_sqlite_behind() {
    let home = Home::ready();
    let journal = || home.data().join("gatepost.db-wal").exists();
    assert!(!journal(), "after init");
    home.json(&["partner", "create", "Acme Ltd"]);
    assert!(!journal(), "after a command");
    assert_eq!(Running::serve(&home).stop().code, Some(0));
    assert!(!journal(), "after a server");
}

/// The keys that were seen in the key set, and the tokens that were got meanwhile.
#[derive(Default)]
struct Seen {
    published: Mutex<BTreeSet<String>>,
    tokens: Mutex<Vec<String>>,
    over: AtomicBool,
}

impl Seen {
    fn ask_until_over(&self, server: &Running, client: &Value) {
        let (id, secret) = (text(&client["client_id"]), text(&client["client_secret"]));
        while !self.over.load(Ordering::SeqCst) {
            let answer = ask_token(server.address("public_url"), "/oauth2/token", id, secret);
            assert_eq!(answer.status, 200, "{answer:?}");
            let token = text(&answer.json()["access_token"]).to_owned();
            let kid = kid_of(&token);
            assert!(self.published.lock().unwrap().contains(&kid), "signed by an unpublished key: {kid}");
            self.tokens.lock().unwrap().push(token);
        }
    }

    /// One token for each key, the first that it signed.
    fn one_of_each_key(&self) -> Vec<String> {
        let mut keys = BTreeSet::new();
        let tokens = self.tokens.lock().unwrap();
        tokens.iter().filter(|token| keys.insert(kid_of(token))).cloned().collect()
    }
}

fn kid_of(token: &str) -> String {
    let header = gatepost_operations::jose::base64url::decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    text(&header["kid"]).to_owned()
}

fn key_set(server: &Running) -> Vec<String> {
    let answer = ask(server.address("public_url"), "GET /.well-known/jwks/orders.json", &[], "").json();
    answer["keys"].as_array().unwrap().iter().map(|key| text(&key["kid"]).to_owned()).collect()
}

#[test]
fn twenty_rotations_under_load_sign_nothing_with_an_unpublished_key_and_refuse_no_token() {
    const ROTATIONS: usize = 20;
    let (home, client) = with_orders();
    let mut serve = home.command(&["serve", "--json"]);
    let server = Running::start(serve.env("GATEPOST_CACHE__REFRESH", "20ms"));
    let seen = Seen::default();
    seen.published.lock().unwrap().extend(key_set(&server));

    std::thread::scope(|threads| {
        threads.spawn(|| seen.ask_until_over(&server, &client));
        let _over = Over(&seen.over);
        for _ in 0..ROTATIONS {
            let next = text(&home.json(&["key", "rotate", "--api", "orders"])["next"]).to_owned();
            until(A_SECOND, "the next key is published", || key_set(&server).contains(&next));
            seen.published.lock().unwrap().insert(next.clone());
            home.json(&["key", "promote", "--api", "orders", "--now"]);
            let signs = || seen.tokens.lock().unwrap().last().is_some_and(|token| kid_of(token) == next);
            until(A_SECOND, "the next key signs", signs);
        }
    });
    let one_of_each = seen.one_of_each_key();
    assert_eq!(one_of_each.len(), ROTATIONS + 1);
    let introspection = Introspection::of(&home, &server, "orders");
    until(A_SECOND, "the API's secret is known", || introspection.ask("x").status == 200);
    for token in &one_of_each {
        assert!(introspection.is_active(token), "a valid token was refused: {token}");
    }
}

/// Tells the callers that it is over, when it goes.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
