//! This file is where clients and partners expire: for who asks, and for good.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gatepost_operations::clients::{self, ClientSettings};
use gatepost_operations::core::change::Change;
use gatepost_operations::core::clients::{Client, ClientId, UserId};
use gatepost_operations::core::time::Timestamp;
use gatepost_operations::expiry::{self, Expires, Expiries};
use gatepost_operations::failure::Kind;
use gatepost_operations::gate::Gate;
use gatepost_operations::partners::{self, PartnerSettings};
use gatepost_operations::revocations::IssuedTo;
use gatepost_operations::verification::{self, NotGood};

use uuid::Uuid;

use crate::stage::{ACTOR, Stage, WithSecret, ask};

const MINUTE: Duration = Duration::from_secs(60);

async fn set(stage: &Stage, client: &WithSecret, expires: Expires) {
    let settings = ClientSettings { expires: Some(expires), ..ClientSettings::default() };
    clients::update(&stage.gate, &ACTOR, &client.client.client_id, settings).await.unwrap();
}

async fn set_partner(stage: &Stage, partner: &str, expires: Expires) {
    let settings = PartnerSettings { name: None, expires: Some(expires) };
    partners::update(&stage.gate, &ACTOR, partner, settings).await.unwrap();
}

fn in_a_minute(stage: &Stage) -> Expires {
    Expires::At(stage.now().after(MINUTE))
}

/// Whether a node calls a token of that moment bad, by its expiries and by its revocations.
fn is_bad(gate: &Gate, owner: &WithSecret, issued: Timestamp) -> (bool, bool) {
    let partner = owner.client.partner_id.to_string();
    let client = owner.client.client_id.as_str();
    let token = IssuedTo { jti: "j", client, partner: Some(&partner), issued };
    let ended = gate.expiries.have_ended(client, Some(&partner), gate.clock.now());
    (ended, gate.revocations.now().covers(&token))
}

async fn actions(gate: &Gate) -> Vec<String> {
    let lines = gate.store().audit_lines(0, 1_000).await.unwrap();
    lines.into_iter().map(|line| line.action).collect()
}

#[tokio::test]
async fn at_its_moment_a_client_is_refused_and_its_tokens_are_bad_before_anything_is_written() {
    let stage = Stage::with_api().await;
    let (acme, other) = (stage.client("Acme").await, stage.client("Other").await);
    let (id, secret, issued) = (acme.client.client_id.as_str(), acme.secret.expose(), stage.now());
    set(&stage, &acme, in_a_minute(&stage)).await;
    assert!(ask(&stage.gate, id, secret).await.is_ok());
    assert_eq!(is_bad(&stage.gate, &acme, issued), (false, false));

    stage.pass(MINUTE);
    let wrong = ask(&stage.gate, id, "wrong").await.err().unwrap();
    let refused = ask(&stage.gate, id, secret).await.err().unwrap();
    assert_eq!((refused.code, refused.reason.as_ref()), (wrong.code, "the client has expired"));
    assert_eq!(is_bad(&stage.gate, &acme, issued), (true, false));
    assert_eq!(is_bad(&stage.gate, &other, issued), (false, false));
    assert_eq!(clients::show(&stage.gate, id).await.unwrap().status, "expired");
}

#[tokio::test]
async fn a_token_of_a_client_that_has_ended_is_not_good_before_anything_is_written() {
    let stage = Stage::with_api().await;
    let acme = stage.client("Acme").await;
    set(&stage, &acme, in_a_minute(&stage)).await;
    let issued = ask(&stage.gate, &acme.client.client_id, acme.secret.expose()).await.unwrap();
    let judged = verification::good(&stage.gate, None, &issued.access_token).unwrap();
    assert_eq!(judged.api, "bookings");

    stage.pass(MINUTE);
    let refused = verification::good(&stage.gate, None, &issued.access_token);
    assert!(matches!(refused, Err(NotGood::Revoked)), "{refused:?}");
    let judged = verification::judge(&stage.gate, None, &issued.access_token);
    assert!(judged.is_ok(), "its own life is not over: {judged:?}");
}

#[tokio::test]
async fn the_step_writes_the_expiry_with_its_audit_line_and_ends_what_was_issued_before() {
    let stage = Stage::with_api().await;
    let (acme, issued) = (stage.client("Acme").await, stage.now());
    set(&stage, &acme, in_a_minute(&stage)).await;
    expiry::tick(&stage.gate).await.unwrap();
    assert!(!actions(&stage.gate).await.contains(&"client.expired".to_owned()), "it is not due");

    stage.pass(MINUTE);
    expiry::tick(&stage.gate).await.unwrap();
    expiry::tick(&stage.gate).await.unwrap();
    assert_eq!(is_bad(&stage.gate, &acme, issued), (false, true), "revoked, so guards elsewhere hear of it");
    let written = actions(&stage.gate).await;
    assert_eq!(written[written.len() - 2..], ["client.expired", "token.revoked"]);
    assert_eq!(written.iter().filter(|action| *action == "client.expired").count(), 1);
}

#[tokio::test]
async fn a_partner_takes_its_clients_with_it() {
    let stage = Stage::with_api().await;
    let (acme, issued) = (stage.client("Acme").await, stage.now());
    set_partner(&stage, "acme", in_a_minute(&stage)).await;

    stage.pass(MINUTE);
    let refused = ask(&stage.gate, &acme.client.client_id, acme.secret.expose()).await.err().unwrap();
    assert_eq!(refused.reason, "the partner has expired");
    assert_eq!(is_bad(&stage.gate, &acme, issued), (true, false));
    expiry::tick(&stage.gate).await.unwrap();
    assert_eq!(is_bad(&stage.gate, &acme, issued), (false, true));
    assert_eq!(partners::show(&stage.gate, "acme").await.unwrap().status, "expired");
    assert!(ask(&stage.gate, &acme.client.client_id, acme.secret.expose()).await.is_err());
}

#[tokio::test]
async fn tokens_live_no_longer_than_their_client_and_say_so() {
    let stage = Stage::with_api().await;
    let acme = stage.client("Acme").await;
    let asked = async || ask(&stage.gate, &acme.client.client_id, acme.secret.expose()).await;
    assert_eq!(asked().await.unwrap().expires_in, 3_600);

    set(&stage, &acme, Expires::At(stage.now().after(MINUTE * 2))).await;
    stage.pass(MINUTE / 4);
    assert_eq!(asked().await.unwrap().expires_in, 105);
    set_partner(&stage, "acme", in_a_minute(&stage)).await;
    assert_eq!(asked().await.unwrap().expires_in, 60);
}

#[tokio::test]
async fn a_later_end_lets_a_client_get_tokens_again_and_revives_none() {
    let stage = Stage::with_api().await;
    let (acme, issued) = (stage.client("Acme").await, stage.now());
    let (id, secret) = (acme.client.client_id.as_str(), acme.secret.expose());
    set(&stage, &acme, in_a_minute(&stage)).await;
    set_partner(&stage, "acme", in_a_minute(&stage)).await;
    stage.pass(MINUTE);
    expiry::tick(&stage.gate).await.unwrap();

    let resumed = clients::resume(&stage.gate, &ACTOR, id).await.err().unwrap();
    assert_eq!((resumed.kind, resumed.code), (Kind::Conflict, "expired"));
    let resumed = partners::resume(&stage.gate, &ACTOR, "acme").await.err().unwrap();
    assert_eq!((resumed.kind, resumed.code), (Kind::Conflict, "expired"));

    set(&stage, &acme, Expires::Never).await;
    set_partner(&stage, "acme", in_a_minute(&stage)).await;
    stage.pass(Duration::from_secs(2));
    assert!(ask(&stage.gate, id, secret).await.is_ok());
    assert_eq!(is_bad(&stage.gate, &acme, issued), (false, true));
}

#[tokio::test]
async fn what_is_moved_on_in_time_is_not_expired_by_a_node_that_has_not_heard_of_it() {
    let stage = Stage::with_api().await;
    let other = stage.second_node().await;
    let (acme, issued) = (stage.client("Acme").await, stage.now());
    set(&stage, &acme, in_a_minute(&stage)).await;
    gatepost_operations::news::take_up(&other).await.unwrap();
    set(&stage, &acme, Expires::Never).await;

    stage.pass(MINUTE);
    expiry::tick(&other).await.unwrap();
    expiry::tick(&stage.gate).await.unwrap();
    assert_eq!(is_bad(&stage.gate, &acme, issued), (false, false));
    assert_eq!(clients::show(&stage.gate, &acme.client.client_id).await.unwrap().status, "active");
}

#[tokio::test]
async fn a_later_end_after_the_moment_revives_no_token_even_if_nothing_was_written_in_between() {
    let stage = Stage::with_api().await;
    let (acme, other) = (stage.client("Acme").await, stage.client("Other").await);
    let (id, secret, issued) = (acme.client.client_id.as_str(), acme.secret.expose(), stage.now());
    set(&stage, &acme, in_a_minute(&stage)).await;
    set_partner(&stage, "other", in_a_minute(&stage)).await;
    stage.pass(MINUTE);

    set(&stage, &acme, Expires::Never).await;
    set_partner(&stage, "other", Expires::Never).await;
    assert_eq!(is_bad(&stage.gate, &acme, issued), (false, true));
    assert_eq!(is_bad(&stage.gate, &other, issued), (false, true));
    stage.pass(Duration::from_secs(2));
    assert!(ask(&stage.gate, id, secret).await.is_ok());
    assert_eq!(is_bad(&stage.gate, &acme, stage.now()), (false, false), "what it gets from now on is good");
}

#[tokio::test]
async fn another_name_for_what_has_ended_leaves_its_expiry_to_the_step() {
    let stage = Stage::with_api().await;
    let (acme, issued) = (stage.client("Acme").await, stage.now());
    set(&stage, &acme, in_a_minute(&stage)).await;
    stage.pass(MINUTE);

    let settings = ClientSettings { name: Some("Renamed".into()), ..ClientSettings::default() };
    clients::update(&stage.gate, &ACTOR, &acme.client.client_id, settings).await.unwrap();
    assert_eq!(is_bad(&stage.gate, &acme, issued), (true, false));
    expiry::tick(&stage.gate).await.unwrap();
    assert_eq!(is_bad(&stage.gate, &acme, issued), (false, true));
}

#[tokio::test]
async fn an_end_in_the_past_is_refused() {
    let stage = Stage::with_api().await;
    let acme = stage.client("Acme").await;
    let expires = Some(Expires::At(stage.now()));
    let settings = ClientSettings { expires, ..ClientSettings::default() };
    let refused = clients::update(&stage.gate, &ACTOR, &acme.client.client_id, settings).await.err().unwrap();
    assert_eq!(refused.code, "expires.past");
    let settings = PartnerSettings { name: None, expires };
    let refused = partners::update(&stage.gate, &ACTOR, "acme", settings).await.err().unwrap();
    assert_eq!(refused.code, "expires.past");
}

#[tokio::test]
async fn what_is_suspended_stays_so_whatever_its_end() {
    let stage = Stage::with_api().await;
    let acme = stage.client("Acme").await;
    let id = acme.client.client_id.as_str();
    set(&stage, &acme, in_a_minute(&stage)).await;
    clients::suspend(&stage.gate, &ACTOR, id).await.unwrap();
    stage.pass(MINUTE);
    expiry::tick(&stage.gate).await.unwrap();
    assert_eq!(clients::show(&stage.gate, id).await.unwrap().status, "suspended");

    set(&stage, &acme, Expires::Never).await;
    assert_eq!(clients::show(&stage.gate, id).await.unwrap().status, "suspended");
    clients::resume(&stage.gate, &ACTOR, id).await.unwrap();
    stage.pass(MINUTE);
    assert!(ask(&stage.gate, id, acme.secret.expose()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_nodes_one_writes_the_expiry() {
    let stage = Stage::with_api().await;
    let (acme, issued) = (stage.client("Acme").await, stage.now());
    set(&stage, &acme, in_a_minute(&stage)).await;
    let nodes = [Arc::new(stage.second_node().await), Arc::new(stage.second_node().await)];
    stage.pass(MINUTE);

    let ticks = (0..8).map(|number| {
        let gate = Arc::clone(&nodes[number % 2]);
        tokio::spawn(async move { expiry::tick(&gate).await })
    });
    for tick in ticks.collect::<Vec<_>>() {
        tick.await.unwrap().unwrap();
    }
    let written = actions(&stage.gate).await;
    assert_eq!(written.iter().filter(|action| *action == "client.expired").count(), 1);
    for node in &nodes {
        gatepost_operations::news::take_up(node).await.unwrap();
        assert_eq!(is_bad(node, &acme, issued), (false, true));
    }
}

#[tokio::test]
async fn a_node_that_starts_after_the_moment_does_what_is_due() {
    let stage = Stage::with_api().await;
    let (acme, issued) = (stage.client("Acme").await, stage.now());
    set(&stage, &acme, in_a_minute(&stage)).await;
    stage.pass(MINUTE * 60);

    let late = stage.second_node().await;
    assert_eq!(is_bad(&late, &acme, issued), (true, false), "right from its first answer");
    expiry::tick(&late).await.unwrap();
    assert_eq!(is_bad(&late, &acme, issued), (false, true));
}

#[tokio::test]
async fn what_lies_far_ahead_comes_up_in_time() {
    let stage = Stage::with_api().await;
    let (acme, issued) = (stage.client("Acme").await, stage.now());
    set(&stage, &acme, Expires::At(stage.now().after(MINUTE * 60 * 90))).await;
    for _ in 0..9 {
        stage.pass(MINUTE * 60 * 10);
        assert!(!is_bad(&stage.gate, &acme, issued).1);
        expiry::tick(&stage.gate).await.unwrap();
    }
    assert_eq!(is_bad(&stage.gate, &acme, issued), (false, true));
}

/// So many more clients that end at that moment.
async fn many(stage: &Stage, count: usize, at: Timestamp) {
    let model = stage.client("Many").await.client.client_id;
    let model = stage.gate.store().client_record(&ClientId::parse(&model).unwrap()).await.unwrap().unwrap();
    let client = |number| Client {
        id: ClientId::parse(&format!("client-{number}")).unwrap(),
        user_id: UserId(Uuid::from_u128(number)),
        expires: Some(at),
        ..model.client.clone()
    };
    let made = |number| Change::ClientCreated { client: client(number), secret: None };
    let made = (1..=u128::try_from(count).unwrap()).map(made).map(|change| change.by(ACTOR, stage.now()));
    stage.gate.store().apply(&made.collect::<Vec<_>>()).await.unwrap();
    gatepost_operations::news::take_up(&stage.gate).await.unwrap();
}

/// The ends that were written: of which clients, by how many transactions, and how many revocations came with them.
async fn ends(gate: &Gate) -> (BTreeSet<String>, usize, usize) {
    let (mut clients, mut moments, mut count, mut revoked, mut seq) =
        (BTreeSet::new(), BTreeSet::new(), 0, 0, 0);
    loop {
        let lines = gate.store().audit_lines(seq, 1_000).await.unwrap();
        let Some(last) = lines.last() else { break };
        seq = last.seq;
        for line in lines {
            match line.action.as_str() {
                "client.expired" => {
                    count += 1;
                    clients.insert(line.id);
                    // The lines of one transaction are of one moment.
                    moments.insert(line.at);
                }
                "token.revoked" => revoked += 1,
                _ => {}
            }
        }
    }
    assert_eq!(clients.len(), count, "none is written twice");
    (clients, moments.len(), revoked)
}

#[tokio::test]
async fn a_thousand_that_end_at_one_moment_are_written_by_a_few_transactions() {
    let stage = Stage::with_api().await;
    many(&stage, 1_000, stage.now().after(MINUTE)).await;
    stage.pass(MINUTE);
    stage.let_run();
    expiry::tick(&stage.gate).await.unwrap();
    let (clients, transactions, revoked) = ends(&stage.gate).await;
    assert_eq!((clients.len(), transactions, revoked), (1_000, 4, 1_000));
}

#[tokio::test]
async fn more_than_memory_holds_are_all_written_in_one_step() {
    let mut stage = Stage::with_api().await;
    stage.gate.expiries = Expiries::with_room(10);
    many(&stage, 35, stage.now().after(MINUTE)).await;
    stage.pass(MINUTE);
    expiry::tick(&stage.gate).await.unwrap();
    assert_eq!(ends(&stage.gate).await.0.len(), 35);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_at_once_write_each_of_many_ends_once() {
    let stage = Stage::with_api().await;
    many(&stage, 600, stage.now().after(MINUTE)).await;
    let nodes = [Arc::new(stage.second_node().await), Arc::new(stage.second_node().await)];
    stage.pass(MINUTE);
    let ticks = nodes.map(|gate| tokio::spawn(async move { expiry::tick(&gate).await }));
    for tick in ticks {
        tick.await.unwrap().unwrap();
    }
    let (clients, _, revoked) = ends(&stage.gate).await;
    assert_eq!((clients.len(), revoked), (600, 600));
}
