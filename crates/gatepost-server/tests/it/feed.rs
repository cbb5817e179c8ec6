//! This file is where revocations reach those who follow: the feed itself, and guards on the other end of a real wire.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepost_core::actor::Actor;
use gatepost_guard::{AfterThat, Feed, FeedClaims, FeedError, Guard, JwksUrl, Refusal};
use gatepost_jose::PublicKey;
use gatepost_operations::clients::ClientSettings;
use gatepost_operations::expiry::Expires;
use gatepost_operations::partners::PartnerSettings;
use gatepost_operations::{api_secrets, background, clients, expiry, keys, partners, revocations, service};
use gatepost_server::connections::listen::{Listener, Served};
use gatepost_server::http::bounds::Bounds;
use serde_json::{Value, json};

use crate::asking::Ask;
use crate::cast::{C, EXPIRING, LEAVING, OURS, PARTNER, S, our_secret};
use crate::guard_rows::clock::TestClock;
use crate::harness::{BOOKINGS, FAST, ISSUER, START, TestServer};
use crate::reply::Reply;
use crate::resource_server::{ResourceServer, token};

pub(crate) fn poll(api: &ResourceServer, wait: u32) -> Ask {
    Ask::read(&format!("/oauth2/revocations?wait={wait}")).basic(&api.id, &api.secret)
}

fn service_key(server: &TestServer) -> PublicKey {
    PublicKey::from_jwk(&service::public_key(&server.gate).unwrap()).unwrap()
}

fn opened(server: &TestServer, api: &ResourceServer, reply: &Reply) -> FeedClaims {
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("application/jwt")),
        "{}",
        reply.text()
    );
    FeedClaims::open(reply.text(), &service_key(server), ISSUER, &api.id).unwrap()
}

async fn feed(server: &TestServer, api: &ResourceServer) -> FeedClaims {
    opened(server, api, &server.send(poll(api, 0)).await)
}

#[tokio::test]
async fn at_their_end_clients_and_partners_lose_their_tokens_at_every_judge_and_followers_are_told() {
    let server = TestServer::start().await;
    let api = ResourceServer::of(&server.gate, "default").await;
    let (expires, leaves, stays) = (
        token(&server, (EXPIRING, S), json!({})).await.text,
        token(&server, (LEAVING, S), json!({})).await.text,
        token(&server, (C, S), json!({})).await.text,
    );
    for text in [&expires, &leaves, &stays] {
        assert!(api.accepts(&server, text).await);
    }
    // By their own lives the tokens would be good for the leeway still.
    server.pass(60).await;
    for text in [&expires, &leaves] {
        assert_eq!(api.told(&server, text).await, json!({ "active": false }));
        assert_eq!(api.passes(&server, text).await, 401);
    }
    assert!(api.accepts(&server, &stays).await);
    assert!(feed(&server, &api).await.clients.is_empty(), "nothing is written yet");

    expiry::tick(&server.gate).await.unwrap();
    let told = feed(&server, &api).await;
    assert!(told.clients.contains_key(EXPIRING) && told.partners.len() == 1);
    assert!(!told.clients.contains_key(C));
}

#[tokio::test]
async fn a_feed_is_about_one_api_and_holds_what_its_verifiers_must_refuse() {
    let server = TestServer::start().await;
    let (default, fast) =
        (ResourceServer::of(&server.gate, "default").await, ResourceServer::of(&server.gate, "fast").await);
    assert_eq!(
        feed(&server, &fast).await,
        FeedClaims { iat: feed(&server, &fast).await.iat, ..feed(&server, &fast).await }
    );

    let ours = token(&server, (OURS, &our_secret()), json!({})).await;
    let form = format!("token={}", ours.text);
    assert_eq!(
        server.send(Ask::post("/oauth2/revoke").basic(OURS, &our_secret()).form(&form)).await.status,
        200
    );
    let jti = ours.claims()["jti"].as_str().unwrap().to_owned();
    let about = feed(&server, &default).await;
    assert_eq!(about.tokens.keys().collect::<Vec<_>>(), [&jti]);
    assert!(about.tokens[&jti] as f64 >= ours.claims()["exp"].as_f64().unwrap());
    assert!(feed(&server, &fast).await.tokens.is_empty(), "another API is not told");

    revocations::end_tokens_of_client(&server.gate, &Actor::System, OURS).await.unwrap();
    assert!(feed(&server, &default).await.clients.contains_key(OURS));
    assert!(!feed(&server, &fast).await.clients.contains_key(OURS), "the client has no tokens for it");
    partners::suspend(&server.gate, &Actor::System, PARTNER).await.unwrap();
    assert!(feed(&server, &fast).await.partners.contains_key(PARTNER));

    let ring = server.gate.ring();
    let kid = ring.keys_of(server.api("fast")).unwrap().signer.key.kid().to_string();
    let before = feed(&server, &fast).await.keys;
    keys::revoke(&server.gate, &Actor::System, &kid).await.unwrap();
    let after = feed(&server, &fast).await;
    assert!(after.kids.contains(&kid) && after.keys != before);
    assert!(feed(&server, &default).await.kids.is_empty());
    let set = server.send(Ask::read("/.well-known/jwks/fast.json?all=1")).await;
    assert_eq!(set.header("etag"), Some(after.keys.as_str()));
}

#[tokio::test]
async fn what_is_over_leaves_the_feed() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    revocations::end_tokens_of_client(&server.gate, &Actor::System, OURS).await.unwrap();
    assert_eq!(feed(&server, &default).await.clients.len(), 1);
    server.clock.advance(24 * 3600 + 61);
    assert_eq!(feed(&server, &default).await.clients.len(), 0);
}

#[tokio::test]
async fn only_an_api_is_answered() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let good = token(&server, (C, S), json!({})).await.text;
    let ask = || Ask::read("/oauth2/revocations");
    for refused in [
        ask(),
        ask().basic(&default.id, "wrong"),
        ask().basic(C, S),
        ask().header("authorization", &format!("Bearer {good}")),
    ] {
        let reply = server.send(refused).await;
        assert_eq!(reply.outcome(), (401, "invalid_client".into()));
        assert_eq!(reply.header("www-authenticate"), Some(r#"Basic realm="OAuth""#));
    }
    for query in ["wait=x", "wait=-1", "wait=1.5", "wait=", "wait=1&wait=1"] {
        let path = format!("/oauth2/revocations?{query}");
        let reply = server.send(Ask::read(&path).basic(&default.id, &default.secret)).await;
        assert_eq!(reply.outcome(), (400, "invalid_request".into()), "{query}");
        assert_eq!(server.send(Ask::read(&path)).await.status, 401);
    }
    let post = server.send(Ask::post("/oauth2/revocations").basic(&default.id, &default.secret)).await;
    assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")));
}

#[tokio::test]
async fn who_knows_it_all_waits_for_news_and_hears_them_at_once() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let first = server.send(poll(&default, 0)).await;
    let etag = first.header("etag").unwrap().to_owned();
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    let known = |wait| poll(&default, wait).header("if-none-match", &etag);

    let unchanged = server.send(known(0)).await;
    assert_eq!(
        (unchanged.status, unchanged.text(), unchanged.header("etag")),
        (304, "", Some(etag.as_str()))
    );
    assert_eq!(server.send(known(1)).await.status, 304, "the wait is over");

    let news = async {
        // A change that does not concern the API wakes nobody for good.
        let settings = PartnerSettings { name: Some("Acme".into()), expires: None };
        partners::update(&server.gate, &Actor::System, PARTNER, settings).await.unwrap();
        revocations::end_tokens_of_client(&server.gate, &Actor::System, C).await.unwrap();
    };
    let began = Instant::now();
    let (reply, ()) = tokio::join!(server.send(known(30)), news);
    assert!(opened(&server, &default, &reply).clients.contains_key(C));
    assert_ne!(reply.header("etag"), Some(etag.as_str()));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_secret_that_ends_while_its_api_waits_ends_the_wait() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let etag = server.send(poll(&default, 0)).await.header("etag").unwrap().to_owned();
    let end = async {
        let secret = api_secrets::list(&server.gate, "default").await.unwrap()[0].secret_id;
        api_secrets::end(&server.gate, &Actor::System, "default", secret, true).await.unwrap();
    };
    let (reply, ()) = tokio::join!(server.send(poll(&default, 30).header("if-none-match", &etag)), end);
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn a_feed_is_no_token_and_a_token_is_no_feed() {
    let server = TestServer::start().await;
    let fast = ResourceServer::of(&server.gate, "fast").await;
    let text = server.send(poll(&fast, 0)).await.text().to_owned();
    assert!(!fast.accepts(&server, &text).await);
    let key = service_key(&server);
    let guard = Guard::builder()
        .rfc9068(ISSUER, &fast.id)
        .keys(gatepost_guard::FixedKeys::new([key.clone()]))
        .clock(TestClock::at(START / 1_000_000))
        .build()
        .unwrap();
    assert!(
        matches!(guard.judge(&text).await, Err(Refusal::Invalid(_))),
        "even to a guard that trusts the service key"
    );

    let access = token(&server, (C, S), json!({ "resource": FAST })).await.text;
    assert!(matches!(FeedClaims::open(&access, &key, ISSUER, &fast.id), Err(FeedError::Signature(_))));
    let answer =
        server.send(fast.question(&access).header("accept", "application/token-introspection+jwt")).await;
    assert!(matches!(FeedClaims::open(answer.text(), &key, ISSUER, &fast.id), Err(FeedError::Signature(_))));
    assert_eq!(FeedClaims::open(&text, &key, "https://other.example", &fast.id), Err(FeedError::Issuer));
    let default = server.api("default").0.to_string();
    assert_eq!(FeedClaims::open(&text, &key, ISSUER, &default), Err(FeedError::Audience));
}

/// A server on a real port.
pub(crate) struct Wire {
    pub(crate) served: Served,
    pub(crate) address: SocketAddr,
}

impl Wire {
    pub(crate) fn of(server: &TestServer, address: SocketAddr) -> Self {
        let bounds = Arc::new(Bounds::new(&server.gate.config));
        let listener = Listener::bind(address).unwrap();
        let address = listener.local_addr();
        Self { served: listener.serve(server.edge.clone(), None, &bounds, &server.gate.metrics), address }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn guard(
        &self,
        api: &ResourceServer,
        audience: &str,
        clock: &TestClock,
        then: AfterThat,
    ) -> Guard {
        let feed =
            Feed::new(ISSUER, &api.id, &api.secret).unwrap().reached_at(&self.url()).unwrap().then(then);
        let keys = JwksUrl::of_api(&self.url(), &api.name).unwrap();
        let builder = if audience.is_empty() {
            Guard::builder().passport(keys)
        } else {
            Guard::builder().rfc9068(ISSUER, audience).keys(keys)
        };
        builder.follow(feed).clock(clock.clone()).build().unwrap()
    }
}

pub(crate) const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

pub(crate) async fn code(guard: &Guard, token: &str) -> &'static str {
    guard.judge(token).await.map_or_else(|refusal| refusal.code(), |_| "accepted")
}

/// Waits until a guard says so, as long as news may take.
async fn within_five_seconds(guard: &Guard, token: &str, wanted: &str) {
    let began = Instant::now();
    loop {
        let said = code(guard, token).await;
        if said == wanted {
            return;
        }
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "still {said}, not {wanted}: {:?}",
            guard.feed_status()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The end of a client comes, and the task beside the requests writes it down.
async fn ends_now(server: &TestServer) -> tokio::task::JoinHandle<()> {
    expire(server, Expires::At(server.gate.clock.now().after(Duration::from_secs(1)))).await;
    server.clock.advance(1);
    background::expiry::start(Arc::clone(&server.gate))
}

async fn expire(server: &TestServer, expires: Expires) {
    let settings = ClientSettings { expires: Some(expires), ..ClientSettings::default() };
    clients::update(&server.gate, &Actor::System, C, settings).await.unwrap();
}

#[tokio::test]
async fn a_guard_that_follows_refuses_within_five_seconds_whatever_ended_the_token() {
    let server = TestServer::start().await;
    let wire = Wire::of(&server, ANY_PORT);
    let clock = TestClock::at(START / 1_000_000);
    for (name, audience) in [("default", ""), ("bookings", BOOKINGS)] {
        let api = ResourceServer::of(&server.gate, name).await;
        let guard = wire.guard(&api, audience, &clock, AfterThat::Refuse);
        let more = if audience.is_empty() { json!({}) } else { json!({ "resource": audience }) };
        let new = async |more: &Value| token(&server, (C, S), more.clone()).await.text;
        let (gate, system) = (&server.gate, &Actor::System);

        let good = new(&more).await;
        assert_eq!(code(&guard, &good).await, "accepted");
        server.send(Ask::post("/oauth2/revoke").basic(C, S).form(&format!("token={good}"))).await;
        within_five_seconds(&guard, &good, "revoked").await;

        let good = new(&more).await;
        assert_eq!(code(&guard, &good).await, "accepted");
        clients::suspend(gate, system, C).await.unwrap();
        within_five_seconds(&guard, &good, "revoked").await;
        clients::resume(gate, system, C).await.unwrap();
        assert_eq!(code(&guard, &good).await, "revoked", "resuming revives nothing");

        server.clock.advance(2);
        let good = new(&more).await;
        assert_eq!(code(&guard, &good).await, "accepted");
        let task = ends_now(&server).await;
        within_five_seconds(&guard, &good, "revoked").await;
        task.abort();
        expire(&server, Expires::Never).await;

        server.clock.advance(2);
        let good = new(&more).await;
        assert_eq!(code(&guard, &good).await, "accepted");
        partners::suspend(gate, system, PARTNER).await.unwrap();
        within_five_seconds(&guard, &good, "revoked").await;
        partners::resume(gate, system, PARTNER).await.unwrap();

        let restarted = wire.guard(&api, audience, &clock, AfterThat::Refuse);
        assert_eq!(code(&restarted, &good).await, "revoked", "the first call waits for the first feed");
        server.clock.advance(2);
    }
}

#[tokio::test]
async fn a_change_of_keys_reaches_the_guard_whatever_the_floor_between_fetches() {
    let server = TestServer::start().await;
    let wire = Wire::of(&server, ANY_PORT);
    let clock = TestClock::at(START / 1_000_000);
    for (name, audience) in [("fast", FAST), ("default", "")] {
        let api = ResourceServer::of(&server.gate, name).await;
        let guard = wire.guard(&api, audience, &clock, AfterThat::Refuse);
        let more = if audience.is_empty() { json!({}) } else { json!({ "resource": audience }) };
        let old = token(&server, (C, S), more.clone()).await.text;
        assert_eq!(code(&guard, &old).await, "accepted");

        let kid = server.gate.ring().keys_of(server.api(name)).unwrap().signer.key.kid().to_string();
        keys::revoke(&server.gate, &Actor::System, &kid).await.unwrap();
        // The clock stands still, so that only the feed can have made the guard fetch.
        let new = token(&server, (C, S), more).await.text;
        within_five_seconds(&guard, &new, "accepted").await;
        assert_ne!(code(&guard, &old).await, "accepted");
    }
}

#[tokio::test]
async fn without_the_feed_a_guard_serves_on_for_a_while_and_then_does_as_it_was_told() {
    let server = TestServer::start().await;
    let fast = ResourceServer::of(&server.gate, "fast").await;
    let wire = Wire::of(&server, ANY_PORT);
    let clock = TestClock::at(START / 1_000_000);
    let refusing = wire.guard(&fast, FAST, &clock, AfterThat::Refuse);
    let keeping = wire.guard(&fast, FAST, &clock, AfterThat::Keep);
    let good = token(&server, (C, S), json!({ "resource": FAST })).await.text;
    assert_eq!((code(&refusing, &good).await, code(&keeping, &good).await), ("accepted", "accepted"));

    let address = wire.address;
    wire.served.close(Duration::ZERO).await;
    clock.pass(600);
    assert_eq!((code(&refusing, &good).await, code(&keeping, &good).await), ("accepted", "accepted"));
    clock.pass(1);
    assert_eq!((code(&refusing, &good).await, code(&keeping, &good).await), ("no_revocations", "accepted"));
    let status = refusing.feed_status().unwrap();
    assert!(!status.serving && status.age >= Some(Duration::from_secs(600)), "{status:?}");
    let answer = refusing.judge(&good).await.unwrap_err().response("api");
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "1"));

    let began = Instant::now();
    while refusing.feed_status().unwrap().failure.is_none() {
        assert!(began.elapsed() < Duration::from_secs(5), "nobody has noticed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    // What was revoked meanwhile is heard before anything else is let in.
    server.pass(601).await;
    revocations::end_tokens_of_client(&server.gate, &Actor::System, C).await.unwrap();
    let _wire = Wire::of(&server, address);
    within_five_seconds(&refusing, &good, "revoked").await;
    within_five_seconds(&keeping, &good, "revoked").await;
    let status = refusing.feed_status().unwrap();
    assert!(status.serving && status.failed > 0 && status.failure.is_none(), "{status:?}");
}

#[tokio::test]
async fn a_guard_that_has_never_heard_the_feed_refuses_unless_told_to_keep() {
    let server = TestServer::start().await;
    let fast = ResourceServer::of(&server.gate, "fast").await;
    let wire = Wire::of(&server, ANY_PORT);
    let clock = TestClock::at(START / 1_000_000);
    let mistaken = ResourceServer { secret: "wrong".into(), name: fast.name.clone(), id: fast.id.clone() };
    let good = token(&server, (C, S), json!({ "resource": FAST })).await.text;

    let refusing = wire.guard(&mistaken, FAST, &clock, AfterThat::Refuse);
    assert_eq!(code(&refusing, &good).await, "no_revocations");
    assert_eq!(refusing.feed_status().unwrap().failure, Some(FeedError::Credentials));
    let keeping = wire.guard(&mistaken, FAST, &clock, AfterThat::Keep);
    assert_eq!(code(&keeping, &good).await, "accepted");

    let other = keys_of_nobody();
    let feed = Feed::new(ISSUER, &fast.id, &fast.secret).unwrap().reached_at(&wire.url()).unwrap();
    let pinned = Guard::builder()
        .rfc9068(ISSUER, FAST)
        .keys(JwksUrl::of_api(&wire.url(), "fast").unwrap())
        .follow(feed.service_key(&other).unwrap())
        .clock(clock)
        .build()
        .unwrap();
    assert_eq!(
        code(&pinned, &good).await,
        "no_revocations",
        "the feed is signed by another key than the pinned one"
    );
}

fn keys_of_nobody() -> gatepost_jose::Jwk {
    let key =
        gatepost_jose::SigningKey::generate(gatepost_jose::Algorithm::Es256, gatepost_jose::RsaBits::B2048);
    key.unwrap().public().to_jwk()
}
