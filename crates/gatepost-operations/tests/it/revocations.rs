//! This file is where tokens are ended: one, a client's, a partner's; and what suspension and loss end with them.

use std::sync::Arc;
use std::time::Duration;

use gatepost_operations::clients::{self, ClientSettings};
use gatepost_operations::core::actor::Actor;
use gatepost_operations::core::apis::ApiId;
use gatepost_operations::core::change::Change;
use gatepost_operations::core::clients::ClientId;
use gatepost_operations::core::time::Timestamp;
use gatepost_operations::core::tokens::revoke::{Revocation, Revoked};
use gatepost_operations::failure::Failure;
use gatepost_operations::gate::Gate;
use gatepost_operations::partners::PartnerSettings;
use gatepost_operations::revocations::{self, IssuedTo, NotRevoked, TokenToEnd};
use gatepost_operations::secrets::{AddSecret, Ending};
use gatepost_operations::{background, partners, secrets};

use crate::stage::{ACTOR, Stage, WithSecret, ask};

const MILLI: Duration = Duration::from_millis(1);

fn is_revoked(gate: &Gate, owner: &WithSecret, issued: Timestamp) -> bool {
    let partner = owner.client.partner_id.to_string();
    let token = IssuedTo { jti: "j", client: &owner.client.client_id, partner: Some(&partner), issued };
    gate.revocations.now().covers(&token)
}

#[tokio::test]
async fn suspending_a_client_ends_its_tokens_and_resuming_revives_none() {
    let stage = Stage::with_api().await;
    let (acme, other) = (stage.client("Acme").await, stage.client("Other").await);
    let issued = stage.now();
    stage.pass(MILLI);

    clients::suspend(&stage.gate, &ACTOR, &acme.client.client_id).await.unwrap();
    assert!(is_revoked(&stage.gate, &acme, issued));
    assert!(!is_revoked(&stage.gate, &other, issued));
    assert!(ask(&stage.gate, &acme.client.client_id, acme.secret.expose()).await.is_err());

    stage.pass(MILLI);
    clients::resume(&stage.gate, &ACTOR, &acme.client.client_id).await.unwrap();
    assert!(is_revoked(&stage.gate, &acme, issued));
    // Until every node has heard of the suspension one may give out tokens, which end with it.
    assert!(is_revoked(&stage.gate, &acme, stage.now()));
    stage.pass(Duration::from_secs(2));
    assert!(ask(&stage.gate, &acme.client.client_id, acme.secret.expose()).await.is_ok());
    assert!(!is_revoked(&stage.gate, &acme, stage.now()), "tokens from after the suspension live");
}

#[tokio::test]
async fn suspending_a_partner_ends_the_tokens_of_its_clients() {
    let stage = Stage::with_api().await;
    let acme = stage.client("Acme").await;
    let issued = stage.now();

    partners::suspend(&stage.gate, &ACTOR, "acme").await.unwrap();
    assert!(is_revoked(&stage.gate, &acme, issued));
    assert!(ask(&stage.gate, &acme.client.client_id, acme.secret.expose()).await.is_err());
}

#[tokio::test]
async fn losing_a_scope_or_being_deleted_ends_live_tokens() {
    let stage = Stage::with_api().await;
    let (loses, goes) = (stage.client("Loses").await, stage.client("Goes").await);
    let issued = stage.now();

    let none = ClientSettings { scopes: Some(vec![]), ..ClientSettings::default() };
    clients::update(&stage.gate, &ACTOR, &loses.client.client_id, none).await.unwrap();
    clients::delete(&stage.gate, &ACTOR, &goes.client.client_id).await.unwrap();

    assert!(is_revoked(&stage.gate, &loses, issued));
    assert!(is_revoked(&stage.gate, &goes, issued));
}

#[tokio::test]
async fn what_a_node_gives_out_before_it_has_heard_of_a_loss_ends_with_it() {
    let stage = Stage::with_api().await;
    let (first, second) = (stage.client("First").await, stage.client("Second").await);
    let other = stage.second_node().await;
    for client in [&first, &second] {
        ask(&other, &client.client.client_id, client.secret.expose()).await.unwrap();
    }
    let secrets = secrets::list(&stage.gate, &first.client.client_id).await.unwrap();

    let ending = Ending { force: true, kill_tokens: true };
    let first_id = first.client.client_id.as_str();
    secrets::end(&stage.gate, &ACTOR, first_id, secrets[0].secret_id, ending).await.unwrap();
    let none = ClientSettings { scopes: Some(vec![]), ..ClientSettings::default() };
    clients::update(&stage.gate, &ACTOR, &second.client.client_id, none).await.unwrap();

    stage.pass(Duration::from_millis(400));
    for client in [&first, &second] {
        let got = ask(&other, &client.client.client_id, client.secret.expose()).await;
        assert!(got.is_ok(), "the other node has not heard yet");
        assert!(is_revoked(&stage.gate, client, stage.now()));
    }
    gatepost_operations::news::take_up(&other).await.unwrap();
    assert!(is_revoked(&other, &first, stage.now()));
    assert!(is_revoked(&other, &second, stage.now()));
}

#[tokio::test]
async fn what_a_node_gives_out_for_an_api_before_it_has_heard_that_it_was_taken_away_ends_with_it() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let other = stage.second_node().await;
    let id = client.client.client_id.as_str();
    ask(&other, id, client.secret.expose()).await.unwrap();

    // Without its scopes first, for they belong to the API; what ends with them is over before the API goes.
    let none = ClientSettings { scopes: Some(vec![]), ..ClientSettings::default() };
    clients::update(&stage.gate, &ACTOR, id, none).await.unwrap();
    stage.pass(Duration::from_secs(60));
    gatepost_operations::news::take_up(&other).await.unwrap();
    let elsewhere = ClientSettings { apis: Some(vec!["default".into()]), ..ClientSettings::default() };
    clients::update(&stage.gate, &ACTOR, id, elsewhere).await.unwrap();

    stage.pass(Duration::from_millis(400));
    assert!(ask(&other, id, client.secret.expose()).await.is_ok(), "the other node has not heard yet");
    gatepost_operations::news::take_up(&other).await.unwrap();
    assert!(is_revoked(&other, &client, stage.now()));
    let bookings =
        stage.gate.ring().apis().iter().find(|api| api.api.name.as_str() == "bookings").unwrap().api.id;
    assert_eq!(other.revocations.now().about(bookings).count(), 1, "the API that is lost is told");
}

#[tokio::test]
async fn a_client_waits_for_a_token_rather_than_get_one_that_is_dead_from_the_start() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let id = client.client.client_id.as_str();
    let kept = secrets::add(&stage.gate, &ACTOR, id, AddSecret::default()).await.unwrap();
    let listed = secrets::list(&stage.gate, id).await.unwrap();
    let leaked =
        listed.iter().map(|known| known.secret_id).find(|known| *known != kept.view.secret_id).unwrap();
    secrets::end(&stage.gate, &ACTOR, id, leaked, Ending { force: false, kill_tokens: true }).await.unwrap();

    let refused = ask(&stage.gate, id, kept.secret.expose()).await.err().unwrap();
    assert_eq!(refused.code.as_str(), "temporarily_unavailable", "the clock stands still");

    let time_goes_on = async {
        tokio::task::yield_now().await;
        stage.pass(Duration::from_secs(2));
    };
    let (token, ()) = tokio::join!(ask(&stage.gate, id, kept.secret.expose()), time_goes_on);
    assert!(token.is_ok());
    assert!(!is_revoked(&stage.gate, &client, stage.now()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_operators_at_once_on_two_nodes_neither_loses_what_the_other_did() {
    let stage = Stage::with_api().await;
    let id = stage.client("Acme").await.client.client_id;
    let nodes = [Arc::new(stage.second_node().await), Arc::new(stage.second_node().await)];
    for round in 1..=8_u32 {
        let named = {
            let (gate, id) = (Arc::clone(&nodes[0]), id.clone());
            let settings = ClientSettings { name: Some(format!("n{round}")), ..ClientSettings::default() };
            tokio::spawn(async move {
                clients::update(&gate, &ACTOR, &id, settings).await?;
                let settings = PartnerSettings { name: Some(format!("p{round}")), expires: None };
                partners::update(&gate, &ACTOR, "acme", settings).await
            })
        };
        let (gate, client) = (Arc::clone(&nodes[1]), id.clone());
        let timed = tokio::spawn(async move {
            let settings = ClientSettings { lifetime: Some(round), ..ClientSettings::default() };
            clients::update(&gate, &ACTOR, &client, settings).await?;
            if round % 2 == 0 {
                clients::resume(&gate, &ACTOR, &client).await?;
                partners::resume(&gate, &ACTOR, "acme").await
            } else {
                clients::suspend(&gate, &ACTOR, &client).await?;
                partners::suspend(&gate, &ACTOR, "acme").await
            }
        });
        named.await.unwrap().unwrap();
        timed.await.unwrap().unwrap();

        let (client, partner) = (
            clients::show(&stage.gate, &id).await.unwrap(),
            partners::show(&stage.gate, "acme").await.unwrap(),
        );
        let status = if round % 2 == 0 { "active" } else { "suspended" };
        assert_eq!((client.name, client.lifetime, client.status), (format!("n{round}"), round, status));
        assert_eq!((partner.name, partner.status), (format!("p{round}"), status));
    }
}

#[tokio::test]
async fn another_node_and_a_restart_know_what_was_revoked() {
    let stage = Stage::with_api().await;
    let acme = stage.client("Acme").await;
    let other = stage.second_node().await;
    let issued = stage.now();

    revocations::end_tokens_of_client(&stage.gate, &ACTOR, &acme.client.client_id).await.unwrap();
    assert!(!is_revoked(&other, &acme, issued));
    gatepost_operations::news::take_up(&other).await.unwrap();
    assert!(is_revoked(&other, &acme, issued));
    assert!(is_revoked(&stage.second_node().await, &acme, issued));
}

#[tokio::test]
async fn a_revocation_is_forgotten_when_its_last_token_has_expired() {
    let stage = Stage::with_api().await;
    let acme = stage.client("Acme").await;
    revocations::end_tokens_of_client(&stage.gate, &ACTOR, &acme.client.client_id).await.unwrap();

    stage.pass(Duration::from_secs(86_400 + 61));
    background::sweeping::sweep(&stage.gate).await.unwrap();
    assert!(stage.gate.store().revocations(0, Timestamp::from_micros(0), 10).await.unwrap().is_empty());
    assert!(!is_revoked(&stage.second_node().await, &acme, Timestamp::from_micros(0)));
}

#[tokio::test]
async fn a_revoked_token_is_told_to_its_own_api_only() {
    let stage = Stage::with_api().await;
    let ring = stage.gate.ring();
    let ids: Vec<_> = ring.apis().iter().map(|api| api.api.id).collect();
    let expires = stage.now().after(Duration::from_secs(60));

    let token = TokenToEnd { api: ids[0], jti: "j-1", client: ClientId::parse("c").unwrap(), expires };
    revocations::revoke_token(&stage.gate, &ACTOR, token).await.unwrap();
    let set = stage.gate.revocations.now();
    assert_eq!((set.about(ids[0]).count(), set.about(ids[1]).count()), (1, 0));
}

#[tokio::test]
async fn a_client_gives_back_so_many_live_tokens_and_an_operator_is_not_bound() {
    let stage = Stage::with_settings(&[("revocations.max_per_client", "3")]).await;
    let api = stage.gate.ring().apis()[0].api.id;
    let (acme, other) = (ClientId::parse("acme").unwrap(), ClientId::parse("other").unwrap());
    let give_back = async |gate: &Gate, client: &ClientId, jti: &str, seconds: u64| {
        let actor = Actor::Client { client_id: client.to_string() };
        let expires = stage.now().after(Duration::from_secs(seconds));
        let token = TokenToEnd { api, jti, client: client.clone(), expires };
        revocations::revoke_token(gate, &actor, token).await.map_err(|not| Failure::from(not).code)
    };
    for jti in ["1", "2", "3"] {
        give_back(&stage.gate, &acme, jti, 600).await.unwrap();
    }
    assert_eq!(give_back(&stage.gate, &acme, "4", 600).await, Err("revocation.too_many"));
    assert_eq!(give_back(&stage.gate, &acme, "1", 600).await, Ok(()), "it is revoked already");
    assert_eq!(give_back(&stage.gate, &other, "5", 600).await, Ok(()), "others have places of their own");
    let restarted = stage.second_node().await;
    assert_eq!(restarted.revocations.now().tokens_of(&acme), 3, "the store knows whose they are");

    let expires = stage.now().after(Duration::from_secs(600));
    let token = TokenToEnd { api, jti: "6", client: acme.clone(), expires };
    revocations::revoke_token(&stage.gate, &ACTOR, token).await.unwrap();
    assert!(stage.gate.revocations.now().holds_token("6"));

    stage.pass(Duration::from_secs(600) + stage.gate.config.tokens.leeway);
    assert_eq!(give_back(&stage.gate, &acme, "7", 600).await, Ok(()), "places come back with expiry");
}

#[tokio::test]
async fn an_api_has_places_for_so_many_single_tokens_and_coarse_revocations_need_none() {
    let stage = Stage::with_settings(&[("revocations.max_per_api", "3")]).await;
    let (api, other) = (stage.gate.ring().apis()[0].api.id, ApiId(uuid::Uuid::from_u128(1)));
    let revoke = async |actor: &Actor, api: ApiId, jti: &str, seconds: u64| {
        let expires = stage.now().after(Duration::from_secs(seconds));
        let client = ClientId::parse(&format!("client-{jti}")).unwrap();
        let token = TokenToEnd { api, jti, client, expires };
        revocations::revoke_token(&stage.gate, actor, token).await
    };
    let by_client = Actor::Client { client_id: "c".into() };
    for (actor, jti, seconds) in [(&by_client, "1", 600), (&by_client, "2", 300), (&ACTOR, "3", 900)] {
        revoke(actor, api, jti, seconds).await.unwrap();
    }
    let first_end = stage.now().after(Duration::from_secs(300) + stage.gate.config.tokens.leeway);
    for actor in [&by_client, &ACTOR] {
        let Err(NotRevoked::Full { until, failure }) = revoke(actor, api, "4", 600).await else {
            panic!("there is no place");
        };
        assert_eq!((until, failure.code), (Some(first_end), "revocation.api_full"));
        assert!(failure.fix.contains("gatepost token revoke --client"), "{}", failure.fix);
    }
    revoke(&by_client, other, "5", 600).await.unwrap();
    let what = Revoked::Client(ClientId::parse("client-4").unwrap());
    let coarse = Revocation::of_all(what, vec![api], Duration::from_secs(600), stage.now());
    stage.gate.apply(&ACTOR, vec![Change::Revoked(coarse)]).await.unwrap();

    stage.pass(first_end.since(stage.now()));
    revoke(&by_client, api, "4", 600).await.unwrap();
}

#[tokio::test]
async fn many_revocations_of_a_client_at_once_stay_within_the_bound() {
    let stage = Stage::with_settings(&[("revocations.max_per_client", "5")]).await;
    let expires = stage.now().after(Duration::from_secs(600));
    let gate = Arc::new(stage.gate);
    let id = gate.ring().apis()[0].api.id;
    let mut giving = tokio::task::JoinSet::new();
    for number in 0..40 {
        let gate = Arc::clone(&gate);
        giving.spawn(async move {
            let (jti, client) = (number.to_string(), ClientId::parse("acme").unwrap());
            let actor = Actor::Client { client_id: client.to_string() };
            let token = TokenToEnd { api: id, jti: &jti, client, expires };
            revocations::revoke_token(&gate, &actor, token).await.is_ok()
        });
    }
    let outcomes = giving.join_all().await;
    assert_eq!(outcomes.into_iter().filter(|done| *done).count(), 5);
}
