//! This file is where section E is: methods, paths, and a store that is away.

use serde_json::json;

use super::{granted, refusal_headers};
use crate::asking::{Ask, DOORS, ORIGIN, STANDARD_DOOR, credentials, form_of};
use crate::cast::{C, INTEGER, S};
use crate::harness::{START, TestServer};

#[tokio::test]
async fn m01_other_methods_are_405_in_the_words_of_laravel() {
    let server = TestServer::start().await;
    for door in DOORS {
        for method in ["GET", "PUT", "DELETE", "PATCH", "HEAD", "PROPFIND"] {
            let reply = server.send(Ask::new(method, door).header("accept", "text/html")).await;
            assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")), "{method} {door}");
            refusal_headers(&reply);
            if method == "HEAD" {
                assert!(reply.body.is_empty());
                continue;
            }
            let text =
                format!("The {method} method is not supported for this route. Supported methods: POST.");
            let body = reply.json();
            if door == ORIGIN {
                let laravel =
                    json!({ "message": text, "error": "invalid_request", "error_description": text });
                assert_eq!(body, laravel);
                continue;
            }
            let members: Vec<_> = body.as_object().unwrap().keys().collect();
            assert_eq!(members, ["error", "error_description", "error_uri"]);
            assert_eq!(body["error_description"], text);
        }
    }
}

#[tokio::test]
async fn m02_credentials_in_a_query_are_not_read() {
    let server = TestServer::start().await;
    for door in DOORS {
        let query = form_of(&credentials(C, S));
        let reply = server.send(Ask::read(&format!("{door}?{query}"))).await;
        assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
        assert!(!reply.text().contains(S));
    }
}

#[tokio::test]
async fn m03_options_says_what_the_address_takes_and_allows_no_other_origin() {
    let server = TestServer::start().await;
    for door in DOORS {
        let ask = Ask::new("OPTIONS", door)
            .header("origin", "https://x")
            .header("access-control-request-method", "POST");
        let reply = server.send(ask).await;
        assert_eq!((reply.status, reply.header("allow")), (204, Some("POST")));
        assert!(reply.body.is_empty());
        assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
    }
}

#[tokio::test]
async fn m04_an_unknown_path_is_404_in_json() {
    let server = TestServer::start().await;
    for path in ["/api/oauth/nope", "/", "/api/oauth", "/oauth2/token/x", "/oauth2/Token", "/API/oauth/token"]
    {
        for method in ["GET", "POST"] {
            let reply = server.send(Ask::new(method, path)).await;
            assert_eq!((reply.status, &reply.json()["message"]), (404, &json!("")), "{path}");
            refusal_headers(&reply);
        }
    }
}

#[tokio::test]
async fn m05_a_method_override_is_ignored() {
    let server = TestServer::start().await;
    for method in ["DELETE", "GET"] {
        let ask = Ask::post(ORIGIN).header("x-http-method-override", method).json(&credentials(C, S));
        granted(&server.send(ask).await);
    }
    let form = format!("{}&_method=DELETE", form_of(&credentials(C, S)));
    granted(&server.send(Ask::post(ORIGIN).form(&form)).await);
    let tunnelled = Ask::read(ORIGIN).header("x-http-method-override", "POST").json(&credentials(C, S));
    assert_eq!(server.send(tunnelled).await.status, 405);
}

#[tokio::test]
async fn m06_allowed_answers_tell_the_rate_and_what_is_left_of_it_as_laravel_does() {
    let server = TestServer::with(&[("limits.tokens_per_address", "60/min")]).await;
    server.clock.stop_at(START);
    for remaining in ["59", "58"] {
        let reply = server.send(Ask::post(ORIGIN).json(&credentials(C, S))).await;
        granted(&reply);
        assert_eq!(reply.header("x-ratelimit-limit"), Some("60"));
        assert_eq!(reply.header("x-ratelimit-remaining"), Some(remaining));
        assert_eq!((reply.header("x-ratelimit-reset"), reply.header("retry-after")), (None, None));
    }
    let reply = server.send(Ask::post(ORIGIN).json(&credentials(INTEGER, S))).await;
    assert_eq!(reply.header("x-ratelimit-remaining"), Some("57"), "clients behind one address share it");
}

#[tokio::test]
async fn m07_over_the_limit_the_answer_is_that_of_laravel_with_an_error_member() {
    for (style, first) in [("passport12", C), ("passport13", INTEGER)] {
        let settings = [("limits.tokens_per_client", "1/min"), ("origin.error_style", style)];
        let server = TestServer::with(&settings).await;
        server.clock.stop_at(START);
        granted(&server.send(Ask::post(ORIGIN).json(&credentials(first, S))).await);
        let reply = server.send(Ask::post(ORIGIN).json(&credentials(first, S))).await;

        let text = r#"{"error":"slow_down","error_description":"Too Many Attempts.","message":"Too Many Attempts."}"#;
        assert_eq!((reply.status, reply.text()), (429, text), "{style}");
        let reset = (START / 1_000_000 + 60).to_string();
        let headers = ["retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];
        let told = headers.map(|name| reply.header(name).unwrap_or_default().to_owned());
        assert_eq!(told, ["60", "1", "0", reset.as_str()]);
        refusal_headers(&reply);
    }
}

#[tokio::test]
async fn m08_without_the_store_warm_clients_are_served_and_others_told_to_come_back() {
    let server = TestServer::start().await;
    let ask = |door, id| Ask::post(door).form(&form_of(&credentials(id, S)));
    granted(&server.send(ask(ORIGIN, C)).await);
    server.gate.close().await;

    granted(&server.send(ask(ORIGIN, C)).await);
    for door in [ORIGIN, STANDARD_DOOR] {
        let reply = server.send(ask(door, INTEGER)).await;
        assert_eq!(reply.outcome(), (503, "temporarily_unavailable".to_owned()));
        assert_eq!(reply.header("retry-after"), Some("1"));
        refusal_headers(&reply);
        let folder = server.gate.config.data.display().to_string();
        assert!(
            !reply.text().contains(&folder) && !reply.text().to_lowercase().contains("sql"),
            "{}",
            reply.text()
        );
    }
}

#[tokio::test]
async fn m08_when_more_signatures_wait_than_may_some_are_told_to_come_back_and_none_breaks() {
    let server = TestServer::with(&[("signing.threads", "1"), ("signing.queue", "2")]).await;
    for door in DOORS {
        let ask = Ask::post(door).json(&credentials(C, S));
        let replies = futures_util::future::join_all((0..200).map(|_| server.send(ask.clone()))).await;

        let (served, overloaded): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
        assert!(!served.is_empty() && !overloaded.is_empty(), "{} served", served.len());
        for reply in overloaded {
            assert_eq!(reply.outcome(), (503, "temporarily_unavailable".to_owned()));
            assert_eq!(reply.header("retry-after"), Some("1"));
            refusal_headers(reply);
        }
        assert_eq!(server.send(ask).await.status, 200, "it goes on");
    }
}

#[tokio::test]
async fn the_origin_door_stands_where_it_is_configured() {
    let server = TestServer::with(&[("origin.path", "/oauth/token")]).await;
    granted(&server.send(Ask::post("/oauth/token").json(&credentials(C, S))).await);
    granted(&server.send(Ask::post("/oauth/token/").json(&credentials(C, S))).await);
    assert_eq!(server.send(Ask::post(ORIGIN).json(&credentials(C, S))).await.status, 404);
    let page = server.send(Ask::read("/docs")).await;
    assert!(page.text().contains("https://auth.example/oauth/token") && !page.text().contains(ORIGIN));
}

#[tokio::test]
async fn who_finds_no_place_before_the_signing_threads_is_told_so_at_both_doors() {
    let settings = [("signing.threads", "1"), ("signing.queue", "2"), ("signing.per_client", "1")];
    let server = TestServer::with(&settings).await;
    for door in DOORS {
        let asks = (0..50).map(|_| server.send(Ask::post(door).json(&credentials(C, S))));
        let replies = futures_util::future::join_all(asks).await;
        let shed: Vec<_> = replies.iter().filter(|reply| reply.status != 200).collect();
        assert!(!shed.is_empty() && shed.len() < 50, "{} of 50 were shed", shed.len());
        for reply in shed {
            assert_eq!(reply.outcome(), (503, "temporarily_unavailable".to_owned()), "{door}");
            assert_eq!(reply.header("retry-after"), Some("1"), "{door}");
            refusal_headers(reply);
        }
    }
}
