//! Whether the scripts of a migration are still those that were registered.

use versioning_core::checksum;
use versioning_core::model::Migration;
use versioning_core::plan::Blocker;

/// Whether the scripts of a migration are those that were registered.
pub fn is_intact(migration: &Migration) -> bool {
    checksum::of_scripts(&migration.up_sql, migration.down_sql.as_deref()) == migration.checksum
}

/// A migration whose scripts somebody has changed behind the registry's back.
pub fn was_changed(migration: &Migration) -> Blocker {
    Blocker::correctness(format!(
        "migration {} to {} was changed in the table: its scripts don't match the checksum that was taken when it was registered",
        migration.sequence, migration.to_version
    ))
}
