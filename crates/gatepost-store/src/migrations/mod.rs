//! This folder is where the steps of the schema are, forward only, the same names for every engine.
//!
//! A step is never edited once it has shipped: its checksum is kept in the store and compared at every start.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use crate::StoreError;

/// One step: its number, its name and its statements.
pub(crate) type Step = (i64, &'static str, &'static str);

/// SQLite's steps; each sets `user_version` to its number.
pub(crate) const SQLITE: &[Step] = &[
    (1, "first", include_str!("sqlite/0001_first.sql")),
    (2, "lifecycle", include_str!("sqlite/0002_lifecycle.sql")),
    (3, "schedule", include_str!("sqlite/0003_schedule.sql")),
    (4, "expiry", include_str!("sqlite/0004_expiry.sql")),
    (5, "limits", include_str!("sqlite/0005_limits.sql")),
    (6, "revoked_by_client", include_str!("sqlite/0006_revoked_by_client.sql")),
];

/// PostgreSQL's steps.
pub(crate) const POSTGRES: &[Step] = &[
    (1, "first", include_str!("postgres/0001_first.sql")),
    (2, "lifecycle", include_str!("postgres/0002_lifecycle.sql")),
    (3, "schedule", include_str!("postgres/0003_schedule.sql")),
    (4, "expiry", include_str!("postgres/0004_expiry.sql")),
    (5, "limits", include_str!("postgres/0005_limits.sql")),
    (6, "revoked_by_client", include_str!("postgres/0006_revoked_by_client.sql")),
];

/// The number of the last step.
pub(crate) fn newest(steps: &[Step]) -> i64 {
    steps.iter().map(|(number, ..)| *number).max().unwrap_or(0)
}

/// What brings a store up to date. It takes no lock: the engine holds one around the whole run.
pub(crate) fn migrator(steps: &[Step]) -> Migrator {
    let migration = |(number, name, statements): &Step| {
        let statements = statements.into_sql_str();
        Migration::new(*number, (*name).into(), MigrationType::Simple, statements, false)
    };
    let mut migrator = Migrator::with_migrations(steps.iter().map(migration).collect());
    // A name of our own: another program's migrations in the same database must not be taken for ours.
    migrator.dangerous_set_table_name("gatepost_migrations");
    migrator.set_locking(false);
    migrator
}

/// Why a store with `found` as its last step is left alone.
pub(crate) fn newer(found: i64, steps: &[Step]) -> StoreError {
    StoreError::Unreadable(format!(
        "it was written by a newer version of Gatepost (schema {found}, this one knows {}); upgrade Gatepost",
        newest(steps)
    ))
}

/// Why a store whose step `found` differs from ours is left alone.
pub(crate) fn altered(found: i64) -> StoreError {
    StoreError::Unreadable(format!(
        "its schema {found} was made by other statements than this version knows; use the version that wrote it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_have_the_same_steps_in_ascending_order() {
        let names =
            |steps: &[Step]| steps.iter().map(|(number, name, _)| (*number, *name)).collect::<Vec<_>>();
        assert_eq!(names(SQLITE), names(POSTGRES));
        assert!(SQLITE.is_sorted_by(|(one, ..), (next, ..)| one < next));
    }

    #[test]
    fn each_step_of_sqlite_says_its_number() {
        for (number, name, statements) in SQLITE {
            assert!(statements.contains(&format!("PRAGMA user_version = {number};")), "{name}");
        }
    }
}
