//! This file is where it is tested that the audit trail is one unbroken chain, whoever writes at the same time.

use std::collections::BTreeSet;

use gatepost_core::audit::{AuditLine, FIRST};
use gatepost_core::change::Change;
use gatepost_store::{Page, Store};

use crate::engines::{Home, on_every_engine};
use crate::samples::{acme, api, audited, partner};

on_every_engine![
    each_line_says_who_did_what_to_whom_and_when,
    many_appliers_at_once_leave_a_chain_without_gaps,
    two_openers_of_one_store_share_the_chain,
    a_line_changed_in_the_store_shows,
];

/// All lines, checked: numbered from 1 without gaps, each whole and behind the one before.
pub(crate) async fn whole_chain(store: &dyn Store) -> Vec<AuditLine> {
    let lines = store.audit_lines(0, u32::MAX).await.unwrap();
    let mut previous = FIRST;
    for (line, seq) in lines.iter().zip(1..) {
        assert_eq!((line.seq, line.previous), (seq, previous));
        assert!(line.is_whole(), "{line:?}");
        previous = line.hash;
    }
    assert_eq!(store.head().await.unwrap(), i64::try_from(lines.len()).unwrap());
    lines
}

async fn each_line_says_who_did_what_to_whom_and_when(home: Home) {
    let store = home.open().await;
    let (_, _, app, changes) = acme();
    store.apply(&changes).await.unwrap();

    let lines = whole_chain(store.as_ref()).await;
    let actions = lines.iter().map(|line| line.action.as_str()).collect::<Vec<_>>();
    assert_eq!(
        actions,
        ["partner.created", "api.created", "scope.created", "scope.created", "client.created"]
    );
    let last = lines.last().unwrap();
    assert_eq!(
        (last.noun.as_str(), last.id.as_str(), last.at),
        ("client", app.id.as_str(), changes[4].at.micros())
    );
    assert_eq!(last.actor, r#"{"kind":"command_line","user":"jo"}"#);
    assert_eq!(last.details, changes[4].change.details().to_string());
    assert_eq!(store.audit_lines(3, 1).await.unwrap(), lines[3..4]);
}

async fn many_appliers_at_once_leave_a_chain_without_gaps(home: Home) {
    let store = home.open().await;

    let appliers = (0..64).map(|number| {
        let store = store.clone();
        let names = [format!("p{number}-a"), format!("p{number}-b")];
        let batch = audited(names.iter().map(|name| Change::PartnerCreated(partner(name))));
        tokio::spawn(async move { store.apply(&batch).await.unwrap() })
    });
    let mut seqs = BTreeSet::new();
    for applier in appliers.collect::<Vec<_>>() {
        seqs.insert(applier.await.unwrap());
    }

    // Batches of two: the last of each is even, and none is told twice.
    assert_eq!(seqs, (1..=64).map(|batch| batch * 2).collect());
    let lines = whole_chain(store.as_ref()).await;
    assert_eq!(lines.len(), 128);
    for pair in lines.chunks(2) {
        let slugs = [0, 1].map(|at| store_slug(&pair[at]));
        assert_eq!(
            slugs[0].trim_end_matches("-a"),
            slugs[1].trim_end_matches("-b"),
            "a batch stays together"
        );
    }
    assert_eq!(store.partners(Page::LONGEST).await.unwrap().len(), 128);
}

fn store_slug(line: &AuditLine) -> String {
    let details: serde_json::Value = serde_json::from_str(&line.details).unwrap();
    details["slug"].as_str().unwrap().to_owned()
}

async fn two_openers_of_one_store_share_the_chain(home: Home) {
    let stores = [home.open().await, home.open().await];

    let appliers = (0..40).map(|number| {
        let store = stores[number % 2].clone();
        let batch = audited([Change::ApiCreated(api(&format!("a{number}")))]);
        tokio::spawn(async move { store.apply(&batch).await.unwrap() })
    });
    for applier in appliers.collect::<Vec<_>>() {
        applier.await.unwrap();
    }

    assert_eq!(whole_chain(stores[0].as_ref()).await.len(), 40);
    assert_eq!(stores[1].apis().await.unwrap().len(), 40);
}

async fn a_line_changed_in_the_store_shows(home: Home) {
    let store = home.open().await;
    let (.., changes) = acme();
    store.apply(&changes).await.unwrap();
    home.meddle("UPDATE audit SET actor = '{\"kind\":\"system\"}' WHERE seq = 3").await;

    let lines = store.audit_lines(0, 10).await.unwrap();
    let whole = lines.iter().map(AuditLine::is_whole).collect::<Vec<_>>();
    assert_eq!(whole, [true, true, false, true, true]);
}
