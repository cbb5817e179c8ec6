//! This file is where it is tested that a client's limits come back as they were written, and that its tokens add up by day and month.

use gatepost_core::change::Change;
use gatepost_core::clients::{Client, ClientId};
use gatepost_core::limits::{ClientLimits, Day, Issued, Month, Rate};
use gatepost_core::time::Timestamp;
use gatepost_core::usage::{ClientUsage, Hour};
use gatepost_store::{Store, StoreError};

use crate::engines::{Home, on_every_engine};
use crate::samples::{acme, audited, client};

on_every_engine![
    limits_come_back_as_they_were_set_until_they_are_cleared,
    limits_go_with_their_client_and_are_refused_without_one,
    tokens_add_up_by_day_and_month_and_not_beyond_their_edges,
];

fn all_of_them() -> ClientLimits {
    ClientLimits {
        tokens: Some(Rate::parse("100/min").unwrap()),
        per_day: Some(0),
        per_month: Some(u64::MAX),
        replay_window: Some(300),
    }
}

async fn limits_of(store: &dyn Store, client: &Client) -> ClientLimits {
    store.client_record(&client.id).await.unwrap().unwrap().limits
}

async fn set(store: &dyn Store, client: &ClientId, limits: ClientLimits) -> Result<i64, StoreError> {
    store.apply(&audited([Change::ClientLimited { client: client.clone(), limits }])).await
}

async fn limits_come_back_as_they_were_set_until_they_are_cleared(home: Home) {
    let store = home.open().await;
    let (_, _, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    assert!(limits_of(store.as_ref(), &app).await.is_empty());

    let only_daily = ClientLimits { per_day: Some(7), ..ClientLimits::default() };
    for limits in [all_of_them(), only_daily, ClientLimits::default(), all_of_them()] {
        set(store.as_ref(), &app.id, limits.clone()).await.unwrap();
        assert_eq!(limits_of(store.as_ref(), &app).await, limits);
    }
    let lines = store.audit_lines(5, 10).await.unwrap();
    let told: Vec<_> = lines.iter().map(|line| (line.action.as_str(), line.details.as_str())).collect();
    assert_eq!(told[1], ("limit.set", r#"{"per_day":7}"#));
    assert_eq!(told[2], ("limit.cleared", "{}"));
}

async fn limits_go_with_their_client_and_are_refused_without_one(home: Home) {
    let store = home.open().await;
    let (_, _, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    set(store.as_ref(), &app.id, all_of_them()).await.unwrap();
    store.apply(&audited([Change::ClientDeleted(app.id.clone())])).await.unwrap();

    let refused = set(store.as_ref(), &app.id, all_of_them()).await.unwrap_err();
    assert!(matches!(refused, StoreError::NotFound(_)), "{refused:?}");
}

async fn tokens_add_up_by_day_and_month_and_not_beyond_their_edges(home: Home) {
    let store = home.open().await;
    let (owner, _, app, changes) = acme();
    let other = client("other", &owner, &[]);
    store.apply(&changes).await.unwrap();
    store.apply(&audited([Change::ClientCreated { client: other.clone(), secret: None }])).await.unwrap();
    // 30 November 2026, noon.
    let noon = Timestamp::from_micros(1_796_040_000_000_000);
    let (day, month) = (Day::of(noon), Month::of(noon));
    let count = |client: &Client, hour: Hour, issued| ClientUsage {
        client: client.id.clone(),
        hour,
        issued,
        refused: 1,
    };
    let (first, last) = (day.first_hour(), Hour(day.next().first_hour().0 - 1));
    let counts = [
        count(&app, Hour(month.first_hour().0 - 1), 1),
        count(&app, month.first_hour(), 10),
        count(&app, Hour(first.0 - 1), 100),
        count(&app, first, 1_000),
        count(&app, last, 10_000),
        count(&app, Hour(last.0 + 1), 100_000),
        count(&other, first, 7),
    ];
    store.add_usage(&counts, &[]).await.unwrap();

    let asked = [app.id.clone(), ClientId::parse("nobody").unwrap()];
    let sums = store.issued(&asked, day, month).await.unwrap();
    assert_eq!(sums, [(app.id, Issued { on_day: 11_000, in_month: 11_110 })]);
    assert_eq!(store.issued(&[], day, month).await.unwrap(), []);
}
