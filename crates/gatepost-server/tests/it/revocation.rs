//! This file is where tokens are ended in every way there is, and stay ended: at once, after a restart, after resuming.

use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use gatepost_core::actor::Actor;
use gatepost_operations::{clients, keys, news, partners, revocations};
use serde_json::json;
use tokio::time::timeout;

use crate::asking::{Ask, form_of};
use crate::cast::{AWKWARD, BASIC_ONLY, C, OURS, PARTNER, S, SUSPENDED, our_secret};
use crate::harness::{BOOKINGS, FAST, TestServer};
use crate::reply::Reply;
use crate::resource_server::{ResourceServer, damaged, token, with_claims};
use crate::sockets::SOON;

async fn give_back(server: &TestServer, id: &str, secret: &str, token: &str) -> Reply {
    let form = form_of(&json!({ "token": token }));
    server.send(Ask::post("/oauth2/revoke").basic(id, secret).form(&form)).await
}

#[tokio::test]
async fn a_client_gives_back_its_own_token_and_only_that_ends() {
    let server = TestServer::start().await;
    for (name, resource) in [("default", json!({})), ("bookings", json!({ "resource": BOOKINGS }))] {
        let api = ResourceServer::of(&server.gate, name).await;
        let (gone, stays) = (
            token(&server, (C, S), resource.clone()).await.text,
            token(&server, (C, S), resource).await.text,
        );

        for _ in 0..2 {
            let reply = give_back(&server, C, S, &gone).await;
            assert_eq!(
                (reply.status, reply.text(), reply.header("cache-control")),
                (200, "", Some("no-store"))
            );
            assert!(!api.accepts(&server, &gone).await && api.accepts(&server, &stays).await);
        }
    }
    let audit = server.gate.store().head().await.unwrap();
    let again = token(&server, (C, S), json!({})).await.text;
    give_back(&server, C, S, &again).await;
    assert_eq!(server.gate.store().head().await.unwrap(), audit + 1, "one audit line each");
}

#[tokio::test]
async fn a_caller_that_hangs_up_while_its_token_is_ended_has_ended_it() {
    let server = TestServer::start().await;
    let api = ResourceServer::of(&server.gate, "default").await;
    let lost = token(&server, (C, S), json!({})).await.text;
    assert!(api.accepts(&server, &lost).await);

    let mut asked = Box::pin(give_back(&server, C, S, &lost));
    assert!((&mut asked).now_or_never().is_none(), "it waits for the store");
    drop(asked);
    let ended = async {
        while api.told(&server, &lost).await["active"] == true {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, ended).await.expect("the token is ended");
}

#[tokio::test]
async fn a_token_that_is_not_the_caller_s_is_left_alone_and_the_answer_tells_nothing() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let theirs = token(&server, (C, S), json!({})).await;
    let ours = token(&server, (OURS, &our_secret()), json!({})).await;
    let before = server.gate.store().head().await.unwrap();
    let expired = with_claims(&server.gate, "default", &ours, |claims| {
        for name in ["iat", "nbf", "exp"] {
            claims[name] = json!(claims[name].as_f64().unwrap() - 7_200.0);
        }
    });

    let mut seen = Vec::new();
    for text in [theirs.text.clone(), damaged(&ours), expired, "garbage".into(), ".".repeat(9), our_secret()]
    {
        seen.push(give_back(&server, OURS, &our_secret(), &text).await.bytes_seen());
    }
    assert_eq!(server.gate.store().head().await.unwrap(), before, "nothing is stored");
    seen.push(give_back(&server, OURS, &our_secret(), &ours.text).await.bytes_seen());
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
    assert!(default.accepts(&server, &theirs.text).await);
    assert!(!default.accepts(&server, &ours.text).await);
}

#[tokio::test]
async fn a_client_authenticates_as_at_the_standard_door() {
    let server = TestServer::start().await;
    let good = token(&server, (C, S), json!({})).await.text;
    let post = |form: &str| Ask::post("/oauth2/revoke").form(form);
    let body = format!("client_id={C}&client_secret={S}&token={good}");
    for (ask, outcome) in [
        (post(&format!("token={good}")), (401, "invalid_client")),
        (post(&format!("token={good}")).basic(C, "wrong"), (401, "invalid_client")),
        (post(&format!("token={good}")).basic(SUSPENDED, S), (401, "invalid_client")),
        (post(&body).basic(C, S), (400, "invalid_request")),
        (post(&body.replace(C, BASIC_ONLY)), (401, "invalid_client")),
        (post("token=").basic(C, S), (400, "invalid_request")),
        (post("").basic(C, S), (400, "invalid_request")),
        (post(&format!("token={good}&token={good}")).basic(C, S), (400, "invalid_request")),
        (Ask::post("/oauth2/revoke").basic(C, S).json(&json!({ "token": good })), (400, "invalid_request")),
        (Ask::read(&format!("/oauth2/revoke?token={good}")).basic(C, S), (405, "invalid_request")),
        (post(&body), (200, "")),
    ] {
        let reply = server.send(ask.clone()).await;
        assert_eq!(reply.outcome(), (outcome.0, outcome.1.to_owned()), "{ask:?}");
        assert!(!reply.text().contains(&good));
    }
}

#[tokio::test]
async fn without_the_store_nothing_is_called_revoked() {
    let server = TestServer::start().await;
    let good = token(&server, (C, S), json!({})).await.text;
    server.gate.close().await;
    let reply = give_back(&server, C, S, &good).await;
    assert_eq!(reply.outcome(), (503, "temporarily_unavailable".to_owned()));
    assert_eq!(reply.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn over_a_bound_the_client_hears_when_there_is_room_again() {
    for bound in ["revocations.max_per_client", "revocations.max_per_api"] {
        let server = TestServer::with(&[(bound, "1")]).await;
        let (first, second) =
            (token(&server, (C, S), json!({})).await.text, token(&server, (C, S), json!({})).await.text);
        assert_eq!(give_back(&server, C, S, &first).await.status, 200);
        server.pass(600).await;
        let reply = give_back(&server, C, S, &second).await;
        assert_eq!(reply.outcome(), (503, "temporarily_unavailable".to_owned()));
        // The first one's hour and the leeway of a minute, less ten minutes.
        let seconds: i64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((3_059..=3_061).contains(&seconds), "{bound}: {seconds}");
        server.pass(seconds - 600).await;
        let again = token(&server, (C, S), json!({})).await.text;
        assert_eq!(give_back(&server, C, S, &again).await.status, 503, "{bound}");
        server.pass(600).await;
        assert_eq!(give_back(&server, C, S, &again).await.status, 200, "{bound}");
    }
}

/// A way to end tokens, and whether the client may get new ones afterwards once it is resumed.
#[derive(Clone, Copy, Debug)]
enum Way {
    Token,
    TokensOfClient,
    TokensOfPartner,
    SuspendClient,
    SuspendPartner,
    DeleteClient,
    LoseScope,
    RevokeKey,
}

impl Way {
    const ALL: [Self; 8] = [
        Self::Token,
        Self::TokensOfClient,
        Self::TokensOfPartner,
        Self::SuspendClient,
        Self::SuspendPartner,
        Self::DeleteClient,
        Self::LoseScope,
        Self::RevokeKey,
    ];

    async fn go(self, server: &TestServer, api: &str, token: &str) {
        let (gate, system) = (&server.gate, &Actor::System);
        match self {
            Self::Token => assert_eq!(give_back(server, C, S, token).await.status, 200),
            Self::TokensOfClient => revocations::end_tokens_of_client(gate, system, C).await.unwrap(),
            Self::TokensOfPartner => revocations::end_tokens_of_partner(gate, system, PARTNER).await.unwrap(),
            Self::SuspendClient => drop(clients::suspend(gate, system, C).await.unwrap()),
            Self::SuspendPartner => drop(partners::suspend(gate, system, PARTNER).await.unwrap()),
            Self::DeleteClient => clients::delete(gate, system, C).await.unwrap(),
            Self::LoseScope => {
                let scopes = Some(vec!["bookings:create".to_owned()]);
                let settings = clients::ClientSettings { scopes, ..Default::default() };
                clients::update(gate, system, C, settings).await.map(drop).unwrap();
            }
            Self::RevokeKey => {
                let kid = gate.ring().keys_of(server.api(api)).unwrap().signer.key.kid().to_string();
                keys::revoke(gate, system, &kid).await.map(drop).unwrap();
            }
        }
    }

    async fn resume(self, server: &TestServer) {
        let (gate, system) = (&server.gate, &Actor::System);
        match self {
            Self::SuspendClient => drop(clients::resume(gate, system, C).await.unwrap()),
            Self::SuspendPartner => drop(partners::resume(gate, system, PARTNER).await.unwrap()),
            _ => {}
        }
    }
}

#[tokio::test]
async fn whatever_ends_a_token_ends_it_at_once_and_for_good() {
    for (api, resource) in [("default", json!({})), ("fast", json!({ "resource": FAST }))] {
        for way in Way::ALL {
            let mut server = TestServer::start().await;
            let judge = ResourceServer::of(&server.gate, api).await;
            let issued = token(&server, (C, S), resource.clone()).await.text;
            assert!(judge.accepts(&server, &issued).await, "{way:?}");

            way.go(&server, api, &issued).await;
            assert!(!judge.accepts(&server, &issued).await, "{way:?} at {api}");
            server = server.restarted().await;
            assert!(!judge.accepts(&server, &issued).await, "{way:?} at {api} after a restart");
            way.resume(&server).await;
            assert!(!judge.accepts(&server, &issued).await, "{way:?} at {api} after resuming");

            if !matches!(way, Way::DeleteClient) {
                server.clock.advance(2);
                let new = token(&server, (C, S), resource.clone()).await.text;
                assert!(judge.accepts(&server, &new).await, "{way:?} at {api} ends later tokens");
            }
        }
    }
}

#[tokio::test]
async fn a_revocation_concerns_nobody_else() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let theirs = token(&server, (AWKWARD, crate::cast::AWKWARD_SECRET), json!({})).await.text;
    for way in [Way::Token, Way::TokensOfClient, Way::SuspendClient, Way::DeleteClient] {
        let mine = match way {
            Way::Token => token(&server, (C, S), json!({})).await.text,
            _ => String::new(),
        };
        way.go(&server, "default", &mine).await;
        assert!(default.accepts(&server, &theirs).await, "{way:?}");
    }
}

#[tokio::test]
async fn another_node_refuses_as_soon_as_it_has_heard() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let issued = token(&server, (C, S), json!({})).await.text;
    let other = server.another_server().await;
    assert!(default.accepts(&other, &issued).await);

    assert_eq!(give_back(&server, C, S, &issued).await.status, 200);
    news::take_up(&other.gate).await.unwrap();
    assert!(!default.accepts(&other, &issued).await);
}

#[tokio::test]
async fn a_token_that_another_node_gives_out_before_it_has_heard_of_the_stop_ends_with_it() {
    for way in [Way::SuspendClient, Way::SuspendPartner, Way::DeleteClient] {
        let server = TestServer::start().await;
        let default = ResourceServer::of(&server.gate, "default").await;
        let other = server.another_server().await;
        token(&other, (C, S), json!({})).await;

        way.go(&server, "default", "").await;
        server.clock.advance(1);
        let late = token(&other, (C, S), json!({})).await.text;
        assert!(!default.accepts(&server, &late).await, "{way:?}");
        news::take_up(&other.gate).await.unwrap();
        assert!(!default.accepts(&other, &late).await, "{way:?}");
        way.resume(&server).await;
        assert!(!default.accepts(&server, &late).await, "{way:?} after resuming");
    }
}

#[tokio::test]
async fn a_thousand_revocations_are_refused_within_a_second_each() {
    const COUNT: usize = 1_000;
    let server = TestServer::start().await;
    let fast = ResourceServer::of(&server.gate, "fast").await;
    let mut took = Vec::with_capacity(COUNT);
    for _ in 0..COUNT {
        let issued = token(&server, (C, S), json!({ "resource": FAST })).await.text;
        assert_eq!(fast.passes(&server, &issued).await, 200);

        let began = Instant::now();
        assert_eq!(give_back(&server, C, S, &issued).await.status, 200);
        assert!(!fast.accepts(&server, &issued).await);
        took.push(began.elapsed());
    }
    took.sort();
    let p99 = took[COUNT * 99 / 100];
    assert!(p99 <= Duration::from_secs(1), "p99 is {p99:?}");
}
