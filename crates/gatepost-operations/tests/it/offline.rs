//! This file is where a node loses its store and finds it again, by a clock that the test moves.

use std::time::Duration;

use gatepost_operations::core::refusal::Code;
use gatepost_operations::{clients, news, status};
use gatepost_store::Location;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};

use crate::stage::{ACTOR, Stage, ask};

const SECOND: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_secs(600);
/// What every look at the store needs.
const TABLES: [&str; 2] = ["audit", "clients"];

/// Takes the store's tables away from whoever has it open, and gives them back.
enum Outage {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Outage {
    async fn begin(stage: &Stage) -> Self {
        let mut outage = match &stage.gate.config.database.location {
            Location::Sqlite(file) => {
                Self::Sqlite(SqliteConnectOptions::new().filename(file).connect().await.unwrap())
            }
            Location::Postgres(address) => Self::Postgres(PgConnection::connect(&address.0).await.unwrap()),
        };
        outage.rename("", "_away").await;
        assert!(news::take_up(&stage.gate).await.is_err(), "the store is away");
        outage
    }

    async fn end(mut self) {
        self.rename("_away", "").await;
    }

    async fn rename(&mut self, from: &str, to: &str) {
        for table in TABLES {
            let statement = format!("ALTER TABLE {table}{from} RENAME TO {table}{to}");
            let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(statement));
            match self {
                Self::Sqlite(wire) => drop(statement.execute(wire).await.unwrap()),
                Self::Postgres(wire) => drop(statement.execute(wire).await.unwrap()),
            }
        }
    }
}

#[tokio::test]
async fn while_the_store_is_away_known_clients_are_served_until_the_grace_is_over() {
    outage_of(Stage::with_api().await).await;
}

#[tokio::test]
async fn the_same_goes_for_postgresql() {
    let address = crate::postgres_server::address("postgres");
    outage_of(Stage::with_api_and(&[("database.url", &address)]).await).await;
}

async fn outage_of(stage: Stage) {
    let (warm, cold) = (stage.client("Warm").await, stage.client("Cold").await);
    let of_warm = || ask(&stage.gate, &warm.client.client_id, warm.secret.expose());
    assert!(of_warm().await.is_ok());
    news::take_up(&stage.gate).await.unwrap();
    let outage = Outage::begin(&stage).await;

    assert!(of_warm().await.is_ok());
    let refused = ask(&stage.gate, &cold.client.client_id, cold.secret.expose()).await.err().unwrap();
    assert_eq!(refused.code, Code::TemporarilyUnavailable, "who is not known here can't be looked up");
    stage.pass(SECOND + Duration::from_micros(1));
    assert!(!news::hears_the_store(&stage.gate).await, "of tokens nothing is said any more");
    assert!(of_warm().await.is_ok());

    stage.pass(GRACE - SECOND - Duration::from_micros(1));
    assert!(of_warm().await.is_ok() && news::is_within_grace(&stage.gate));
    stage.pass(Duration::from_micros(1));
    assert!(!news::is_within_grace(&stage.gate));
    let refused = of_warm().await.err().unwrap();
    assert_eq!(refused.code, Code::TemporarilyUnavailable);
    assert!(refused.reason.contains("cache.offline_grace"), "{refused:?}");

    outage.end().await;
    assert!(of_warm().await.is_err(), "nobody is served before the news have been taken up");
    news::take_up(&stage.gate).await.unwrap();
    assert!(of_warm().await.is_ok());
}

#[tokio::test]
async fn who_was_stopped_during_an_outage_gets_nothing_when_it_is_over() {
    let stage = Stage::with_api().await;
    let acme = stage.client("Acme").await;
    let of_acme = || ask(&stage.gate, &acme.client.client_id, acme.secret.expose());
    assert!(of_acme().await.is_ok());
    let other = stage.second_node().await;
    let outage = Outage::begin(&stage).await;
    stage.pass(GRACE + SECOND);
    assert_eq!(of_acme().await.err().map(|refusal| refusal.code), Some(Code::TemporarilyUnavailable));

    outage.end().await;
    clients::suspend(&other, &ACTOR, &acme.client.client_id).await.unwrap();
    assert_eq!(of_acme().await.err().map(|refusal| refusal.code), Some(Code::TemporarilyUnavailable));
    news::take_up(&stage.gate).await.unwrap();
    assert_eq!(of_acme().await.err().map(|refusal| refusal.code), Some(Code::InvalidClient));
}

#[tokio::test]
async fn setting_the_wall_clock_neither_shortens_nor_lengthens_the_grace() {
    let stage = Stage::with_api().await;
    let acme = stage.client("Acme").await;
    let of_acme = || ask(&stage.gate, &acme.client.client_id, acme.secret.expose());
    assert!(of_acme().await.is_ok());
    news::take_up(&stage.gate).await.unwrap();
    let _outage = Outage::begin(&stage).await;

    stage.set_forward(GRACE * 10);
    assert!(of_acme().await.is_ok() && status::readiness(&stage.gate).store);
    stage.set_back(GRACE * 20);
    stage.pass(GRACE + SECOND);
    assert!(of_acme().await.is_err() && !status::readiness(&stage.gate).store);
}
