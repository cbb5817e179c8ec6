//! This file is where the master key file is held against the store that it must belong to.

use gatepost_store::{Store, StoreError};

use super::{MasterKey, path, read};
use crate::config::Config;
use crate::data_folder;
use crate::failure::{Failure, Kind};

/// The master key file, once it is shown to belong to this store.
pub(crate) async fn belonging(store: &dyn Store, config: &Config) -> Result<MasterKey, Failure> {
    let master = read(&config.data)?;
    match store.master_key_check().await? {
        Some((pepper, check)) if !master.belongs_to(&pepper, &check) => Err(Failure::new(
            Kind::Configuration,
            "master_key.wrong",
            format!("the master key {} belongs to another store", path(&config.data).display()),
            format!("this store was set up with the pepper `{pepper}`, which the file does not hold"),
            "restore the master.key that belongs to this store from its backup",
        )),
        Some(_) => {
            data_folder::adopt(&config.data);
            Ok(master)
        }
        None if data_folder::is_adopted(&config.data) => {
            Err(data_folder::lost(&config.data, &config.database.to_string()))
        }
        None => Err(Failure::from(StoreError::Unreadable("it is empty; run `gatepost init`".to_owned()))),
    }
}
