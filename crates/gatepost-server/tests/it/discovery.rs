//! This file is where it is shown what the server publishes: key sets, metadata, health, and the page for developers.

use gatepost_core::actor::Actor;
use gatepost_core::secret::Secret;
use gatepost_jose::{Algorithm, RsaBits, SigningKey};
use gatepost_operations::apis::{self, PassportChoices, UpdateApi};
use gatepost_operations::keys;
use serde_json::json;

use crate::asking::{Ask, ORIGIN};
use crate::harness::{ISSUER, TestServer};
use crate::reply::Reply;
use crate::resource_server::private_pem;

const KEYS: &str = "/.well-known/jwks.json";
const METADATA: &str = "/.well-known/oauth-authorization-server";
const PUBLIC: [&str; 7] = [
    KEYS,
    "/.well-known/jwks/bookings.json",
    "/.well-known/jwks/default.json",
    METADATA,
    "/docs",
    "/livez",
    "/readyz",
];

async fn read(server: &TestServer, path: &str) -> Reply {
    server.send(Ask::read(path)).await
}

fn algorithms(reply: &Reply) -> Vec<String> {
    let set = reply.json();
    let mut names: Vec<_> =
        set["keys"].as_array().unwrap().iter().map(|key| key["alg"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn the_key_set_of_all_holds_the_keys_of_apis_whose_tokens_name_theirs() {
    let server = TestServer::start().await;
    assert_eq!(algorithms(&read(&server, KEYS).await), ["ES256", "EdDSA"]);

    let passport = PassportChoices { kid: Some(true), ..PassportChoices::default() };
    apis::update(&server.gate, &Actor::System, "default", UpdateApi { passport, ..UpdateApi::default() })
        .await
        .unwrap();
    assert_eq!(algorithms(&read(&server, KEYS).await), ["ES256", "EdDSA", "RS256"]);
}

#[tokio::test]
async fn the_key_set_of_a_kid_less_api_is_exactly_the_key_that_signs() {
    let server = TestServer::start().await;
    for path in ["/.well-known/jwks/default.json", "/.well-known/jwks/default.json?all=1"] {
        let reply = read(&server, path).await;
        assert_eq!(algorithms(&reply), ["RS256"], "{path}");
        let kid = keys::export_public(&server.gate, "default").unwrap().kid;
        assert_eq!(reply.json()["keys"][0]["kid"], kid);
    }
    assert_eq!(algorithms(&read(&server, "/.well-known/jwks/fast.json").await), ["EdDSA"]);
}

#[tokio::test]
async fn what_only_guards_understand_is_in_the_set_for_guards_alone() {
    const MEMBER: &str = "gatepost_jti_names_key";
    let server = TestServer::start().await;
    for (path, told) in [
        (KEYS, false),
        ("/.well-known/jwks/default.json", false),
        ("/.well-known/jwks/bookings.json?all=1", false),
        ("/.well-known/jwks/default.json?all=1", true),
    ] {
        assert_eq!(read(&server, path).await.text().contains(&format!(r#""{MEMBER}":true"#)), told, "{path}");
    }
    let exported = keys::export_public(&server.gate, "default").unwrap();
    assert_eq!(exported.jwk.jti_names_key, None);

    let (old, elsewhere) = (exported.kid, SigningKey::generate(Algorithm::Rs256, RsaBits::B2048).unwrap());
    let pem = Secret::new(private_pem(&elsewhere));
    keys::import(&server.gate, &Actor::System, "default", &pem).await.unwrap();
    let all = read(&server, "/.well-known/jwks/default.json?all=1").await.json();
    let named: Vec<_> = all["keys"].as_array().unwrap().iter().filter(|key| key[MEMBER] == true).collect();
    assert_eq!(named.len(), 1, "what was made elsewhere may sign there too");
    assert_eq!(named[0]["kid"], old);
}

#[tokio::test]
async fn a_key_set_that_is_not_there_is_404_and_a_strange_query_does_no_harm() {
    let server = TestServer::start().await;
    for path in
        ["nobody.json", "default", "default.jwk", ".json", "%ff.json", "DEFAULT.json", "default.json.json"]
    {
        let reply = read(&server, &format!("/.well-known/jwks/{path}")).await;
        assert_eq!(reply.outcome(), (404, "not_found".to_owned()), "{path}");
    }
    let plain = read(&server, "/.well-known/jwks/default.json").await;
    let all = read(&server, "/.well-known/jwks/default.json?all=1").await;
    let twice = read(&server, "/.well-known/jwks/default.json?all=1&all=1").await;
    assert_eq!((twice.status, twice.text()), (200, all.text()));
    for query in ["all", "all=%ff", "=&&", "x=1", "all=2", "%"] {
        let reply = read(&server, &format!("/.well-known/jwks/default.json?{query}")).await;
        assert_eq!((reply.status, reply.text()), (200, plain.text()), "{query}");
    }
}

#[tokio::test]
async fn key_sets_may_be_kept_for_five_minutes_and_asked_for_anew_without_a_body() {
    let server = TestServer::start().await;
    for path in [KEYS, "/.well-known/jwks/default.json", "/.well-known/jwks/default.json?all=1"] {
        let first = read(&server, path).await;
        assert_eq!(first.header("cache-control"), Some("max-age=300"));
        assert_eq!(first.header("content-type"), Some("application/json"));
        let etag = first.header("etag").unwrap();
        for known in [etag.to_owned(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
            let again = server.send(Ask::read(path).header("if-none-match", &known)).await;
            assert_eq!((again.status, again.header("etag")), (304, Some(etag)), "{path} {known}");
            assert_eq!((again.header("cache-control"), again.body.len()), (Some("max-age=300"), 0));
        }
        let changed = server.send(Ask::read(path).header("if-none-match", "\"x\"")).await;
        assert_eq!((changed.status, changed.text()), (200, first.text()));
    }
}

#[tokio::test]
async fn the_tag_of_a_key_set_changes_with_its_keys() {
    let server = TestServer::start().await;
    let before = read(&server, KEYS).await;
    server.make_api("another", "EdDSA").await;
    let after = read(&server, KEYS).await;
    assert_ne!(before.header("etag"), after.header("etag"));
    assert_eq!(algorithms(&after), ["ES256", "EdDSA", "EdDSA"]);
}

#[tokio::test]
async fn what_another_node_changed_is_published_once_the_news_is_taken_up() {
    let server = TestServer::start().await;
    let other = server.another_node().await;
    apis::create_scope(&other, &Actor::System, "fast", "aaa:new", "").await.unwrap();
    apis::delete_scope(&other, &Actor::System, "fast", "fast:go").await.unwrap();
    let strange = apis::CreateApi {
        name: "strange".into(),
        audience: "https://strange.example".into(),
        profile: None,
        alg: Some("EdDSA".into()),
        ..apis::CreateApi::default()
    };
    apis::create(&other, &Actor::System, strange).await.unwrap();
    assert_eq!(read(&server, "/.well-known/jwks/strange.json").await.status, 404);

    gatepost_operations::news::take_up(&server.gate).await.unwrap();
    assert_eq!(algorithms(&read(&server, "/.well-known/jwks/strange.json").await), ["EdDSA"]);
    assert_eq!(algorithms(&read(&server, KEYS).await), ["ES256", "EdDSA", "EdDSA"]);
    let scopes = read(&server, METADATA).await.json()["scopes_supported"].clone();
    assert_eq!(scopes[1], "aaa:new");
    assert!(!scopes.as_array().unwrap().contains(&json!("fast:go")));
    assert!(read(&server, "/docs").await.text().contains("<h3>strange</h3>"));
}

#[tokio::test]
async fn what_is_only_read_takes_get_and_head_and_names_them_to_others() {
    let server = TestServer::start().await;
    for path in PUBLIC {
        let got = read(&server, path).await;
        let head = server.send(Ask::new("HEAD", path)).await;
        assert_eq!((got.status, head.status, head.body.len()), (200, 200, 0), "{path}");
        assert_eq!(head.header("content-type"), got.header("content-type"), "{path}");
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let reply = server.send(Ask::new(method, path)).await;
            assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD")), "{method} {path}");
            assert!(reply.json()["error"].is_string());
        }
        let options = server.send(Ask::new("OPTIONS", path)).await;
        assert_eq!((options.status, options.header("allow")), (204, Some("GET, HEAD")), "{path}");
    }
}

#[tokio::test]
async fn metadata_have_the_members_of_rfc_8414_and_follow_the_scopes() {
    let server = TestServer::start().await;
    apis::create_scope(&server.gate, &Actor::System, "fast", "aaa:new", "").await.unwrap();
    let reply = read(&server, METADATA).await;
    assert_eq!(reply.header("cache-control"), Some("max-age=300"));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let metadata = reply.json();
    assert_eq!(metadata["scopes_supported"][1], "aaa:new");
    for required in ["issuer", "token_endpoint", "response_types_supported", "jwks_uri"] {
        assert!(metadata.get(required).is_some(), "{required}");
    }
    assert_eq!(
        metadata["token_endpoint_auth_methods_supported"],
        json!(["client_secret_basic", "client_secret_post", "private_key_jwt"])
    );
}

#[tokio::test]
async fn every_answer_carries_its_request_id_and_forbids_sniffing() {
    let server = TestServer::start().await;
    let mut ids = Vec::new();
    for path in PUBLIC.into_iter().chain([ORIGIN, "/nothing"]) {
        let reply = server.send(Ask::read(path).header("x-request-id", "mine")).await;
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        ids.push(reply.header("x-request-id").unwrap().to_owned());
    }
    assert!(!ids.contains(&"mine".to_owned()));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), PUBLIC.len() + 2);
}

#[tokio::test]
async fn a_server_that_has_heard_nothing_from_its_store_is_alive_but_not_ready() {
    let server = TestServer::start().await;
    assert_eq!(read(&server, "/readyz").await.json()["status"], "ready");

    server.clock.advance(60);
    let reply = read(&server, "/readyz").await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
    assert_eq!(reply.json()["checks"], json!({ "store": false, "keys": true, "stopping": false }));
    assert_eq!(read(&server, "/livez").await.json(), json!({ "status": "ok" }));

    gatepost_operations::news::take_up(&server.gate).await.unwrap();
    assert_eq!(read(&server, "/readyz").await.status, 200);
    for path in ["/livez", "/readyz"] {
        assert_eq!(read(&server, path).await.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn the_page_for_developers_is_about_this_server() {
    let server = TestServer::with(&[("docs.title", "Acme <Travel>"), ("tokens.lifetime", "30m")]).await;
    let reply = read(&server, "/docs").await;
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"));
    let page = reply.text();

    for address in [ORIGIN, "/oauth2/token", METADATA, "/.well-known/jwks/bookings.json"] {
        assert!(page.contains(&format!("{ISSUER}{address}")), "{address}");
    }
    for (api, scope) in crate::cast::SCOPES {
        assert!(
            page.contains(&format!("<h3>{api}</h3>")) && page.contains(&format!("<code>{scope}</code>")),
            "{scope}"
        );
        assert!(page.contains(&format!("Lets you use {scope}.")), "{scope}");
    }
    assert!(page.contains("1800") && page.contains("Acme &#60;Travel&#62;"), "lifetime and title, escaped");
    assert!(page.contains(r#"name="viewport""#), "readable on a phone");
}

#[tokio::test]
async fn every_error_code_has_its_place_on_the_page() {
    let server = TestServer::start().await;
    let page = read(&server, "/docs").await.text().to_owned();
    for code in [
        "invalid_request",
        "invalid_client",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "invalid_target",
        "temporarily_unavailable",
        "server_error",
    ] {
        assert!(page.contains(&format!("id=\"{code}\"")), "{code}: error_uri leads nowhere");
    }
}

#[tokio::test]
async fn the_page_runs_no_script_and_loads_nothing() {
    let server = TestServer::start().await;
    let reply = read(&server, "/docs").await;
    let policy = reply.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"));
    let page = reply.text().to_lowercase();
    for forbidden in
        ["<script", "javascript:", " onload", " onclick", "<img", "<iframe", "<link", "@import", "url("]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}
