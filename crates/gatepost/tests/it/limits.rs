//! This file is where clients are held to limits by the real program: set by commands, kept by servers, over a crash too.

use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{Answer, ask_token};
use crate::program::{Home, PATIENCE, Running, until};

const A_SECOND: Duration = Duration::from_secs(1);

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A client of an API whose tokens are made quickly.
fn with_orders() -> (Home, Value) {
    let home = Home::ready();
    home.json(&["api", "create", "orders", "--audience", "https://orders.example", "--alg", "EdDSA"]);
    home.json(&["partner", "create", "Acme Ltd"]);
    let create = ["client", "create", "--partner", "acme-ltd", "--name", "Export", "--api", "orders"];
    let client = home.json(&create);
    (home, client)
}

fn asked(server: &Running, client: &Value) -> Answer {
    let (id, secret) = (text(&client["client_id"]), text(&client["client_secret"]));
    ask_token(server.address("public_url"), "/oauth2/token", id, secret)
}

#[test]
fn limits_are_set_shown_and_cleared_one_by_one_or_all() {
    let (home, client) = with_orders();
    let id = text(&client["client_id"]);
    let none = json!({
        "client_id": id, "tokens": null, "per_day": null, "per_month": null, "replay_window": null,
        "used_today": 0, "used_this_month": 0,
        "in_force": [
            {"limit": "tokens", "value": null, "from": "none"},
            {"limit": "address", "value": null, "from": "none"},
            {"limit": "day", "value": null, "from": "none", "used": 0},
            {"limit": "month", "value": null, "from": "none", "used": 0},
            {"limit": "replay_window", "value": null, "from": "none"},
        ],
    });
    assert_eq!(home.json(&["limit", "show", id]), none);

    let set = home.json(&[
        "limit",
        "set",
        id,
        "--tokens",
        "100/minute",
        "--per-day",
        "10",
        "--replay-window",
        "5m",
    ]);
    assert_eq!(
        (&set["tokens"], &set["per_day"], &set["replay_window"]),
        (&json!("100/min"), &json!(10), &json!(300))
    );
    let more = home.json(&["limit", "set", id, "--per-month", "200"]);
    assert_eq!((&more["per_day"], &more["per_month"]), (&json!(10), &json!(200)));
    let less = home.json(&["limit", "clear", id, "--per-day", "--tokens"]);
    assert_eq!(
        (&less["tokens"], &less["per_day"], &less["per_month"]),
        (&json!(null), &json!(null), &json!(200))
    );
    assert_eq!(home.json(&["limit", "clear", id]), none);
}

#[test]
fn what_is_in_force_is_shown_with_where_it_comes_from() {
    let (home, client) = with_orders();
    let id = text(&client["client_id"]);
    home.json(&["limit", "set", id, "--per-day", "10", "--replay-window", "5m"]);
    let mut command = home.command(&["limit", "show", id]);
    let shown = crate::program::done(command.env("GATEPOST_LIMITS__TOKENS_PER_CLIENT", "100/min"), "");
    assert_eq!(
        shown.stdout,
        concat!(
            "tokens         100/min  setting  limits.tokens_per_client  -\n",
            "address        -        none     -                         -\n",
            "day            10       own      -                         0\n",
            "month          -        none     -                         0\n",
            "replay_window  300      own      -                         -\n",
        )
    );
}

#[test]
fn what_is_no_limit_and_whom_nobody_knows_end_with_their_exit_codes() {
    let (home, client) = with_orders();
    let id = text(&client["client_id"]);
    for words in [
        vec!["limit", "set", id],
        vec!["limit", "set", id, "--tokens", "often"],
        vec!["limit", "set", id, "--per-day", "0"],
        vec!["limit", "set", id, "--per-month", "-1"],
        vec!["limit", "set", id, "--replay-window", "2h"],
        vec!["limit", "set", id, "--replay-window", "0"],
    ] {
        assert_eq!(home.refusal(&words).0, 2, "{words:?}");
    }
    for verb in ["show", "clear"] {
        assert_eq!(home.refusal(&["limit", verb, "nobody"]).0, 6);
    }
    assert_eq!(home.refusal(&["limit", "set", "nobody", "--per-day", "1"]).0, 6);
}

#[test]
fn a_refused_limit_or_schedule_says_what_would_do() {
    let (home, client) = with_orders();
    let id = text(&client["client_id"]);
    for number in ["0", "1000000000000000", "9223372036854775807"] {
        let (_, error) = home.refusal(&["limit", "set", id, "--per-day", number]);
        assert!(text(&error["what"]).contains("from 1 to 999999999999999"), "{error}");
    }
    for words in [
        vec!["limit", "set", id, "--tokens", "100/fortnight"],
        vec!["api", "update", "default", "--rotate-every", "1h"],
    ] {
        let (_, error) = home.refusal(&words);
        assert!(text(&error["why"]).len() > "it breaks a rule".len(), "{error}");
    }
}

#[test]
fn a_running_server_takes_up_new_limits_within_a_second() {
    let (home, client) = with_orders();
    let id = text(&client["client_id"]);
    let server = Running::serve(&home);
    assert_eq!(asked(&server, &client).status, 200);
    home.json(&["limit", "set", id, "--tokens", "1/h"]);
    until(A_SECOND, "the client is held back", || asked(&server, &client).status == 429);
    let answer = asked(&server, &client);
    assert!(answer.head.contains("retry-after: "), "{answer:?}");
    home.json(&["limit", "clear", id]);
    until(A_SECOND, "the client is served", || asked(&server, &client).status == 200);
}

#[test]
fn a_quota_that_is_used_up_ends_a_command_with_9() {
    let (home, client) = with_orders();
    let id = text(&client["client_id"]);
    home.json(&["limit", "set", id, "--per-month", "1"]);
    let issue =
        || home.run_with(&["token", "issue", "--json", "--client", id], text(&client["client_secret"]));
    assert_eq!(issue().code, Some(0));
    let (code, error) = issue().refusal();
    assert_eq!((code, text(&error["code"])), (9, "slow_down"));
    assert!(text(&error["fix"]).starts_with("wait "), "{error}");
    assert_eq!(home.json(&["limit", "show", id])["used_this_month"], 1);
}

#[test]
fn a_crash_grants_again_at_most_what_was_granted_in_its_last_second() {
    let (home, client) = with_orders();
    let id = text(&client["client_id"]);
    home.json(&["limit", "set", id, "--per-month", "20"]);
    let server = Running::serve(&home);
    let granted = |server: &Running| (0..40).filter(|_| asked(server, &client).status == 200).count();
    (0..8).for_each(|_| assert_eq!(asked(&server, &client).status, 200));
    // Written within the second, whoever asks.
    until(A_SECOND, "eight tokens are written down", || {
        home.json(&["limit", "show", id])["used_this_month"] == 8
    });
    (0..4).for_each(|_| assert_eq!(asked(&server, &client).status, 200));
    server.signal("KILL");
    drop(server.ended());

    let server = Running::serve(&home);
    let after = granted(&server);
    assert!((8..=12).contains(&after), "{after} after eight that were written and four that may be");
    assert_eq!(server.stop().code, Some(0));
    let server = Running::serve(&home);
    assert_eq!(granted(&server), 0, "a stop forgets nothing");
}

#[test]
fn a_client_that_hoards_is_told_so_in_its_usage_and_once_in_the_log() {
    let (home, client) = with_orders();
    let id = text(&client["client_id"]);
    let mut command = home.command(&["serve", "--json"]);
    let server = Running::start(command.env("GATEPOST_LIMITS__HOARDING", "5"));
    for _ in 0..9 {
        assert_eq!(asked(&server, &client).status, 200);
    }
    let shown = || {
        let mut command = home.command(&["usage", "show", id, "--json"]);
        crate::program::done(command.env("GATEPOST_LIMITS__HOARDING", "5"), "")
    };
    let told = "9 tokens in the last hour, each valid 3600 s: one would do";
    until(PATIENCE, "the usage tells", || shown().stdout.contains(told));
    assert!(shown().stderr.contains(told));
    let log = server.stop().stderr;
    assert_eq!(log.matches("one would do").count(), 1, "{log}");
    assert!(log.contains(id));
}
