//! This file is where bookings outlive the process that made them.

use bookings_api::Bookings;

use crate::api::{Api, BOTH, token};

#[tokio::test]
async fn bookings_in_a_file_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bookings.db");
    let acme = token(Some("acme"), &BOTH);
    Api::with(Bookings::open(&file).await.unwrap()).book(&acme, "A-1").await;

    let again = Api::with(Bookings::open(&file).await.unwrap());

    assert_eq!(again.references(&acme).await, ["A-1"]);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named_as_the_reason() {
    let folder = tempfile::tempdir().unwrap();

    let error = Bookings::open(folder.path().join("missing/bookings.db")).await.unwrap_err();

    assert!(error.to_string().contains("folder"));
}
