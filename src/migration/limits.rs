//! How long a statement of a script may wait for a lock, and run.

use pgrx::Uuid;
use versioning_core::model::Migration;

use crate::error::Result;
use crate::migration::store;
use crate::settings;

/// How long each statement of a migration may wait for a lock, and run, in milliseconds, where it has limits
/// of its own.
///
/// # Errors
/// Only broken expectations.
pub fn limits(migration: &Migration) -> Result<(Option<i32>, Option<i32>)> {
    store::limits(Uuid::from_bytes(migration.id))
}

/// How long each statement may take, in milliseconds; 0 = for ever.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub lock: i32,
    pub statement: i32,
}

impl Limits {
    pub fn of_settings() -> Self {
        Self {
            lock: settings::lock_timeout(),
            statement: settings::statement_timeout(),
        }
    }

    /// What a migration says itself goes before the settings.
    pub fn of(migration: &Migration) -> Result<Self> {
        let (lock, statement) = limits(migration)?;
        let general = Self::of_settings();
        Ok(Self {
            lock: lock.unwrap_or(general.lock),
            statement: statement.unwrap_or(general.statement),
        })
    }
}
