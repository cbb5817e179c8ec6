//! This file is where it is tested what a PostgreSQL store makes of the address it is given, and what it sends there.

use std::time::Duration;

use gatepost_core::clients::ClientId;
use gatepost_store::{Address, Location, StoreError};
use sqlx::Executor;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

use crate::engines::{Home, raw_postgres};
use crate::postgres::statements;
use crate::samples::acme;

async fn refusal(address: &str) -> StoreError {
    let opened = gatepost_store::open(&Location::Postgres(Address(address.to_owned())), 2).await;
    opened.err().expect("it can't be opened")
}

#[tokio::test]
async fn no_refusal_holds_the_password() {
    for address in [
        "postgres://gp:hunter2@127.0.0.1:1/gatepost",
        "postgres://gp:hunter2@127.0.0.1:port/gatepost",
        "postgres://gp:hunter2@127.0.0.1:1/gatepost?sslmode=hunter2",
        "postgres://gp:hunter2@127.0.0.1:1/gatepost?sslmode=verify-full&sslrootcert=/nowhere",
        "hunter2",
    ] {
        let said = refusal(address).await;
        assert!(!format!("{said} {said:?}").contains("hunter2"), "{said}");
        assert!(said.to_string().contains("address"), "it says where to look: {said}");
    }
    assert_eq!(format!("{:?}", Location::Postgres(Address("x".into()))), "Postgres(Address(…))");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named() {
    let home = Home::postgres().await;
    let said = refusal(&home.address().replace("test_", "missing_")).await;
    assert!(matches!(&said, StoreError::Unavailable(text) if text.contains("createdb")), "{said}");
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_untouched() {
    let home = Home::postgres().await;
    home.meddle("CREATE TABLE clients (name TEXT)").await;
    let said = refusal(home.address()).await;
    assert!(matches!(&said, StoreError::Unreadable(text) if text.contains("another program")), "{said}");

    let mut beside = raw_postgres(home.address()).await;
    let tables: (String,) =
        sqlx::query_as("SELECT string_agg(tablename::text, ' ') FROM pg_tables WHERE schemaname = 'public'")
            .fetch_one(&mut beside)
            .await
            .unwrap();
    assert_eq!(tables.0, "clients");
}

/// Carries bytes between one client and the server until `cut` says so; then it keeps both waiting.
async fn carry(mut client: TcpStream, mut server: UnixStream, mut cut: watch::Receiver<bool>) {
    let is_cut = async { cut.wait_for(|cut| *cut).await.is_ok() };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
        _ = is_cut => std::future::pending().await,
    }
}

/// An address that leads to the same database through a line that can be cut without a sound.
async fn line_to(home: &Home) -> (String, watch::Sender<bool>) {
    let (database, rest) = home.address().trim_start_matches("postgres:///").split_once("?host=").unwrap();
    let socket = format!("{}/.s.PGSQL.5432", rest.split('&').next().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (cut, is_cut) = watch::channel(false);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = UnixStream::connect(&socket).await.unwrap();
            tokio::spawn(carry(client, server, is_cut.clone()));
        }
    });
    (format!("postgres://gatepost@127.0.0.1:{port}/{database}?sslmode=disable"), cut)
}

/// Waits until a statement in the database of `beside` waits for a lock.
async fn one_is_waiting(beside: &mut sqlx::PgConnection) {
    let waiting = async {
        loop {
            let query = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                WHERE NOT l.granted AND d.datname = current_database()";
            let count: (i64,) = sqlx::query_as(query).fetch_one(&mut *beside).await.unwrap();
            if count.0 > 0 {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("a statement comes to wait");
}

#[tokio::test]
async fn a_server_that_was_cut_off_is_not_waited_for_and_is_found_again() {
    let home = Home::postgres().await;
    let (address, cut) = line_to(&home).await;
    let store = gatepost_store::open(&Location::Postgres(Address(address)), 2).await.unwrap();
    let (owner, _, _, changes) = acme();
    store.apply(&changes).await.unwrap();

    // Cut in the middle of a read: the server gives the statement up, but the line says nothing of it.
    let mut beside = raw_postgres(home.address()).await;
    beside.execute("BEGIN; LOCK TABLE partners IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let asking = store.clone();
    let asked = tokio::spawn(async move { asking.partner(owner.id).await });
    one_is_waiting(&mut beside).await;
    cut.send(true).unwrap();
    let asked = tokio::time::timeout(Duration::from_secs(8), asked).await.expect("it gives up").unwrap();
    assert!(matches!(asked, Err(StoreError::Unavailable(_))), "{asked:?}");
    beside.execute("ROLLBACK").await.unwrap();

    let applied =
        tokio::time::timeout(Duration::from_secs(8), store.apply(&changes)).await.expect("it gives up");
    assert!(matches!(applied, Err(StoreError::Unavailable(_))), "{applied:?}");
    cut.send(false).unwrap();
    let back = async { while store.partner(owner.id).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(20), back).await.expect("new connections replace the lost ones");
}

#[tokio::test]
async fn a_client_record_is_one_statement() {
    let home = Home::postgres().await;
    let store = home.open().await;
    let (_, _, app, changes) = acme();
    store.apply(&changes).await.unwrap();

    for id in [app.id, ClientId::parse("nobody").unwrap()] {
        let before = statements(home.address()).len();
        store.client_record(&id).await.unwrap();
        let sent = statements(home.address()).split_off(before);
        assert!(matches!(sent.as_slice(), [one] if one.contains("SELECT c.id")), "{sent:?}");
    }
}
