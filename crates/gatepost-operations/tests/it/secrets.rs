//! This file is where secrets are rolled, limited, counted and ended.

use std::sync::Arc;
use std::time::Duration;

use gatepost_operations::core::clients::{ClientId, Term};
use gatepost_operations::failure::Kind;
use gatepost_operations::secrets::{self, AddSecret, Ending, Rolling};
use gatepost_operations::{api_secrets, master_key, news, usage};

use crate::stage::{ACTOR, Stage, ask, open};

const DAY: Duration = Duration::from_secs(86_400);

fn over(overlap: Duration) -> Rolling {
    Rolling { overlap, term: Term::default() }
}

#[tokio::test]
async fn a_roll_lets_old_and_new_in_until_the_overlap_closes_itself() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let id = client.client.client_id.as_str();
    let old = client.secret.expose();

    let new = secrets::roll(&stage.gate, &ACTOR, id, over(DAY)).await.unwrap();
    assert!(ask(&stage.gate, id, old).await.is_ok());
    assert!(ask(&stage.gate, id, new.secret.expose()).await.is_ok());

    stage.pass(DAY);
    news::take_up(&stage.gate).await.unwrap();
    let refused = ask(&stage.gate, id, old).await.err().unwrap();
    assert_eq!(refused.reason, "the secret has expired");
    assert!(ask(&stage.gate, id, new.secret.expose()).await.is_ok());
}

#[tokio::test]
async fn a_roll_never_prolongs_a_secret_that_ends_sooner() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let id = client.client.client_id.as_str();
    let expires = Some(stage.now().after(Duration::from_secs(60)));
    let short = secrets::add(
        &stage.gate,
        &ACTOR,
        id,
        AddSecret { label: None, term: Term { expires, ..Term::default() } },
    )
    .await
    .unwrap();

    secrets::roll(&stage.gate, &ACTOR, id, over(DAY)).await.unwrap();
    stage.pass(Duration::from_secs(60));
    assert!(ask(&stage.gate, id, short.secret.expose()).await.is_err());
}

#[tokio::test]
async fn a_roll_without_overlap_ends_all_others_at_once_however_many() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let id = client.client.client_id.as_str();
    for _ in 0..4 {
        secrets::add(&stage.gate, &ACTOR, id, AddSecret::default()).await.unwrap();
    }
    let full = secrets::roll(&stage.gate, &ACTOR, id, over(DAY)).await.err().unwrap();
    assert_eq!((full.kind, full.code), (Kind::Conflict, "secret.too_many"));

    let new = secrets::roll(&stage.gate, &ACTOR, id, over(Duration::ZERO)).await.unwrap();
    assert!(ask(&stage.gate, id, client.secret.expose()).await.is_err());
    assert!(ask(&stage.gate, id, new.secret.expose()).await.is_ok());
}

#[tokio::test]
async fn the_list_tells_when_from_where_and_how_often_a_secret_was_used() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let id = client.client.client_id.as_str();
    ask(&stage.gate, id, client.secret.expose()).await.unwrap();
    ask(&stage.gate, id, client.secret.expose()).await.unwrap();
    usage::flush(&stage.gate).await.unwrap();

    let listed = secrets::list(&stage.gate, id).await.unwrap();
    assert_eq!((listed[0].uses, listed[0].last_address.as_deref()), (2, Some("192.0.2.7")));
    assert!(listed[0].last_used.is_some());
    let lately = secrets::used_lately(&stage.gate, id, listed[0].secret_id, DAY).await.unwrap();
    assert!(lately.is_some());
    stage.pass(DAY * 2);
    assert!(secrets::used_lately(&stage.gate, id, listed[0].secret_id, DAY).await.unwrap().is_none());
}

#[tokio::test]
async fn the_last_usable_secret_goes_only_with_force() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let id = client.client.client_id.as_str();
    let only = secrets::list(&stage.gate, id).await.unwrap()[0].secret_id;

    let refused = secrets::end(&stage.gate, &ACTOR, id, only, Ending::default()).await.unwrap_err();
    assert_eq!((refused.kind, refused.code), (Kind::Conflict, "secret.last"));
    let force = Ending { force: true, kill_tokens: true };
    secrets::end(&stage.gate, &ACTOR, id, only, force).await.unwrap();
    assert!(ask(&stage.gate, id, client.secret.expose()).await.is_err());
    let set = stage.gate.revocations.now();
    let api = stage.gate.ring().apis().iter().find(|api| api.api.name.as_str() == "bookings").unwrap().api.id;
    assert_eq!(set.about(api).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_add_at_once_on_two_nodes_no_more_get_a_secret_than_the_client_may_have() {
    let stage = Stage::with_api().await;
    let id = stage.client("Acme").await.client.client_id;
    let most = stage.gate.config.clients.max_secrets;
    let nodes = [Arc::new(stage.second_node().await), Arc::new(stage.second_node().await)];

    let adds = (0..16).map(|number| {
        let (gate, id) = (Arc::clone(&nodes[number % 2]), id.clone());
        tokio::spawn(async move { secrets::add(&gate, &ACTOR, &id, AddSecret::default()).await })
    });
    let mut added = 0;
    for add in adds.collect::<Vec<_>>() {
        match add.await.unwrap() {
            Ok(_) => added += 1,
            Err(refused) => assert_eq!((refused.kind, refused.code), (Kind::Conflict, "secret.too_many")),
        }
    }
    assert_eq!(added, most - 1);
    assert_eq!(secrets::list(&stage.gate, &id).await.unwrap().len(), most);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_end_at_once_on_two_nodes_none_ends_the_last_usable_secret() {
    let stage = Stage::with_api().await;
    let id = stage.client("Acme").await.client.client_id;
    for _ in 1..stage.gate.config.clients.max_secrets {
        secrets::add(&stage.gate, &ACTOR, &id, AddSecret::default()).await.unwrap();
    }
    let all = secrets::list(&stage.gate, &id).await.unwrap();
    let nodes = [Arc::new(stage.second_node().await), Arc::new(stage.second_node().await)];

    let ends = (0..16).map(|number| {
        let (gate, id, secret) =
            (Arc::clone(&nodes[number % 2]), id.clone(), all[number % all.len()].secret_id);
        tokio::spawn(async move { secrets::end(&gate, &ACTOR, &id, secret, Ending::default()).await })
    });
    let mut ended = 0;
    for end in ends.collect::<Vec<_>>() {
        match end.await.unwrap() {
            Ok(()) => ended += 1,
            Err(refused) => assert!(["secret.last", "secret.over"].contains(&refused.code), "{refused:?}"),
        }
    }
    let left = secrets::list(&stage.gate, &id).await.unwrap();
    assert_eq!(left.iter().filter(|secret| secret.state == "active").count(), 1);
    assert_eq!(ended, all.len() - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_too_keeps_its_last_secret_and_its_bound_when_many_ask_at_once() {
    let stage = Stage::with_api().await;
    let nodes = [Arc::new(stage.second_node().await), Arc::new(stage.second_node().await)];
    let adds = (0..16).map(|number| {
        let gate = Arc::clone(&nodes[number % 2]);
        tokio::spawn(async move {
            api_secrets::add(&gate, &ACTOR, "bookings", AddSecret::default()).await.is_ok()
        })
    });
    for add in adds.collect::<Vec<_>>() {
        add.await.unwrap();
    }
    let all = api_secrets::list(&stage.gate, "bookings").await.unwrap();
    assert_eq!(all.len(), stage.gate.config.clients.max_secrets);

    let ends = (0..16).map(|number| {
        let (gate, secret) = (Arc::clone(&nodes[number % 2]), all[number % all.len()].secret_id);
        tokio::spawn(async move { api_secrets::end(&gate, &ACTOR, "bookings", secret, false).await.is_ok() })
    });
    for end in ends.collect::<Vec<_>>() {
        end.await.unwrap();
    }
    let left = api_secrets::list(&stage.gate, "bookings").await.unwrap();
    assert_eq!(left.iter().filter(|secret| secret.state == "active").count(), 1);
}

#[tokio::test]
async fn a_secret_moves_to_a_new_pepper_at_its_next_use_and_the_old_pepper_can_go() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let (id, secret) = (client.client.client_id.as_str(), client.secret.expose());
    let file = master_key::path(stage.folder.path());
    let before = std::fs::read_to_string(&file).unwrap();
    let (wrapping, old) = before.split_once("[[pepper]]").unwrap();
    let newest = "[[pepper]]\nid = \"p-new\"\nkey = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"\n\n";
    std::fs::write(&file, format!("{wrapping}{newest}[[pepper]]{old}")).unwrap();

    let gate = open(stage.folder.path(), &stage.hands).await;
    ask(&gate, id, secret).await.unwrap();
    usage::flush(&gate).await.unwrap();
    let tags = gate.store().secrets(&ClientId::parse(id).unwrap()).await.unwrap();
    assert_eq!(tags[0].tag.pepper, "p-new");
    ask(&gate, id, secret).await.unwrap();
}

#[tokio::test]
async fn a_secret_that_is_not_accepted_yet_is_refused_and_only_the_journal_says_why() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let id = client.client.client_id.as_str();
    let (from, until) = (stage.now().after(DAY), stage.now().after(DAY * 2));
    let term = Term { not_before: Some(from), expires: Some(until) };
    let later = secrets::add(&stage.gate, &ACTOR, id, AddSecret { label: None, term }).await.unwrap();
    assert_eq!(later.view.state, "pending");

    let wrong = ask(&stage.gate, id, "wrong").await.err().unwrap();
    let early = ask(&stage.gate, id, later.secret.expose()).await.err().unwrap();
    assert_eq!((early.code, early.parameter), (wrong.code, wrong.parameter));
    assert_eq!(early.reason, "the secret is not valid yet");

    stage.pass(DAY);
    news::take_up(&stage.gate).await.unwrap();
    assert!(ask(&stage.gate, id, later.secret.expose()).await.is_ok());
    let listed = secrets::list(&stage.gate, id).await.unwrap();
    let now = listed.iter().find(|known| known.secret_id == later.view.secret_id).unwrap();
    assert_eq!(now.state, "active");
    stage.pass(DAY);
    news::take_up(&stage.gate).await.unwrap();
    assert!(ask(&stage.gate, id, later.secret.expose()).await.is_err());
}

#[tokio::test]
async fn a_term_that_can_not_be_is_refused() {
    let stage = Stage::with_api().await;
    let id = stage.client("Acme").await.client.client_id;
    let at = |time| Some(stage.now().after(time));
    for term in [
        Term { not_before: None, expires: Some(stage.now()) },
        Term { not_before: at(DAY * 2), expires: at(DAY) },
    ] {
        let how = Rolling { overlap: DAY, term };
        let rolled = secrets::roll(&stage.gate, &ACTOR, &id, how).await.err().unwrap();
        let added =
            secrets::add(&stage.gate, &ACTOR, &id, AddSecret { label: None, term }).await.err().unwrap();
        let request = AddSecret { label: None, term };
        let to_api = api_secrets::add(&stage.gate, &ACTOR, "bookings", request).await.err().unwrap();
        assert_eq!([rolled.code, added.code, to_api.code], ["secret.expires"; 3]);
    }
}

#[tokio::test]
async fn a_roll_to_a_secret_of_tomorrow_leaves_no_moment_without_one() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let (id, old) = (client.client.client_id.as_str(), client.secret.expose());
    let term = Term { not_before: Some(stage.now().after(DAY)), expires: None };
    let new =
        secrets::roll(&stage.gate, &ACTOR, id, Rolling { overlap: Duration::ZERO, term }).await.unwrap();

    stage.pass(DAY - Duration::from_micros(1));
    news::take_up(&stage.gate).await.unwrap();
    assert!(ask(&stage.gate, id, old).await.is_ok());
    assert!(ask(&stage.gate, id, new.secret.expose()).await.is_err());
    stage.pass(Duration::from_micros(1));
    assert!(ask(&stage.gate, id, old).await.is_err());
    assert!(ask(&stage.gate, id, new.secret.expose()).await.is_ok());
}

#[tokio::test]
async fn a_secret_of_an_api_too_has_its_first_moment() {
    let stage = Stage::with_api().await;
    let term = Term { not_before: Some(stage.now().after(DAY)), expires: None };
    let request = AddSecret { label: None, term };
    let added = api_secrets::add(&stage.gate, &ACTOR, "bookings", request).await.unwrap();
    let api = stage.gate.ring().apis().iter().find(|api| api.api.name.as_str() == "bookings").unwrap().api.id;
    let proves = || api_secrets::authenticate(&stage.gate, &api.0.to_string(), &added.secret).is_some();

    assert!(!proves());
    stage.pass(DAY);
    assert!(proves());
}

#[tokio::test]
async fn the_list_tells_when_a_secret_was_ended() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let id = client.client.client_id.as_str();
    let first = secrets::list(&stage.gate, id).await.unwrap().remove(0);
    assert_eq!((first.state, first.ended), ("active", None));

    secrets::roll(&stage.gate, &ACTOR, id, over(Duration::ZERO)).await.unwrap();
    let listed = secrets::list(&stage.gate, id).await.unwrap();
    let first = listed.iter().find(|secret| secret.secret_id == first.secret_id).unwrap();
    let ended = gatepost_operations::clock::written(stage.now());
    assert!(first.ended == Some(ended.clone()) || first.expires == Some(ended), "{first:?}");

    let second = secrets::add(&stage.gate, &ACTOR, id, AddSecret::default()).await.unwrap().view.secret_id;
    secrets::end(&stage.gate, &ACTOR, id, second, Ending::default()).await.unwrap();
    let listed = secrets::list(&stage.gate, id).await.unwrap();
    let second = listed.iter().find(|secret| secret.secret_id == second).unwrap();
    assert_eq!(
        (second.state, second.ended.clone()),
        ("ended", Some(gatepost_operations::clock::written(stage.now())))
    );
}
