//! This file is where it is tested that usage adds up, for whoever counts, and is forgotten in time.

use gatepost_core::change::Change;
use gatepost_core::clients::{Client, ClientId, SecretId, StoredSecret};
use gatepost_core::usage::{ClientUsage, Hour, SecretUsage};
use gatepost_store::Store;

use crate::engines::{Home, on_every_engine};
use crate::samples::{acme, at, audited, client, secret};

on_every_engine![
    counts_add_up_by_client_and_hour,
    usage_is_listed_by_hour_and_client_within_its_bounds,
    the_last_use_of_a_secret_is_the_latest_however_late_it_is_told,
    clients_and_secrets_that_are_gone_are_passed_over,
    usage_goes_with_its_client,
    uses_of_api_secrets_add_up_apart_and_go_with_their_secret,
    many_nodes_that_count_at_once_lose_nothing,
    only_old_hours_are_forgotten,
];

fn count(client: &ClientId, hour: i64, issued: u64, refused: u64) -> ClientUsage {
    ClientUsage { client: client.clone(), hour: Hour(hour), issued, refused }
}

fn used(name: &str, micros: i64, address: &str, count: u64) -> SecretUsage {
    SecretUsage { secret: secret(name).id, at: at(micros), address: address.parse().ok(), count }
}

/// Two clients, the first with two secrets.
async fn two(store: &dyn Store) -> [Client; 2] {
    let (owner, _, app, changes) = acme();
    let other = client("other", &owner, &[]);
    store.apply(&changes).await.unwrap();
    let second = StoredSecret { created: at(5), ..secret("second") };
    let more = [
        Change::SecretAdded { client: app.id.clone(), secret: second },
        Change::ClientCreated { client: other.clone(), secret: Some(secret("others")) },
    ];
    store.apply(&audited(more)).await.unwrap();
    assert!(app.id < other.id);
    [app, other]
}

async fn all(store: &dyn Store) -> Vec<ClientUsage> {
    store.usage(None, Hour(i64::MIN), Hour(i64::MAX)).await.unwrap()
}

async fn counts_add_up_by_client_and_hour(home: Home) {
    let store = home.open().await;
    let [app, other] = two(store.as_ref()).await;
    let counts = [count(&app.id, 7, 10, 1), count(&other.id, 7, 5, 0), count(&app.id, 7, 100, 0)];
    store.add_usage(&counts, &[]).await.unwrap();
    store.add_usage(&[count(&app.id, 7, 1_000, 2), count(&app.id, 8, 1, 1)], &[]).await.unwrap();
    store.add_usage(&[], &[]).await.unwrap();

    let sums = [count(&app.id, 7, 1_110, 3), count(&other.id, 7, 5, 0), count(&app.id, 8, 1, 1)];
    assert_eq!(all(store.as_ref()).await, sums);
    assert_eq!(store.head().await.unwrap(), 7, "counting is no change");
}

async fn usage_is_listed_by_hour_and_client_within_its_bounds(home: Home) {
    let store = home.open().await;
    let [app, other] = two(store.as_ref()).await;
    let counts = [9, 6, 8, 7].map(|hour| [count(&other.id, hour, 2, 0), count(&app.id, hour, 1, 0)]);
    store.add_usage(counts.as_flattened(), &[]).await.unwrap();

    let both = [7, 8].map(|hour| [count(&app.id, hour, 1, 0), count(&other.id, hour, 2, 0)]);
    assert_eq!(store.usage(None, Hour(7), Hour(8)).await.unwrap(), both.as_flattened());
    let one = [7, 8, 9].map(|hour| count(&other.id, hour, 2, 0));
    assert_eq!(store.usage(Some(&other.id), Hour(7), Hour(900)).await.unwrap(), one);
    assert_eq!(store.usage(None, Hour(10), Hour(900)).await.unwrap(), []);
}

async fn the_last_use_of_a_secret_is_the_latest_however_late_it_is_told(home: Home) {
    let store = home.open().await;
    let [app, other] = two(store.as_ref()).await;
    let told = [
        vec![used("first", 50, "192.0.2.5", 3), used("others", 1, "", 1)],
        vec![used("first", 40, "192.0.2.4", 4), used("second", 9, "2001:db8::1", 1)],
        vec![used("second", 12, "", 1), used("second", 10, "192.0.2.1", 1)],
    ];
    for secrets in told {
        store.add_usage(&[], &secrets).await.unwrap();
    }

    let found = store.secret_usage(&app.id).await.unwrap();
    assert_eq!(found, [used("first", 50, "192.0.2.5", 7), used("second", 12, "", 3)]);
    assert_eq!(store.secret_usage(&other.id).await.unwrap(), [used("others", 1, "", 1)]);
}

async fn clients_and_secrets_that_are_gone_are_passed_over(home: Home) {
    let store = home.open().await;
    let [app, other] = two(store.as_ref()).await;
    let nobody = ClientId::parse("nobody").unwrap();
    store.apply(&audited([Change::ClientDeleted(other.id.clone())])).await.unwrap();
    let counts = [count(&nobody, 7, 1, 0), count(&other.id, 7, 1, 0), count(&app.id, 7, 1, 0)];
    let lost = SecretUsage { secret: SecretId(uuid::Uuid::max()), ..used("first", 1, "", 1) };
    store.add_usage(&counts, &[lost, used("others", 1, "", 1), used("first", 1, "", 1)]).await.unwrap();

    assert_eq!(all(store.as_ref()).await, [count(&app.id, 7, 1, 0)]);
    assert_eq!(store.secret_usage(&app.id).await.unwrap(), [used("first", 1, "", 1)]);
    assert_eq!(store.secret_usage(&other.id).await.unwrap(), []);
}

async fn usage_goes_with_its_client(home: Home) {
    let store = home.open().await;
    let [app, other] = two(store.as_ref()).await;
    let counts = [count(&app.id, 7, 1, 0), count(&other.id, 7, 1, 0)];
    store.add_usage(&counts, &[used("first", 1, "", 1)]).await.unwrap();
    store.apply(&audited([Change::ClientDeleted(app.id.clone())])).await.unwrap();

    assert_eq!(all(store.as_ref()).await, [count(&other.id, 7, 1, 0)]);
    assert_eq!(store.secret_usage(&app.id).await.unwrap(), []);
}

async fn uses_of_api_secrets_add_up_apart_and_go_with_their_secret(home: Home) {
    let store = home.open().await;
    let (_, bookings, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    let add = |name: &str| Change::ApiSecretAdded { api: bookings.id, secret: secret(name) };
    store.apply(&audited([add("guards"), add("proxy")])).await.unwrap();

    let lost = SecretUsage { secret: SecretId(uuid::Uuid::max()), ..used("guards", 1, "", 1) };
    store.add_api_usage(&[used("guards", 50, "192.0.2.5", 3), lost, used("first", 1, "", 1)]).await.unwrap();
    store.add_api_usage(&[used("guards", 40, "192.0.2.4", 4), used("proxy", 9, "", 1)]).await.unwrap();
    store.add_usage(&[], &[used("guards", 99, "", 1)]).await.unwrap();

    let mut found = store.api_secret_usage(bookings.id).await.unwrap();
    found.sort_by_key(|usage| usage.at);
    assert_eq!(found, [used("proxy", 9, "", 1), used("guards", 50, "192.0.2.5", 7)]);
    assert_eq!(store.secret_usage(&app.id).await.unwrap(), [], "no client's secret was used");

    let gone = [Change::ClientDeleted(app.id), Change::ApiDeleted(bookings.id)];
    store.apply(&audited(gone)).await.unwrap();
    assert_eq!(store.api_secret_usage(bookings.id).await.unwrap(), []);
}

async fn many_nodes_that_count_at_once_lose_nothing(home: Home) {
    let nodes = [home.open().await, home.open().await];
    let [app, other] = two(nodes[0].as_ref()).await;
    let flushes = (0..40).map(|number| {
        let store = nodes[number % 2].clone();
        let mut counts = vec![count(&app.id, 7, 1, 2), count(&other.id, 7, 1, 0)];
        let mut secrets = vec![used("first", 1, "", 1), used("others", 1, "", 1)];
        if number % 3 == 0 {
            counts.reverse();
            secrets.reverse();
        }
        tokio::spawn(async move { store.add_usage(&counts, &secrets).await.unwrap() })
    });
    for flush in flushes.collect::<Vec<_>>() {
        flush.await.unwrap();
    }

    assert_eq!(all(nodes[1].as_ref()).await, [count(&app.id, 7, 40, 80), count(&other.id, 7, 40, 0)]);
    assert_eq!(nodes[1].secret_usage(&app.id).await.unwrap(), [used("first", 1, "", 40)]);
}

async fn only_old_hours_are_forgotten(home: Home) {
    let store = home.open().await;
    let [app, other] = two(store.as_ref()).await;
    let counts = (1..=5).flat_map(|hour| [count(&app.id, hour, 1, 0), count(&other.id, hour, 1, 0)]);
    store.add_usage(&counts.collect::<Vec<_>>(), &[]).await.unwrap();

    assert_eq!(store.forget_usage(Hour(1), 100).await.unwrap(), 0);
    assert_eq!(store.forget_usage(Hour(4), 4).await.unwrap(), 4);
    assert_eq!(store.forget_usage(Hour(4), 4).await.unwrap(), 2);
    assert_eq!(store.forget_usage(Hour(4), 4).await.unwrap(), 0);
    let hours = all(store.as_ref()).await.into_iter().map(|count| count.hour.0).collect::<Vec<_>>();
    assert_eq!(hours, [4, 4, 5, 5]);
}
