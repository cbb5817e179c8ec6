//! This file is where callers meet the guard's answers: challenges, scopes, test clients (RFC 6750 section 3).

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::routing::{get, post};
use axum::{Extension, Router};
use gatepost_guard::{Caller, Guard, require};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::clock::TestClock;
use crate::mint::{BOTH, Profile, fixed, key};

fn app(guard: Guard) -> Router {
    let whoami = get(|caller: Caller| async move {
        format!("{} {:?} {:?}", caller.client_id, caller.partner_id, caller.scopes)
    });
    Router::new()
        .route("/", whoami)
        .route("/read", get(|| async {}).layer(require::all(["read"])))
        .route("/both", get(|| async {}).layer(require::all(["read", "write"])))
        .route("/either", get(|| async {}).layer(require::any(["admin", "write"])))
        .route("/nobody", get(|| async {}).layer(require::any(Vec::<String>::new())))
        .route("/anybody", get(|| async {}).layer(require::all(Vec::<String>::new())))
        .route("/body", post(|body: String| async move { body }))
        .layer(guard)
}

async fn send(guard: &Guard, path: &str, authorization: Option<String>) -> Response<Body> {
    let mut request = Request::get(path);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    app(guard.clone()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn json_of(response: Response<Body>) -> Value {
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

fn challenge(response: &Response<Body>) -> String {
    response.headers()["www-authenticate"].to_str().unwrap().to_owned()
}

fn with_scopes(profile: Profile, scopes: &[&str]) -> Option<String> {
    let mut draft = profile.draft(key());
    let (claim, value) = profile.scopes(scopes);
    draft.claims.set(claim, &value);
    Some(format!("Bearer {}", draft.sign(key())))
}

#[tokio::test]
async fn without_credentials_the_challenge_names_no_error() {
    let guard = Profile::Rfc9068.guard(fixed(&[key()])).realm("bookings").build().unwrap();
    for (path, authorization) in
        [("/", None), ("/", Some("Basic YTpi".to_owned())), ("/?access_token=x", None)]
    {
        let response = send(&guard, path, authorization).await;

        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(challenge(&response), r#"Bearer realm="bookings""#);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(json_of(response).await, json!({"message": "Unauthenticated."}));
    }
}

#[tokio::test]
async fn a_token_in_the_query_or_the_body_is_never_read() {
    for profile in BOTH {
        let guard = profile.guard_of(&[key()]);
        let token = profile.token(key());
        let in_query = send(&guard, &format!("/?access_token={token}"), None).await;
        let request = Request::post("/body")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(format!("access_token={token}")))
            .unwrap();
        let in_body = app(guard).oneshot(request).await.unwrap();

        assert_eq!(
            (in_query.status(), in_body.status()),
            (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED)
        );
    }
}

#[tokio::test]
async fn a_bad_token_gets_the_same_answer_whatever_is_wrong_with_it() {
    for profile in BOTH {
        let guard = profile.guard_of(&[key()]);
        let mut expired = profile.draft(key());
        expired.claims.set("exp", "0");
        let mut answers = Vec::new();
        for bad in ["x".to_owned(), "a.b.c".to_owned(), expired.sign(key()), "a b".to_owned(), String::new()]
        {
            let response = send(&guard, "/", Some(format!("Bearer {bad}"))).await;
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
            answers.push((challenge(&response), json_of(response).await));
        }
        answers.dedup();
        let [(challenge, body)] = answers.as_slice() else { panic!("the answers differ: {answers:?}") };
        assert!(challenge.starts_with(r#"Bearer realm="api", error="invalid_token", error_description=""#));
        assert_eq!((&body["error"], &body["message"]), (&json!("invalid_token"), &json!("Unauthenticated.")));
    }
}

#[tokio::test]
async fn the_caller_is_whom_the_token_names() {
    let expected = r#"client-1 Some("partner-1") ["read", "write"]"#;
    for profile in BOTH {
        let response =
            send(&profile.guard_of(&[key()]), "/", Some(format!("bEARER  {}", profile.token(key())))).await;

        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), expected);
    }
}

#[tokio::test]
async fn routes_need_all_or_any_of_their_scopes() {
    for profile in BOTH {
        let guard = profile.guard_of(&[key()]);
        for (path, scopes, status) in [
            ("/read", &["read"][..], 200),
            ("/read", &["write", "read"], 200),
            ("/read", &[], 403),
            ("/both", &["read"], 403),
            ("/both", &["write", "read"], 200),
            ("/either", &["write"], 200),
            ("/either", &["read"], 403),
            ("/nobody", &["read", "write"], 403),
            ("/anybody", &[], 200),
        ] {
            let response = send(&guard, path, with_scopes(profile, scopes)).await;
            assert_eq!(response.status(), status, "{profile:?} {path} {scopes:?}");
        }
    }
}

#[tokio::test]
async fn g083_a_scope_is_not_a_part_of_another() {
    for profile in BOTH {
        for scope in ["reader", "rea", "READ", "read:all", "xread"] {
            let response = send(&profile.guard_of(&[key()]), "/read", with_scopes(profile, &[scope])).await;
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{scope}");
        }
    }
}

#[tokio::test]
async fn a_missing_scope_is_named_in_the_challenge() {
    let response =
        send(&Profile::Rfc9068.guard_of(&[key()]), "/both", with_scopes(Profile::Rfc9068, &["read"])).await;

    let text = challenge(&response);
    assert!(
        text.contains(r#"error="insufficient_scope""#) && text.ends_with(r#", scope="read write""#),
        "{text}"
    );
    let body = json_of(response).await;
    assert_eq!(
        (&body["error"], &body["message"]),
        (&json!("insufficient_scope"), &json!("Invalid scope(s) provided."))
    );
}

#[tokio::test]
async fn a_star_is_every_scope_in_the_passport_profile_only() {
    for (profile, status) in [(Profile::Passport, 200), (Profile::Rfc9068, 403)] {
        let guard = profile.guard_of(&[key()]);
        for path in ["/read", "/both", "/either"] {
            let response = send(&guard, path, with_scopes(profile, &["*"])).await;
            assert_eq!(response.status(), status, "{profile:?} {path}");
        }
    }
}

#[tokio::test]
async fn a_test_client_is_refused_where_live_ones_are_needed() {
    for profile in BOTH {
        let guard = profile.guard(fixed(&[key()])).clock(TestClock::new()).live_only().build().unwrap();
        let mut test = profile.draft(key());
        test.claims.set("is_test", "true");

        let response = send(&guard, "/", Some(format!("Bearer {}", test.sign(key())))).await;

        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert!(!challenge(&response).contains("scope="));
        assert!(json_of(response).await["message"].as_str().unwrap().contains("Test credentials"));
    }
}

#[tokio::test]
async fn two_authorization_headers_are_none() {
    let profile = Profile::Passport;
    let good = format!("Bearer {}", profile.token(key()));
    for (first, second) in
        [("Bearer x", good.as_str()), (good.as_str(), good.as_str()), ("Basic YTpi", good.as_str())]
    {
        let request = Request::get("/")
            .header("authorization", first)
            .header("authorization", second)
            .body(Body::empty());
        let response = app(profile.guard_of(&[key()])).oneshot(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn without_a_guard_layer_nothing_passes() {
    let bare: Router = Router::new()
        .route("/caller", get(|_: Caller| async {}))
        .route("/scope", get(|| async {}).layer(require::all(Vec::<String>::new())));
    for path in ["/caller", "/scope"] {
        let response = bare.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn a_caller_left_by_another_layer_is_replaced() {
    let profile = Profile::Rfc9068;
    let guard = profile.guard_of(&[key()]);
    let mut other = profile.draft(key());
    other.claims.set("client_id", "\"client-2\"");
    let stranger = guard.judge(&other.sign(key())).await.unwrap();

    let request = Request::get("/")
        .header("authorization", format!("Bearer {}", profile.token(key())))
        .body(Body::empty());
    let response = app(guard).layer(Extension(stranger)).oneshot(request.unwrap()).await.unwrap();

    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(body.starts_with(b"client-1 "));
}

/// The token on the page that partners read: its key is unknown, its payload must make a caller.
#[tokio::test]
async fn the_published_sample_makes_a_caller_once_its_key_is_known() {
    let sample = include_str!("../data/origin-sample-token.txt").trim();
    let clock = TestClock::at(1_710_220_100);
    let guard = Profile::Passport.guard(fixed(&[key()])).clock(clock).build().unwrap();
    assert_eq!(guard.judge(sample).await.unwrap_err().code(), "signature");

    let (signed, _) = sample.rsplit_once('.').unwrap();
    let resigned =
        gatepost_guard::jose::sign::finish(signed.to_owned(), &key().sign(signed.as_bytes()).unwrap());
    let caller = guard.judge(&resigned).await.unwrap();

    assert_eq!(caller.client_id, "9b1e82a7-0a59-4e7e-add5-b9ffa37aade1");
    assert_eq!(caller.partner_id.as_deref(), Some("f31120ee-b5cb-41c4-9529-288d02e91cd6"));
    assert_eq!(caller.user_id.as_deref(), Some("842902db-54e5-4614-b348-002e8ce5da12"));
    assert_eq!(caller.scopes, ["bookings:create", "bookings:delete"]);
    assert!(!caller.is_test);
}
