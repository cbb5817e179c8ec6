//! This file is where a state comes to be and is opened: folder, master key, store, first keys.

use std::sync::Arc;

use gatepost_core::actor::Actor;
use gatepost_core::apis::{self, ApiId, Audience, NewApi};
use gatepost_core::change::Change;
use gatepost_core::issuer::Issuer;
use gatepost_core::keys::KeyOwner;
use gatepost_core::keys::rotation::Turns;
use gatepost_core::name::Slug;
use gatepost_core::tokens::profile::{PassportOptions, Profile};
use gatepost_jose::Algorithm;
use gatepost_store::{Location, Store};
use serde::Serialize;

use crate::clock::Clock;
use crate::config::Config;
use crate::data_folder;
use crate::entropy::Entropy;
use crate::failure::{Failure, Kind};
use crate::gate::{Gate, Parts};
use crate::keys::KeyMaker;
use crate::master_key::belonging::belonging;
use crate::master_key::{self, MasterKey};

/// The API that an empty store gets.
pub const DEFAULT_API: &str = "default";

/// What was set up.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The data folder.
    pub data: String,
    /// The master key file.
    pub master_key: String,
    /// The store, without passwords.
    pub database: String,
    /// The thumbprint of the first signing key.
    pub kid: String,
}

/// Sets up a new state; one that is in use is a conflict.
pub async fn init(config: &Config, issuer: &Issuer, clock: &Arc<dyn Clock>) -> Result<Report, Failure> {
    let (store, master) = make_ready(config).await?;
    if store.master_key_check().await?.is_some() {
        return Err(Failure::new(
            Kind::Conflict,
            "setup.in_use",
            format!("{} is in use already", config.data.display()),
            "it holds a Gatepost state with keys",
            "start it with `gatepost serve`, or give another --data folder",
        ));
    }
    let filled = fill(&*store, config, &Arc::new(master), issuer, &**clock).await;
    store.close().await;
    let kid = filled?;
    data_folder::adopt(&config.data);
    Ok(Report {
        data: config.data.display().to_string(),
        master_key: master_key::path(&config.data).display().to_string(),
        database: place(config),
        kid,
    })
}

/// Opens the state that is there.
pub async fn open(config: Config, issuer: Issuer, clock: Arc<dyn Clock>) -> Result<Gate, Failure> {
    data_folder::check(&config.data)?;
    if is_missing(&config) {
        return Err(Failure::new(
            Kind::Unavailable,
            "store.missing",
            format!("there is no store in {}", config.data.display()),
            format!("there is no {}", place(&config)),
            "run `gatepost init`, or give the right folder with --data",
        ));
    }
    let store = store(&config).await?;
    let master = belonging(&*store, &config).await?;
    Gate::assemble(Parts { config, issuer, store, master, clock }).await
}

/// Opens the state, and sets it up first where there is none.
pub async fn open_or_init(config: Config, issuer: Issuer, clock: Arc<dyn Clock>) -> Result<Gate, Failure> {
    data_folder::check(&config.data)?;
    if !is_missing(&config) && master_key::path(&config.data).exists() {
        let store = store(&config).await?;
        if store.master_key_check().await?.is_some() {
            let master = belonging(&*store, &config).await?;
            return Gate::assemble(Parts { config, issuer, store, master, clock }).await;
        }
        store.close().await;
    }
    let (store, master) = make_ready(&config).await?;
    match fill(&*store, &config, &Arc::new(master), &issuer, &*clock).await {
        Ok(_) => {}
        // Another process set it up at the same moment: its state is as good.
        Err(failure) if failure.kind == Kind::Conflict => {}
        Err(failure) => return Err(failure),
    }
    let master = belonging(&*store, &config).await?;
    Gate::assemble(Parts { config, issuer, store, master, clock }).await
}

/// The folder, the master key and the empty store; a store that is in use keeps its master key or is refused.
async fn make_ready(config: &Config) -> Result<(Arc<dyn Store>, MasterKey), Failure> {
    data_folder::create(&config.data)?;
    data_folder::check(&config.data)?;
    // Before the store is asked: one that another process sets up just now must not look lost.
    let was_adopted = master_key::path(&config.data).exists() && data_folder::is_adopted(&config.data);
    if !is_in_use(config).await? {
        if was_adopted {
            return Err(data_folder::lost(&config.data, &place(config)));
        }
        master_key::create(&config.data, &Entropy::default())?;
    }
    let master = master_key::read(&config.data)?;
    Ok((store(config).await?, master))
}

/// Whether there is a store that was set up; one that is missing is not made.
async fn is_in_use(config: &Config) -> Result<bool, Failure> {
    if is_missing(config) {
        return Ok(false);
    }
    let store = store(config).await?;
    let check = store.master_key_check().await;
    store.close().await;
    Ok(check?.is_some())
}

/// Writes what an empty store begins with, all in one: the default API, its key, the service key.
async fn fill(
    store: &dyn Store,
    config: &Config,
    master: &Arc<MasterKey>,
    issuer: &Issuer,
    clock: &dyn Clock,
) -> Result<String, Failure> {
    let entropy = Entropy::default();
    let now = clock.now();
    let new = NewApi {
        name: Slug::parse(DEFAULT_API)?,
        audience: Audience::parse(issuer.as_str())?,
        profile: Profile::Passport(PassportOptions::default()),
        algorithm: None,
        turns: Turns::ByDefault,
    };
    let api = apis::register(ApiId(entropy.uuid()?), new, now)?;

    let maker = KeyMaker { config, master: Arc::clone(master), entropy: &entropy };
    let token_key = maker.first(KeyOwner::Api(api.id), api.algorithm, now).await?;
    let service_key = maker.first(KeyOwner::Service, Algorithm::Es256, now).await?;
    let kid = token_key.kid.as_str().to_owned();
    let check = master.check_tag();

    let changes = [
        Change::MasterKeyAdopted { pepper: check.pepper, check: check.tag },
        Change::ApiCreated(api),
        Change::KeyAdded(token_key),
        Change::KeyAdded(service_key),
    ];
    let audited = changes.map(|change| change.by(Actor::System, now));
    store.apply(&audited).await?;
    Ok(kid)
}

fn is_missing(config: &Config) -> bool {
    match location(config) {
        Location::Sqlite(path) => !path.exists(),
        Location::Postgres(_) => false,
    }
}

async fn store(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    let connections = u32::try_from(config.database.max_connections).unwrap_or(8);
    Ok(gatepost_store::open(location(config), connections).await?)
}

/// Where the state is kept.
pub const fn location(config: &Config) -> &Location {
    &config.database.location
}

/// Where the state is kept, for people: no password in it.
pub fn place(config: &Config) -> String {
    config.database.to_string()
}
